"""Calls on threads that may hang: a dead disk costs the calls that touch it, never the loop or the end."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from supervisor.errors import Unavailable
from supervisor.threads import Threads


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


def test_a_media_disk_that_hangs_does_not_keep_the_process_from_ending() -> None:
    """P5: a supervisor that is told to shut down ends, whatever its disks do."""
    hang = """
import asyncio, threading
from supervisor.agent.media_disk import MediaDisk, MediaDiskBusy

async def main():
    disk, busy = MediaDisk(), 0
    for _ in range(2):
        try:
            await disk.do(threading.Event().wait)
        except MediaDiskBusy:
            busy += 1
    print(busy)

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", hang], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout.strip() == "2"
