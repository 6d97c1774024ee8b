"""Work on the media disk, which may hang: at most one thread waits for it, and no round for long."""

from collections.abc import Callable
from typing import Final, TypeVar

from supervisor.errors import Unavailable
from supervisor.threads import Threads

_T = TypeVar("_T")
_PATIENCE: Final = 0.5
"""Seconds that a caller waits."""


class MediaDiskBusy(Exception):
    """An earlier piece of work has not come back, or this one takes long; it may still be done."""


class MediaDisk:
    """One lane to the disk. Belongs to one event loop; what hangs in it holds up no exit."""

    def __init__(self) -> None:
        self._lane = Threads("media disk", places=1)

    async def do(self, work: Callable[[], _T]) -> _T:
        """Raises MediaDiskBusy, and what ``work`` raises."""
        if self._lane.is_full:
            raise MediaDiskBusy
        try:
            return await self._lane.run(_PATIENCE, work)
        except (TimeoutError, Unavailable) as error:
            raise MediaDiskBusy from error
