"""Collecting journals into a real store, from a node that a test tells what to answer, on a clock that it moves."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from db.errors import StoreUnavailable
from db.models import AsRunEvent
from db.repositories.as_run import EventFilters
from db.store import Store
from db.transaction import Transaction
from sidecar.protocol.asrun import GENESIS, AsRunRecord, RecordKind, chain_hash, encode_line
from sidecar.protocol.status import ItemOnAir, JournalStatus, Loudness, Status
from supervisor.agent.interface import (
    AgentError,
    Exit,
    JournalLine,
    JournalPage,
    JournalRun,
    LeaseRound,
    NodeReport,
    SidecarBroken,
    SidecarReport,
)
from supervisor.alarms import AlarmBoard
from supervisor.asrun.account import Piece, account
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.loops.collection import Collection
from supervisor.loops.nodes import NodeWatch
from tests.fixtures.agents import until
from tests.unit.test_supervision_watching import HandClock, condition, leadership

AT = "2026-03-01T00:00:10+00:00"
BEGAN = datetime.fromtimestamp(1_700_000_000, UTC)


@dataclass
class Run:
    """One run's journal, and the sidecar that writes it."""

    channel_id: str
    epoch: int = 1
    run_id: str = field(default_factory=lambda: uuid4().hex)
    lines: list[JournalLine] = field(default_factory=list)
    alive: bool = True
    fault: Exception | None = None
    status: Status | None = None

    def write(self, kind: RecordKind, frame: int, **more: object) -> None:
        record = AsRunRecord(
            channel_id=self.channel_id, run_id=self.run_id, epoch=self.epoch, seq=len(self.lines) + 1, kind=kind,
            frame=frame, wall_ns=1_700_000_000_000_000_000 + frame * 40_000_000, rate="25",
            prev=chain_hash(self.lines[-1].line) if self.lines else GENESIS, **more,  # type: ignore[arg-type] - by name
        )  # fmt: skip
        self.lines.append(JournalLine(encode_line(record), record))

    def beat(self, frame: int, item: ItemOnAir | None = None, since: int | None = None) -> None:
        self.status = Status(
            channel_id=self.channel_id, epoch=self.epoch, run_id=self.run_id, pid=7, state="on_air", nonce="n",
            rate="25", frame=frame, frames_late=0, frames_skipped=0, picture="item", reason="", item=item, next=None,
            hold=False, playlist_revision=1, after_last="loop", outputs=(), loudness=Loudness(None, None, None),
            lease_left_ms=None, journal=JournalStatus(self.run_id, len(self.lines), None), skipped=(),
            at=(BEGAN + timedelta(milliseconds=40 * frame)).isoformat(),
            since_frame=since,
        )  # fmt: skip


class Node:
    """The part of a ``NodeAgent`` that collection asks."""

    def __init__(self) -> None:
        self.runs_here: list[Run] = []
        self.listing_fault: OSError | None = None
        self.number = 0

    def run(self, channel_id: str, *, epoch: int = 1) -> Run:
        made = Run(channel_id, epoch)
        made.write("run_start", 0)
        made.write("on_air", 0, cause="arm")
        made.write("item_start", 0, item_id="a", title="A", cause="arm")
        self.runs_here.append(made)
        return made

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        self.number += 1
        told = tuple(
            SidecarReport(
                run.channel_id, run.epoch, 7, None if run.alive else Exit(-9), 1, 1, run.status, 0.1, 4, "", None
            )
            for run in self.runs_here
        )
        return NodeReport(self.number, self.number, told, condition(HandClock()))

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        if self.listing_fault:
            raise self.listing_fault
        return tuple(
            JournalRun(run.channel_id, run.run_id, run.epoch, run.alive)
            for run in self.runs_here
            if run.run_id not in known.get(run.channel_id, ())
        )

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        (run,) = [it for it in self.runs_here if it.run_id == run_id]
        if run.fault:
            raise run.fault
        return JournalPage(run_id, tuple(run.lines[after : after + limit]), len(run.lines), run.alive)


class ForgetfulStore(Store):
    """The real store; ``fails`` of its next writes are undone at their end."""

    fails = 0

    @asynccontextmanager
    async def _failing(self, real: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        async with real as tx:
            yield tx
            if self.fails:
                self.fails -= 1
                raise StoreUnavailable("a test took it away")

    def write(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        return self._failing(super().write(timeout=timeout))


class Here:
    def __init__(self, store: ForgetfulStore) -> None:
        self.store = store
        self.clock = HandClock()
        self.node = Node()
        self.events = Events()
        self.lease = leadership(store, self.clock, "here", [], seize=True)
        self.alarms = AlarmBoard(store, self.events, self.clock, self.lease, changed=lambda _: None)
        self.watch = NodeWatch("", "here", self.node, self.clock, Timing(), lambda _: None)  # type: ignore[arg-type]
        self.collection: Collection

    async def begin(self) -> None:
        async with self.store.write() as tx:
            self.watch.node_id = (await tx.nodes.local(uuid4().hex, "here", datetime.now(UTC), alone=True)).id
        self.collection = self.collector()

    def collector(self) -> Collection:
        return Collection(
            self.watch, self.store, self.events, self.alarms, self.clock, Timing(), lambda: self.lease.fence
        )

    async def channel(self, number: int) -> str:
        async with self.store.write() as tx:
            row = await tx.channels.add(
                {"name": f"C{number}", "width": 320, "height": 180, "rate": "25", "after_last": "loop"},
                [("hls", "")],
                self.clock.now(),
            )
        return row.id

    async def round(self, after: float = 1.0, undone: int = 0) -> None:
        self.clock.seconds += after
        await self.lease.attempt()
        await self.watch.refresh()
        self.store.fails = undone
        await self.collection.round()

    async def events_of(self, channel_id: str) -> list[AsRunEvent]:
        async with self.store.read() as tx:
            return list(await tx.as_run.events(EventFilters(channel_id=channel_id, newest_first=False), limit=100))

    async def open_alarms(self, code: str) -> list[tuple[str | None, str]]:
        async with self.store.read() as tx:
            return [(row.channel_id, row.text) for row in await tx.alarms.list() if row.code == code]

    async def alarmed(self, code: str, *channel_ids: str | None) -> None:
        async def told() -> bool:
            return sorted(map(str, channel_ids)) == sorted(str(id_) for id_, _ in await self.open_alarms(code))

        await until(told, 5.0, f"{code} open for {channel_ids}")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    store = ForgetfulStore(f"sqlite:///{tmp_path / 'mcr.db'}")
    await store.migrate()
    made = Here(store)
    await made.begin()
    board = asyncio.create_task(made.alarms.run())
    yield made
    board.cancel()
    await asyncio.gather(board, return_exceptions=True)
    await store.close()


@pytest.mark.parametrize(
    "fault", [SidecarBroken("nobody can read it"), ValueError("not an id: 'lost+found'"), OSError("Input/output error")]
)
async def test_one_channel_that_cannot_be_collected_is_told_and_holds_up_no_other(here: Here, fault: Exception) -> None:
    """P4: an alarm after 30 s, over when all is collected, in a supervisor begun meanwhile too."""
    bad, good = here.node.run(await here.channel(1)), here.node.run(await here.channel(2))
    bad.fault = fault
    await here.round()
    assert [event.title for event in await here.events_of(good.channel_id)] == ["A"]
    await here.round(after=29.0)
    assert await here.open_alarms("asrun_behind") == []
    await here.round()
    await here.alarmed("asrun_behind", bad.channel_id)
    ((_, text),) = await here.open_alarms("asrun_behind")
    assert str(fault) in text
    bad.fault = None
    here.collection = here.collector()
    await here.round()
    await here.alarmed("asrun_behind")
    assert [event.title for event in await here.events_of(bad.channel_id)] == ["A"]


async def test_a_journal_that_is_not_listed_though_its_sidecar_writes_is_told(here: Here) -> None:
    """P4: what should be there is what the sidecar itself says."""
    run = here.node.run(await here.channel(1))
    run.beat(5)
    here.node.runs = _nothing  # type: ignore[method-assign] - a disk that shows nothing
    await here.round()
    await here.round(after=30.0)
    await here.alarmed("asrun_behind", run.channel_id)


async def _nothing(known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
    return ()


async def test_a_node_whose_journals_cannot_be_listed_is_told(here: Here) -> None:
    here.node.listing_fault = PermissionError("journal: Permission denied")
    await here.round()
    await here.round(after=30.0)
    await here.alarmed("asrun_behind", None)


async def test_a_write_that_was_undone_leaves_no_trace_in_what_is_collected_next(here: Here) -> None:
    """P4: events are of what was committed, not of what was tried."""
    run = here.node.run(await here.channel(1))
    await here.round()
    run.write("item_end", 50, item_id="a", title="A", cause="ended", frames=50)
    run.write("item_start", 50, item_id="b", title="B", cause="follow")
    await here.round(undone=1)
    assert [(it.title, it.status) for it in await here.events_of(run.channel_id)] == [("A", "on air")]
    run.write("item_end", 60, item_id="b", title="B", cause="ended", frames=10)
    await here.round()
    assert [(it.title, it.frames) for it in await here.events_of(run.channel_id)] == [("A", 50), ("B", 10)]
    await here.alarmed("asrun_behind")


@pytest.mark.parametrize(
    ("item_id", "started", "frames", "how"),
    [("a", 0, 1500, "heard by heartbeat"), ("b", 700, 0, "last record"), ("a", 700, 0, "last record")],
    ids=["the item that is open", "another item", "the same item, begun anew"],
)
async def test_a_killed_run_is_proven_to_the_last_heartbeat_of_its_item(
    here: Here, item_id: str, started: int, frames: int, how: str
) -> None:
    """P4: the middle of a long item leaves no record; the row says how it is known, and its end stays unknown."""
    run = here.node.run(await here.channel(1))
    run.beat(1500, ItemOnAir(item_id, "A", 1, 1500 - started, None, started, AT))
    await here.round()
    run.alive = False
    await here.round()
    (event,) = await here.events_of(run.channel_id)
    assert (event.status, event.frames) == ("unknown end", frames)
    assert how in event.detail


@pytest.mark.parametrize(
    ("kind", "cause", "since", "proven"),
    [("filler_start", "gap", 100, 1400), ("freeze_start", "hold", 100, 1400), ("filler_start", "gap", 700, 0)],
    ids=["filler", "a held picture", "another clip of filler, whose record did not come"],
)
async def test_what_is_no_item_is_proven_to_the_last_heartbeat_too(
    here: Here, kind: RecordKind, cause: str, since: int, proven: int
) -> None:
    """P4: filler leaves no record in its middle either, and was on air."""
    run = here.node.run(await here.channel(1))
    run.write("item_end", 100, item_id="a", title="A", cause="ended", frames=100)
    run.write(kind, 100, cause=cause)
    run.beat(1500, since=since)
    await here.round()
    run.alive = False
    await here.round()
    item, filler = await here.events_of(run.channel_id)
    assert (filler.kind, filler.status, filler.frames) == ("filler", "unknown end", proven)
    totals = account(map(Piece.of, (item, filler)), item.start_at, item.start_at + timedelta(minutes=2), "25")
    assert (totals.aired, totals.filler, totals.off_air) == (100, proven, 2900 - proven)


async def test_a_live_input_that_came_back_is_proven_by_the_heartbeats_after_its_return(here: Here) -> None:
    run = here.node.run(await here.channel(1))
    run.write("live_lost", 100, item_id="a", title="A", cause="live lost")
    run.write("live_back", 150, item_id="a", title="A", cause="live back", frames=50)
    run.beat(1500, ItemOnAir("a", "A", 1, 1500, None, 0, AT), since=150)
    await here.round()
    run.alive = False
    await here.round()
    told = [(event.kind, event.start_frame, event.frames) for event in await here.events_of(run.channel_id)]
    assert told == [("item", 0, 100), ("filler", 100, 50), ("item", 150, 1350)]


async def test_a_run_that_is_complete_is_not_asked_again(here: Here) -> None:
    run = here.node.run(await here.channel(1))
    await here.round()
    run.alive = False
    await here.round()
    run.fault = AgentError("asked again")
    here.collection = here.collector()
    await here.round()
    await here.round(after=60.0)
    await here.alarmed("asrun_behind")
