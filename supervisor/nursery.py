"""Every task has an owner that sees it fail: it is logged, told, and tried again; nothing half-dies in silence."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import structlog

from supervisor.clock import Clock

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_AGAIN: Final = (0.1, 1.0, 5.0, 10.0)
"""Seconds before a failed task is tried again, by failures in a row; the last holds for ever."""
_GOOD: Final = 60.0
"""A task that ran this long starts from the first step again."""

Told = Callable[[str, Exception], None]
"""Called with a task's name and its error, every time it fails."""


def _nobody(name: str, error: Exception) -> None:
    del name, error


class Nursery:
    """Owns tasks until ``close``. Belongs to one event loop."""

    def __init__(self, clock: Clock, told: Told = _nobody) -> None:
        self._clock = clock
        self._told = told
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Runs ``work`` until it returns; after an error again, later and later but always."""
        return self._own(name, self._kept(name, work))

    def once(self, name: str, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Runs ``work`` to its end even when whoever waits for it is cancelled; its error is theirs."""
        task = self._own(name, work)
        # Whoever waits sees the error; when nobody does any more, it must not be lost.
        task.add_done_callback(self._look)
        return task

    async def close(self) -> None:
        """Cancels everything and waits until it is over."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def _kept(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await work()
            except Exception as error:
                if self._clock.monotonic() - began >= _GOOD:
                    failures = 0
                wait = _AGAIN[min(failures, len(_AGAIN) - 1)]
                failures += 1
                log.exception("a task failed", task=name, again_in_s=wait)
                self._told(name, error)
                await self._clock.sleep(wait)
            else:
                return

    def _own(self, name: str, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _look(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("work ended with an error", task=task.get_name(), error=str(error))
