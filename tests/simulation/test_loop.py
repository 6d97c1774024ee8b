"""The loop itself: time jumps, order follows the seed, and what is stopped, paused or killed does not run."""

import asyncio
import random
from collections.abc import Callable, Generator

import pytest

from tests.simulation.clock import SimClock
from tests.simulation.loop import Deadlock, Livelock, SimLoop
from tests.simulation.processes import Host, Process


@pytest.fixture
def loops() -> Generator[Callable[[int], SimLoop]]:
    """Makes loops in which time goes on whatever happens."""
    made: list[SimLoop] = []

    def ticking(seed: int = 1) -> SimLoop:
        loop = SimLoop(random.Random(seed))
        made.append(loop)

        def tick() -> None:
            loop.call_later(0.1, tick)

        tick()
        return loop

    yield ticking
    for loop in made:
        loop.bury([])
        loop.close()


@pytest.fixture
def loop(loops: Callable[[int], SimLoop]) -> SimLoop:
    return loops(1)


def counting(loop: SimLoop, process: Process) -> Callable[[], list[float]]:
    """Notes once a second what the process's monotonic clock shows."""
    clock, seen = SimClock(loop, process.host), list[float]()

    async def count() -> None:
        try:
            while True:
                seen.append(round(clock.monotonic(), 3))
                await clock.sleep(1.0)
        finally:
            seen.append(-1.0)

    loop.spawn(process, count(), "count")
    return lambda: seen


def test_a_stopped_process_stands_and_its_clock_runs_on(loop: SimLoop) -> None:
    process = Process("p", Host("h"))
    seen = counting(loop, process)
    loop.run_until(1.5)
    loop.stop_process(process)
    loop.run_until(5.25)
    loop.cont_process(process)
    loop.run_until(6.5)
    assert seen() == [0.0, 1.0, 5.25, 6.25]


def test_the_clock_of_a_paused_machine_stands(loop: SimLoop) -> None:
    process = Process("p", Host("h", base=100.0))
    seen = counting(loop, process)
    loop.run_until(1.5)
    loop.pause_host(process.host)
    loop.run_until(5.25)
    loop.resume_host(process.host, [process])
    loop.run_until(7.0)
    assert seen() == [100.0, 101.0, 102.0, 103.0]


def test_a_killed_process_runs_not_one_line_more(loop: SimLoop) -> None:
    process = Process("p", Host("h"))
    seen = counting(loop, process)
    loop.run_until(1.5)
    loop.kill(process)
    loop.run_until(5.0)
    assert seen() == [0.0, 1.0]
    loop.bury([process])


def test_the_order_of_what_is_ready_follows_the_seed(loops: Callable[[int], SimLoop]) -> None:
    def order(seed: int) -> list[int]:
        loop, ran = loops(seed), list[int]()
        for number in range(20):
            loop.call_soon(ran.append, number)
        loop.run_until(0.1)
        return ran

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == list(range(20))


def test_work_for_a_thread_is_done_in_the_loop(loop: SimLoop) -> None:

    async def ask() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert loop.run_until_complete(ask()) == 7


def test_waiting_for_nothing_is_an_error() -> None:
    silent = SimLoop(random.Random(1))

    async def wait() -> None:
        await silent.create_future()

    with pytest.raises(Deadlock):
        silent.run_until_complete(wait())
    silent.bury([])
    silent.close()


def test_running_on_without_time_is_an_error(loop: SimLoop) -> None:

    async def spin() -> None:
        for _ in range(10**9):
            await asyncio.sleep(0)

    with pytest.raises(Livelock):
        loop.run_until_complete(spin())
