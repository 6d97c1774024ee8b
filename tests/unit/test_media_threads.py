"""Calls on threads that may hang: a dead disk costs the calls that touch it, never the loop or the end."""

import asyncio
import threading
import time

import pytest

from supervisor.assets.threads import Threads
from supervisor.errors import Unavailable


async def test_a_call_gives_its_result_or_its_error() -> None:
    threads = Threads("readers", places=2)
    assert await threads.run(2.0, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(2.0, divmod, 7, 0)


async def test_a_call_that_hangs_is_given_up_and_keeps_its_place() -> None:
    threads = Threads("readers", places=1)
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run(0.05, release.wait, 30.0)
    with pytest.raises(Unavailable, match="busy"):
        await threads.run(0.05, divmod, 7, 2)
    release.set()
    assert await threads.run(5.0, divmod, 7, 2) == (3, 1)


async def test_no_more_threads_than_places_run() -> None:
    threads = Threads("readers", places=2)
    lock, running, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    await asyncio.gather(*(threads.run(10.0, work) for _ in range(20)))
    assert most == 2


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    threads = Threads("readers", places=1)
    release = threading.Event()
    stuck = asyncio.create_task(threads.run(10.0, release.wait, 30.0))
    waiting = asyncio.create_task(threads.run(10.0, divmod, 7, 2))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    assert await stuck is True
    assert await threads.run(5.0, divmod, 7, 2) == (3, 1)
