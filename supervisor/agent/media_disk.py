"""Work on the media disk, which may hang: at most one thread waits for it, and no round for long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_PATIENCE: Final = 0.5
"""Seconds that a caller waits."""


class MediaDiskBusy(Exception):
    """An earlier piece of work has not come back, or this one takes long; it may still be done."""


class MediaDisk:
    """One lane to the disk. Belongs to one event loop."""

    def __init__(self) -> None:
        self._lane = ThreadPoolExecutor(max_workers=1, thread_name_prefix="media-disk")
        self._under_way: asyncio.Future[Any] | None = None

    async def do(self, work: Callable[[], _T]) -> _T:
        """Raises MediaDiskBusy, and what ``work`` raises."""
        if self._under_way is not None and not self._under_way.done():
            raise MediaDiskBusy
        done = asyncio.get_running_loop().run_in_executor(self._lane, work)
        self._under_way = done
        finished, _ = await asyncio.wait({done}, timeout=_PATIENCE)
        if not finished:
            # Nobody waits for it any more; an error of it must not be reported as lost.
            done.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise MediaDiskBusy
        return done.result()

    def close(self) -> None:
        """Waits for nothing."""
        self._lane.shutdown(wait=False, cancel_futures=True)
