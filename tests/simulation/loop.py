"""An event loop of virtual time: it never waits, it jumps; what is ready runs in an order drawn from the seed."""

import asyncio
import contextlib
import gc
import heapq
import math
import random
import sys
import threading
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Final

from tests.simulation.processes import OWNER, Host, Process

_MOST_AT_ONE_INSTANT: Final = 200_000
_FOREVER: Final = 1 << 62


class Deadlock(Exception):
    """Nothing is ready and nothing is scheduled: whoever waits will wait for ever."""


class Livelock(Exception):
    """Very many callbacks ran without time going on."""


class SimTask(asyncio.Task[Any]):
    """Hashes by its number, so that a set of tasks is gone through in the same order in every process."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, loop: "SimLoop", **more: Any) -> None:
        loop.numbers += 1
        self.number = loop.numbers
        self.owner: Process | None = None
        super().__init__(coro, loop=loop, **more)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimFuture(asyncio.Future[Any]):
    """Hashes by its number, as ``SimTask`` does."""

    def __init__(self, *, loop: "SimLoop") -> None:
        loop.numbers += 1
        self.number = loop.numbers
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimHandle:
    """As ``asyncio.Handle`` and ``TimerHandle``, without what they do for debugging: there are hundreds of thousands
    in a seed."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "_when")

    def __init__(self, when: float, callback: Any, args: tuple[Any, ...], context: Context) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = None
            self._args = ()

    def cancelled(self) -> bool:
        return self._cancelled

    def when(self) -> float:
        return self._when

    def __repr__(self) -> str:
        return f"<{self._callback!r} at {self._when:.3f} s>"


class SimLoop(asyncio.BaseEventLoop):
    """One thread, no sockets, no real time. ``now`` is the world's virtual time, ``time()`` the running process's."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.now = 0.0
        self.numbers = 0
        self.ran = 0
        self.errors: list[dict[str, Any]] = []
        self._chance = chance
        self._batch: list[SimHandle] = []
        self._timers: list[tuple[float, int, SimHandle]] = []
        self._order = 0
        self._thread = threading.get_ident()
        self.set_exception_handler(self._note)

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        task = context.get("task")
        if task is None or not _is_dead(task):
            self.errors.append(context)

    # --- time ---------------------------------------------------------------------------------------------------

    def time(self) -> float:
        owner = OWNER.get()
        return self.now if owner is None else owner.host.local(self.now)

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> SimHandle:
        handle = SimHandle(self.now, callback, args, copy_context() if context is None else context)
        self._batch.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> SimHandle:
        if threading.get_ident() != self._thread:
            raise RuntimeError("a thread speaks to the simulated loop: simulated code must not have threads")
        return self.call_soon(callback, *args, context=context)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> SimHandle:
        return self._schedule(self.now + max(0.0, delay), callback, args, context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> SimHandle:
        return self._schedule(self.now + max(0.0, when - self.time()), callback, args, context)

    def _schedule(self, when: float, callback: Any, args: Any, context: Context | None) -> SimHandle:
        handle = SimHandle(when, callback, args, copy_context() if context is None else context)
        self._order += 1
        heapq.heappush(self._timers, (when, self._order, handle))
        return handle

    # --- tasks --------------------------------------------------------------------------------------------------

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> SimTask:
        task = SimTask(coro, loop=self, name=name, context=context)
        task.owner = OWNER.get() if context is None else context.get(OWNER)
        return task

    def create_future(self) -> SimFuture:
        return SimFuture(loop=self)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> SimFuture:
        """Work for a thread is done in the loop, at a moment of its own."""
        future = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self.call_later(self._chance.uniform(0.0, 0.004), work)
        return future

    # --- processes ----------------------------------------------------------------------------------------------

    def spawn(self, process: Process, coro: Coroutine[Any, Any, Any], name: str) -> SimTask:
        """A task that belongs to ``process``, as everything does that it begins."""
        return self.create_task(coro, name=name, context=process.context.copy())

    def kill(self, process: Process) -> None:
        """kill -9: not one more line of it is executed, no ``finally`` either."""
        if process.killed:
            return
        process.killed = True
        # Kept, and before anything is let go of: what is collected as garbage would run its ``finally``.
        process.tasks = [task for task in self._pending() if task.owner is process]
        process.held.clear()
        for told in process.at_death:
            told()

    def bury(self, processes: list[Process], *, collect: bool = True) -> None:
        """At the very end: what never ended is thrown away, and whatever it says then is nobody's business.

        ``collect``: now, and not when Python next looks, which would be in somebody else's time.
        """
        tasks = [*self._pending(), *(task for process in processes for task in process.tasks)]
        before, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            for task in tasks:
                task._log_destroy_pending = False
                with contextlib.suppress(BaseException):
                    task.get_coro().close()
            for process in processes:
                process.tasks.clear()
            tasks.clear()
            if collect:
                gc.collect()
        finally:
            sys.unraisablehook = before

    def _pending(self) -> list[SimTask]:
        return [task for task in asyncio.all_tasks(self) if isinstance(task, SimTask)]

    def stop_process(self, process: Process) -> None:
        process.stopped = True

    def cont_process(self, process: Process) -> None:
        process.stopped = False
        if process.runs:
            self._batch.extend(process.held)
            process.held.clear()

    def pause_host(self, host: Host) -> None:
        """A hypervisor pause: nothing runs there, and no clock of it does."""
        host.paused_at = self.now
        kept: list[tuple[float, int, SimHandle]] = []
        for entry in self._timers:
            owner = entry[2]._context.get(OWNER)
            if owner is not None and owner.host is host:
                host.parked.append(entry[2])
            else:
                kept.append(entry)
        self._timers = kept
        heapq.heapify(self._timers)

    def resume_host(self, host: Host, processes: list[Process]) -> None:
        assert host.paused_at is not None
        pause = self.now - host.paused_at
        host.lag += pause
        host.paused_at = None
        for handle in host.parked:
            handle._when += pause
            self._order += 1
            heapq.heappush(self._timers, (handle._when, self._order, handle))
        host.parked.clear()
        for process in processes:
            if process.host is host and process.runs:
                self._batch.extend(process.held)
                process.held.clear()

    # --- running ------------------------------------------------------------------------------------------------

    def run_until(self, when: float, done: Callable[[], bool] | None = None) -> None:
        """Until the world's time is ``when``, or it is ``done``. Raises Deadlock and Livelock."""
        events._set_running_loop(self)
        self._thread = threading.get_ident()
        at_this_instant = 0
        try:
            while True:
                if self._batch:
                    at_this_instant += len(self._batch)
                    if at_this_instant > _MOST_AT_ONE_INSTANT:
                        raise Livelock(f"{at_this_instant} callbacks at {self.now:.3f} s, the last: {self._batch[-1]}")
                    self._run_batch()
                    if done is not None and done():
                        return
                    continue
                while self._timers and self._timers[0][2]._cancelled:
                    heapq.heappop(self._timers)
                if not self._timers:
                    raise Deadlock(f"nothing is scheduled at {self.now:.3f} s")
                due = self._timers[0][0]
                if due > when:
                    self.now = when
                    return
                if due > self.now:
                    self.now = due
                    at_this_instant = 0
                while self._timers and self._timers[0][0] <= self.now:
                    handle = heapq.heappop(self._timers)[2]
                    if not handle._cancelled:
                        self._batch.append(handle)
        finally:
            events._set_running_loop(None)

    def _run_batch(self) -> None:
        batch, self._batch = self._batch, []
        if len(batch) > 1:
            # A set of strings may have been gone through on the way here: first into an order that no hash knows.
            batch.sort(key=_number)
            self._chance.shuffle(batch)
        for handle in batch:
            if handle._cancelled:
                continue
            owner = handle._context.get(OWNER)
            # As ``owner.runs``, without a call.
            if owner is not None and (owner.killed or owner.stopped or owner.host.paused_at is not None):
                if not owner.killed:
                    owner.held.append(handle)
                continue
            self.ran += 1
            # As ``Handle._run``, without a call in between: there are tens of thousands in a seed.
            try:
                handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self.call_exception_handler({"message": f"in {handle!r}", "exception": error, "handle": handle})

    # --- what asyncio asks of a loop ----------------------------------------------------------------------------

    def run_until_complete(self, future: Any) -> Any:
        task = asyncio.ensure_future(future, loop=self) if not isinstance(future, asyncio.Future) else future
        self.run_until(math.inf, task.done)
        return task.result()

    def close(self) -> None:
        self._batch.clear()
        self._timers.clear()
        super().close()

    def _process_events(self, event_list: Any) -> None:
        raise NotImplementedError

    def _write_to_self(self) -> None:
        """Nobody sleeps that would have to be woken."""

    get_debug = staticmethod(bool)  # type: ignore[assignment] - always False; asked for every handle


def _number(handle: SimHandle) -> int:
    """Tasks by number, everything else after them as it came."""
    owner = getattr(handle._callback, "__self__", None)
    return owner.number if type(owner) is SimTask else _FOREVER


def _is_dead(task: Any) -> bool:
    return isinstance(task, SimTask) and task.owner is not None and task.owner.killed
