"""Watching a node, owning tasks and trusting a lease, on a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from db.elector import StoreElector
from db.store import Store
from sidecar.protocol.status import JournalStatus, Loudness, Status
from supervisor.agent.interface import (
    AgentAway,
    Exit,
    LeaseRound,
    NodeCondition,
    NodeReport,
    OtherCluster,
    SidecarReport,
)
from supervisor.agent.watched import Watched as WatchedSidecar
from supervisor.clock import SystemClock
from supervisor.decisions.timing import Timing
from supervisor.loops.leadership import Leadership
from supervisor.loops.nodes import NodeWatch
from supervisor.nursery import Nursery

CHANNEL = "c" * 32


class HandClock:
    """Stands still until it is moved; ``sleep`` moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


def condition(clock: HandClock, incarnation: str = "i") -> NodeCondition:
    return NodeCondition(incarnation, "b", "1", "process", frozenset({"ffmpeg"}), (), clock.now(), 0.1)


class ToldAgent:
    """Answers what a test tells, a round at a time. ``NodeWatch`` asks nothing else of an agent."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.number = self.polls = self.answers = self.frame = 0
        self.away = False
        self.elsewhere = False
        self.stuck = False
        self.exit: Exit | None = None

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        if self.away:
            raise AgentAway("no route")
        if self.elsewhere:
            raise OtherCluster("it belongs to another cluster")
        if self.stuck and seen == self.number:
            self.clock.seconds += wait
        status = Status(
            channel_id=CHANNEL, epoch=1, run_id="r", pid=7, state="on_air", nonce="n", rate="25", frame=self.frame,
            frames_late=0, frames_skipped=0, picture="item", reason="", item=None, next=None, hold=False,
            playlist_revision=1, after_last="loop", outputs=(), loudness=Loudness(None, None, None), lease_left_ms=None,
            journal=JournalStatus("r", 1, None), skipped=(), at="2026-03-01T00:00:00+00:00",
        )  # fmt: skip
        fault = "" if self.polls == self.answers else "no answer"
        sidecar = SidecarReport(CHANNEL, 1, 7, self.exit, self.polls, self.answers, status, 0.1, 4, fault, None)
        return NodeReport(self.number, self.number, (sidecar,), condition(self.clock))

    def round(self, *, answered: bool, after: float = 1.0, frames: int = 25) -> None:
        self.clock.seconds += after
        self.number += 1
        self.polls += 1
        self.answers += answered
        self.frame += frames if answered else 0


class Watched:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.agent = ToldAgent(self.clock)
        self.news: list[Iterable[str] | None] = []
        self.watch = NodeWatch("n", "here", self.agent, self.clock, Timing(), self.news.append)  # type: ignore[arg-type] - only report is asked

    async def round(self, *, answered: bool, after: float = 1.0, frames: int = 25) -> int:
        self.agent.round(answered=answered, after=after, frames=frames)
        await self.watch.look()
        (report,) = self.watch.of(CHANNEL)
        return self.watch.pulse(report).misses


async def test_misses_are_counted_by_rounds_in_a_row() -> None:
    here = Watched()
    assert [await here.round(answered=answered) for answered in (True, False, False, True)] == [0, 1, 2, 0]
    assert here.watch.beats(CHANNEL) == (4, -1, -1, 4)
    assert [await here.round(answered=True, frames=0) for _ in range(3)] == [1, 2, 3]


async def test_what_a_command_told_is_not_taken_back_by_a_report_from_before_it() -> None:
    """P8: the tile shows what was done, and goes on doing so."""
    here = Watched()
    await here.round(answered=True, frames=25)
    here.clock.seconds += 0.5
    (report,) = here.watch.of(CHANNEL)
    assert report.status is not None
    here.news.clear()
    here.watch.heard(CHANNEL, 1, structs.replace(report.status, frame=40, reason="taken"))
    assert here.news == [(CHANNEL,)]
    (report,) = here.watch.of(CHANNEL)
    assert here.watch.age(report) == 0.0
    # It was asked before the command, and is told of after it; its age says nothing of how long it was on its way.
    await here.round(answered=True, after=0.3, frames=10)
    (report,) = here.watch.of(CHANNEL)
    assert report.status is not None
    assert (report.status.frame, report.status.reason) == (40, "taken")
    await here.round(answered=True, frames=25)
    (report,) = here.watch.of(CHANNEL)
    assert report.status is not None
    assert (report.status.frame, report.status.reason) == (60, "")
    here.watch.heard(CHANNEL, 1, structs.replace(report.status, frame=50, reason="another command, answered before"))
    (report,) = here.watch.of(CHANNEL)
    assert report.status is not None
    assert (report.status.frame, report.status.reason) == (60, "")


async def test_an_agent_takes_no_poll_for_news_that_was_asked_before_a_command() -> None:
    """P8: it is a heartbeat, and what it shows is over."""
    here = Watched()
    await here.round(answered=True, frames=25)
    (report,) = here.watch.of(CHANNEL)
    before = report.status
    assert before is not None
    taken = structs.replace(before, frame=40, reason="taken")
    sidecar = WatchedSidecar(None, None)  # type: ignore[arg-type] - neither is asked
    sidecar.answered(before, 1.0, 0.01)
    sidecar.heard(taken, 2.0)
    sidecar.answered(before, 2.1, 0.5)
    assert (sidecar.status, sidecar.answers, sidecar.answered_at) == (taken, 2, 2.1)
    later = structs.replace(before, frame=41)
    sidecar.answered(later, 3.0, 0.01)
    assert sidecar.status == later


async def test_a_late_tick_of_our_own_clears_what_was_missed() -> None:
    """P6: two misses and one after we were away for 40 s are none."""
    here = Watched()
    assert [await here.round(answered=answered) for answered in (True, False, False)] == [0, 1, 2]
    assert await here.round(answered=False, after=40.0) == 0
    assert await here.round(answered=False) == 1


async def test_an_agent_that_is_away_or_stuck_is_not_a_dead_sidecar() -> None:
    """P6: unknown is not dead; no miss of a sidecar is counted while its agent tells nothing."""
    here = Watched()
    assert here.watch.state == "unseen"
    await here.round(answered=True)
    assert here.watch.state == "answers"
    here.agent.away = True
    for _ in range(3):
        await here.watch.look()
    assert here.watch.state == "away"
    here.agent.away = False
    assert await here.round(answered=True) == 0
    assert here.watch.state == "answers"
    here.agent.stuck = True
    began = here.clock.seconds
    while here.watch.state != "away":
        await here.watch.look()
        assert here.clock.seconds - began < 8.0
    (report,) = here.watch.of(CHANNEL)
    assert here.watch.pulse(report).misses == 0


async def test_another_agent_in_its_place_is_not_believed() -> None:
    """P2: a machine set up anew at the same address knows nothing of what the old one started."""
    here = Watched()
    here.watch.incarnation = "another"
    for _ in range(3):
        here.agent.round(answered=True)
        await here.watch.look()
    assert here.watch.state == "away"
    assert here.watch.foreign == "i"
    assert here.watch.of(CHANNEL) == []


async def test_a_node_of_another_cluster_lives_while_it_says_so() -> None:
    """P2: a call that fails is no death; one that is silent as long as any dead node is away, and may play on."""
    here = Watched()

    async def looks(*, away: bool, times: int = 1) -> tuple[bool, bool]:
        here.agent.away = away
        for _ in range(times):
            await here.watch.look()
        return bool(here.watch.other_cluster), here.watch.was_elsewhere

    here.agent.elsewhere = True
    assert await looks(away=False, times=5) == (True, True)
    assert await looks(away=True, times=2) == (True, True)
    assert await looks(away=False) == (True, True)
    assert await looks(away=True, times=2) == (True, True), "misses are counted in a row"
    assert await looks(away=True) == (False, True)
    assert here.watch.state == "away"
    assert await looks(away=False) == (True, True)
    here.agent.elsewhere = False
    assert await looks(away=False) == (False, False)


async def test_a_new_observer_starts_with_no_misses() -> None:
    """P6: what was missed before it watched is not its own."""
    here = Watched()
    here.agent.polls, here.agent.answers = 50, 10
    assert await here.round(answered=True) == 0


async def test_a_failing_task_is_told_and_begun_again_later_and_later() -> None:
    clock, told = HandClock(), []
    nursery = Nursery(clock, lambda name, error: told.append((name, str(error), clock.seconds)))
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 6:
            raise RuntimeError(f"fault {runs}")

    await nursery.keep("work", work)
    assert runs == 6
    assert [(name, error) for name, error, _ in told] == [("work", f"fault {n}") for n in range(1, 6)]
    at = [seconds for _, _, seconds in told]
    assert [round(b - a, 1) for a, b in pairwise(at)] == [0.1, 1.0, 5.0, 10.0]


async def test_closing_a_nursery_ends_what_it_owns() -> None:
    nursery = Nursery(SystemClock())
    began = asyncio.Event()

    async def forever() -> None:
        began.set()
        await asyncio.Event().wait()

    kept, once = nursery.keep("kept", forever), nursery.once("once", forever())
    await began.wait()
    await nursery.close()
    assert kept.cancelled()
    assert once.cancelled()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'mcr.db'}")
    await store.migrate()
    yield store
    await store.close()


def leadership(store: Store, clock: HandClock, holder: str, terms: list[int], *, seize: bool = False) -> Leadership:
    made: list[Leadership] = []
    made.append(
        Leadership(
            StoreElector(store, timeout=5.0, seize=seize), clock, Timing(), holder=holder, address=f"unix:{holder}",
            taken=lambda: terms.append(made[0].standing().term),
        )
    )  # fmt: skip
    return made[0]


async def test_a_lease_is_trusted_by_our_own_clock_from_before_the_attempt(store: Store) -> None:
    """P2: a leader stops before anybody else may start, however slow its store was."""
    clock, terms = HandClock(), list[int]()
    lease = leadership(store, clock, "a", terms)
    assert lease.fence is None
    await lease.attempt()
    assert lease.fence is not None
    clock.seconds += 8.9
    assert lease.fence is not None
    clock.seconds += 0.1
    assert lease.fence is None
    await lease.attempt()
    assert lease.fence is not None
    assert terms == [1]


async def test_a_second_supervisor_waits_unless_it_knows_that_the_first_is_gone(store: Store) -> None:
    clock, terms = HandClock(), list[int]()
    await leadership(store, clock, "a", []).attempt()
    second = leadership(store, clock, "b", terms)
    await second.attempt()
    assert second.fence is None
    assert (second.why_not, second.standing().address) == ("another supervisor leads", "unix:a")
    third = leadership(store, clock, "c", terms, seize=True)
    await third.attempt()
    assert third.fence is not None
    assert third.standing().term == 2
    await third.release()
    await second.attempt()
    assert second.fence is not None
    assert terms == [2, 3]


async def test_a_store_that_is_away_is_told_and_not_raised(tmp_path: Path) -> None:
    """P6."""
    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'mcr.db'}")
    lease = leadership(store, HandClock(), "a", [])
    await lease.attempt()
    assert lease.fence is None
    assert lease.store_fault
    assert lease.why_not == lease.store_fault
    await store.close()


async def test_an_exit_that_is_known_wakes_its_channel_no_more() -> None:
    it = Watched()
    await it.round(answered=True)
    it.agent.exit = Exit(1, "")
    it.news.clear()
    await it.round(answered=True)
    assert [set(news or ()) for news in it.news] == [{CHANNEL}]
    it.news.clear()
    await it.round(answered=True)
    assert it.news == []
    it.agent.away = True
    await it.watch.look()
    it.agent.away = False
    it.news.clear()
    await it.round(answered=True)
    assert [set(news or ()) for news in it.news] == [{CHANNEL}], "that the node answers again is news"
