"""Work that may block runs beside the event loop: few threads, a bounded queue, a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sidecar.control.answers import Refuse

T = TypeVar("T")


class Pool:
    """A call that hangs costs a thread; when all hang, calls are refused at once."""

    def __init__(self, name: str, threads: int, most_waiting: int = 8) -> None:
        self._name = name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + most_waiting
        self._unfinished = 0

    async def run(self, work: Callable[[], T], timeout: float) -> T:
        """Raises Refuse ``busy`` after ``timeout`` seconds, or when too much waits already; else what work raises."""
        if self._unfinished >= self._most:
            raise Refuse("busy", f"{self._unfinished} requests wait for the {self._name} already")
        self._unfinished += 1
        running = asyncio.get_running_loop().run_in_executor(self._executor, work)
        running.add_done_callback(self._finished)
        done, _ = await asyncio.wait({running}, timeout=timeout)
        if not done:
            raise Refuse("busy", f"the {self._name} did not answer within {timeout:g} s")
        return running.result()

    def _finished(self, running: "asyncio.Future[T]") -> None:
        self._unfinished -= 1
        if not running.cancelled():
            running.exception()  # a late failure was answered with "busy" already
