"""Calls that touch files, on threads that may hang.

A read from a dead file server blocks its thread for good, and a pool would block the supervisor's exit with it. So
every call has a daemon thread of its own and a deadline, and a thread that is stuck keeps its place: when all places
are stuck, later calls are refused after their own deadline instead of making ever more threads.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from supervisor.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most ``places`` calls at once. Belongs to one event loop."""

    def __init__(self, name: str, places: int) -> None:
        self._name: Final = name
        self._places: Final = places
        self._free = asyncio.Semaphore(places)

    @property
    def is_full(self) -> bool:
        """Every place is taken: a call would have to wait."""
        return self._free.locked()

    async def run(self, seconds: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``call`` returns or raises. TimeoutError after ``seconds``; Unavailable when no place came free."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                f"all {self._places} {self._name} are busy", hint="Does a disk or a file server hang?"
            ) from None
        answer: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            self._free.release()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type] - a result of T, or an error, never neither

        def work() -> None:
            result: T | None = None
            failure: BaseException | None = None
            try:
                result = call(*args, **kwargs)
            except BaseException as error:
                failure = error
            try:
                loop.call_soon_threadsafe(settle, result, failure)
            except RuntimeError:
                return  # the loop has ended: nobody waits

        threading.Thread(target=work, name=self._name, daemon=True).start()
        async with asyncio.timeout_at(deadline):
            return await answer
