"""Alarms are the leader's: one supervisor writes them, and the next goes on from what is open."""

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.elector import StoreElector
from db.errors import StoreUnavailable
from db.store import Store
from db.transaction import Transaction
from supervisor.alarms import AlarmBoard
from supervisor.clock import SystemClock
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.loops.leadership import Leadership
from supervisor.schemas.alarm import Alarm
from tests.fixtures.agents import until

LONG = Timing(lease_ttl=55.0)
"""Leases are taken and given back by the tests, and run out in none, however busy the machine."""
CODES = ("channel_dark", "channel_hung", "output_down")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'mcr.db'}")
    await store.migrate()
    async with store.write() as tx:
        values = {"name": "news", "width": 640, "height": 360, "rate": "25"}
        await tx.channels.add(values, [], datetime.now(UTC))
    yield store
    await store.close()


@pytest.fixture
async def channel_id(store: Store) -> str:
    async with store.read() as tx:
        (row,) = await tx.channels.list()
    return row.id


async def codes(store: Store, *, open_only: bool = True) -> set[str]:
    async with store.read() as tx:
        return {row.code for row in await tx.alarms.list(open_only=open_only)}


@asynccontextmanager
async def supervisor(
    store: Store, name: str, recorders: Container[str] = ()
) -> AsyncIterator[tuple[Leadership, AlarmBoard, Events]]:
    """One supervisor's lease and alarms; the lease is taken and given back by the test."""
    clock, events = SystemClock(), Events()

    def taken() -> None:
        board.wake()

    lease = Leadership(StoreElector(store, timeout=5.0), clock, LONG, holder=name, address=f"unix:{name}", taken=taken)
    board = AlarmBoard(store, events, clock, lease, lambda _: None, lambda id_: id_ in recorders)
    task = asyncio.create_task(board.run())
    try:
        yield lease, board, events
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


def say(board: AlarmBoard, channel_id: str, *wanted: str) -> None:
    board.want(CODES, {code: Wanted("critical", f"{code} says so") for code in wanted}, channel_id=channel_id)


async def is_open(store: Store, *wanted: str) -> None:
    async def same() -> bool:
        return await codes(store) == set(wanted)

    await until(same, what=f"open: {wanted}")


async def test_the_next_leader_clears_what_the_one_before_raised(store: Store, channel_id: str) -> None:
    """P2: a follower writes nothing; with its term it reads what is open, however late that was raised."""
    async with supervisor(store, "a") as (first, of_first, _), supervisor(store, "b") as (second, of_second, told):
        await first.attempt()
        await second.attempt()
        say(of_second, channel_id, "output_down")
        say(of_first, channel_id, "channel_dark")
        await is_open(store, "channel_dark")
        say(of_first, channel_id, "channel_dark", "channel_hung")
        await is_open(store, "channel_dark", "channel_hung")
        assert of_second.count(channel_id) == 0
        assert not told.published, "a follower publishes nothing"
        await first.release()
        await second.attempt()
        say(of_second, channel_id, "output_down")
        await is_open(store, "output_down")
        assert await codes(store, open_only=False) == set(CODES)
        # It led once, but what it says now of a channel that another leads changes nothing.
        await first.attempt()
        say(of_first, channel_id, "channel_dark")
        say(of_second, channel_id, "output_down", "channel_hung")
        await is_open(store, "output_down", "channel_hung")
        await second.release()
        await first.attempt()
        say(of_first, channel_id)
        await is_open(store)


async def test_a_deleted_channels_alarms_are_over_with_the_next_term(store: Store, channel_id: str) -> None:
    """It was deleted while another led, or none: nobody is left who would say that they are over."""
    async with supervisor(store, "a") as (first, of_first, _), supervisor(store, "b") as (second, of_second, _):
        await first.attempt()
        say(of_first, channel_id, "channel_dark")
        of_first.want(("agent_away",), {"agent_away": Wanted("critical", "n7 is away")}, node_id="7" * 32)
        await is_open(store, "channel_dark", "agent_away")
        await first.release()
        async with store.write() as tx:
            row = await tx.channels.get(channel_id)
            await tx.channels.delete(channel_id, rev=row.rev)
        await second.attempt()
        of_second.wake()
        await is_open(store)


async def test_a_damaged_log_is_an_alarm_until_somebody_has_seen_it(store: Store, channel_id: str) -> None:
    async with supervisor(store, "a") as (lease, board, _):
        await lease.attempt()
        damaged = {"asrun_chain_broken": Wanted("critical", "line 7 was changed")}
        board.want(damaged, damaged, channel_id=channel_id)
        say(board, channel_id, "channel_dark")
        await is_open(store, "asrun_chain_broken", "channel_dark")
        for code in ("asrun_chain_broken", "channel_dark"):
            board.acknowledged(code, channel_id, None)
        await is_open(store, "channel_dark")


async def test_what_ends_while_it_is_written_is_cleared(
    store: Store, channel_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel is deleted in the very moment at which its first alarm is on its way to the store."""
    async with supervisor(store, "a") as (lease, board, _):
        await lease.attempt()
        write = store.write

        @asynccontextmanager
        async def slow(*, timeout: float | None = None) -> AsyncIterator[Transaction]:
            async with write(timeout=timeout) as tx:
                yield tx
            board.forget_channel(channel_id)

        monkeypatch.setattr(store, "write", slow)
        say(board, channel_id, "channel_dark")

        async def was_raised() -> bool:
            return await codes(store, open_only=False) == {"channel_dark"}

        await until(was_raised)
        await is_open(store)


async def test_a_thousand_alarms_at_once_are_all_written_and_all_cleared(store: Store) -> None:
    """More than one transaction takes: after a power cut every channel is dark at the same time."""
    channels = [f"{number:032x}" for number in range(1000)]
    async with supervisor(store, "one") as (lease, board, _):
        await lease.attempt()
        for channel_id in channels:
            say(board, channel_id, "channel_dark")

        async def all_are_open() -> bool:
            async with store.read() as tx:
                return len(await tx.alarms.list(open_only=True)) == len(channels)

        await until(all_are_open, what="a thousand alarms are open")
        await until(lambda: {board.count(channel_id) for channel_id in channels} == {1}, what="one each")
        for channel_id in channels:
            say(board, channel_id)
        await is_open(store)
        await until(lambda: {board.count(channel_id) for channel_id in channels} == {0}, what="none any more")


async def test_an_alarm_that_the_store_cannot_take_says_what_the_station_wants_done(
    store: Store, channel_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.write() as tx:
        await tx.instructions.set(channel_id, None, None, "crosspoint 12", "kim", datetime.now(UTC))
    async with supervisor(store, "a") as (lease, board, events):
        await lease.attempt()
        say(board, channel_id, "channel_dark")
        await is_open(store, "channel_dark")
        told: list[Alarm] = []
        events.listeners.append(lambda payload: told.append(payload) if isinstance(payload, Alarm) else None)

        @asynccontextmanager
        async def away(*, timeout: float | None = None) -> AsyncIterator[Transaction]:
            async with store.read(timeout=timeout) as tx:
                raise StoreUnavailable("it is away")
                yield tx

        monkeypatch.setattr(store, "write", away)
        board.instruct({(channel_id, ""): "crosspoint 13"})
        say(board, channel_id, "channel_dark", "output_down")

        async def is_told() -> bool:
            return [alarm.instruction for alarm in told] == ["crosspoint 13"]

        await until(is_told, what="published without the store")


async def test_an_alarm_of_a_recorder_is_its_own(store: Store, channel_id: str) -> None:
    """And is not taken for one of a channel that is gone, with the next term."""
    async with store.write() as tx:
        recorder = await tx.recorders.add({"name": "Ingest", "input_kind": "test"}, datetime.now(UTC))
    recorders = {recorder.id}
    async with (
        supervisor(store, "a", recorders) as (first, of_first, _),
        supervisor(store, "b", recorders) as (second, of_second, _),
    ):
        await first.attempt()
        say(of_first, recorder.id, "output_down")
        say(of_first, channel_id, "channel_dark")
        await is_open(store, "output_down", "channel_dark")
        async with store.read() as tx:
            owners = {row.code: (row.channel_id, row.recorder_id) for row in await tx.alarms.list()}
            assert await tx.alarms.orphans() == []
        assert owners == {"output_down": (None, recorder.id), "channel_dark": (channel_id, None)}
        await first.release()
        await second.attempt()
        say(of_second, recorder.id, "channel_hung")
        await is_open(store, "channel_hung", "channel_dark")
