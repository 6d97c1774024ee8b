"""Alarms are the leader's: one supervisor writes them, and the next goes on from what is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db.elector import StoreElector
from db.store import Store
from supervisor.alarms import AlarmBoard
from supervisor.clock import SystemClock
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.loops.leadership import Leadership
from tests.fixtures.agents import until

CHANNEL = "c" * 32
CODES = ("channel_dark", "channel_hung", "output_down")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'mcr.db'}")
    await store.migrate()
    yield store
    await store.close()


async def codes(store: Store, *, open_only: bool = True) -> set[str]:
    async with store.read() as tx:
        return {row.code for row in await tx.alarms.list(open_only=open_only)}


@asynccontextmanager
async def supervisor(store: Store, name: str) -> AsyncIterator[tuple[Leadership, AlarmBoard, Events]]:
    """One supervisor's lease and alarms; the lease is taken and given back by the test."""
    clock, events = SystemClock(), Events()

    def taken() -> None:
        board.wake()

    lease = Leadership(
        StoreElector(store, timeout=5.0), clock, Timing(), holder=name, address=f"unix:{name}", taken=taken
    )
    board = AlarmBoard(store, events, clock, lease, changed=lambda _: None)
    task = asyncio.create_task(board.run())
    try:
        yield lease, board, events
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


def say(board: AlarmBoard, *wanted: str) -> None:
    board.want(CODES, {code: Wanted("critical", f"{code} says so") for code in wanted}, channel_id=CHANNEL)


async def is_open(store: Store, *wanted: str) -> None:
    async def same() -> bool:
        return await codes(store) == set(wanted)

    await until(same, what=f"open: {wanted}")


async def test_the_next_leader_clears_what_the_one_before_raised(store: Store) -> None:
    """P2: a follower writes nothing; with its term it reads what is open, however late that was raised."""
    async with supervisor(store, "a") as (first, of_first, _), supervisor(store, "b") as (second, of_second, told):
        await first.attempt()
        await second.attempt()
        say(of_second, "output_down")
        say(of_first, "channel_dark")
        await is_open(store, "channel_dark")
        say(of_first, "channel_dark", "channel_hung")
        await is_open(store, "channel_dark", "channel_hung")
        assert of_second.count(CHANNEL) == 0
        assert told.subscribe().position == 0, "a follower publishes nothing"
        await first.release()
        await second.attempt()
        say(of_second, "output_down")
        await is_open(store, "output_down")
        assert await codes(store, open_only=False) == set(CODES)
        # It led once, but what it says now of a channel that another leads changes nothing.
        await first.attempt()
        say(of_first, "channel_dark")
        say(of_second, "output_down", "channel_hung")
        await is_open(store, "output_down", "channel_hung")
        await second.release()
        await first.attempt()
        say(of_first)
        await is_open(store)
