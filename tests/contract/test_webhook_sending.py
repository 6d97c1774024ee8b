"""The outbox is emptied: in order, at least once, whatever a receiver does, and only by who leads."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.repositories.leader import Fence
from db.store import Store
from supervisor.decisions.alarms import Wanted
from supervisor.tally import Tally
from supervisor.webhooks.calling import NotTaken
from supervisor.webhooks.sending import BACKOFF_S, BATCH, Sending
from tests.fixtures.running import eventually

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = "https://a/", "https://b/"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.at += timedelta(seconds=seconds)


class Receivers:
    """``broken`` take nothing, ``stuck`` do not answer, ``odd`` fail as nobody foresaw."""

    def __init__(self) -> None:
        self.took: dict[str, list[str]] = {A: [], B: []}
        self.broken: set[str] = set()
        self.stuck: set[str] = set()
        self.odd: set[str] = set()
        self.calls = 0
        self.then: Callable[[], None] | None = None

    async def call(self, url: str, secret: str, fact_id: str, body: str) -> int:
        self.calls += 1
        if url in self.stuck:
            await asyncio.Event().wait()
        if url in self.odd:
            raise RuntimeError(secret)
        if url in self.broken:
            raise NotTaken("it answered 500")
        self.took[url].append(body)
        if self.then is not None:
            self.then()
        return 200


class Desk:
    def __init__(self, store: Store, fence: Fence | None) -> None:
        self.store, self.fence = store, fence
        self.clock, self.receivers = Hand(), Receivers()
        self.alarms: dict[str, Wanted] = {}
        self.tally = Tally()
        self.sending = Sending(
            store, self.clock, self.receivers, lambda: self.fence, self.want, self.tally, chance=lambda: 1.0
        )

    def want(self, codes: Sequence[str], wanted: Mapping[str, Wanted]) -> None:
        self.alarms = dict(wanted)

    async def round(self) -> None:
        """One look, and whoever is served by it to the end."""
        async with self.store.write() as tx:
            await tx.leader.acquire("test", "", 60, seize=False)
        async with asyncio.TaskGroup() as group:
            await self.sending.look(group)

    async def after(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        await self.round()

    async def post(self, *bodies: str) -> None:
        async with self.store.write() as tx:
            facts = {f"{hash(body) & (2**64 - 1):032x}": body for body in bodies}
            await tx.webhooks.post("alarm", facts, self.clock.now())


@pytest.fixture
async def desk(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Desk]:
    store = Store(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'mcr.db')}")
    async with store.write() as tx:
        held = await tx.leader.acquire("test", "", 60, seize=False)
        for url in (A, B):
            await tx.webhooks.add(url, "s" * 32, "kim", START, alarms=True, asrun=False)
    assert held is not None
    yield Desk(store, held.fence)
    await store.close()


async def test_every_receiver_gets_everything_in_order_and_nothing_stays(desk: Desk) -> None:
    many = [str(number) for number in range(2 * BATCH + 3)]
    await desk.post(*many)
    await desk.round()
    assert desk.receivers.took == {A: many, B: many}
    await desk.round()
    assert desk.receivers.calls == 2 * len(many), "nothing is told twice without need"
    assert desk.tally.webhook_calls == {"taken": 2 * len(many), "refused": 0}
    assert set(desk.tally.webhooks.values()) == {(0, 0)}


async def test_who_takes_nothing_is_tried_later_and_later_and_holds_up_nobody(desk: Desk) -> None:
    desk.receivers.broken = {B}
    await desk.post("one", "two")
    await desk.round()
    assert desk.receivers.took == {A: ["one", "two"], B: []}
    for wait in (*BACKOFF_S, BACKOFF_S[-1]):
        calls = desk.receivers.calls
        await desk.after(wait - 0.1)
        assert desk.receivers.calls == calls, f"not before {wait} s"
        await desk.after(0.2)
        assert desk.receivers.calls == calls + 1, f"after {wait} s, and only the first"
    assert "takes nothing since 12:00:00 UTC: it answered 500" in desk.alarms["webhook_failing"].text
    desk.receivers.broken = set()
    await desk.after(BACKOFF_S[-1])
    assert desk.receivers.took[B] == ["one", "two"]
    await desk.round()
    assert desk.alarms == {}


async def test_who_does_not_answer_holds_up_nobody_either(desk: Desk) -> None:
    desk.receivers.stuck = {B}
    await desk.post("one")
    running = asyncio.create_task(desk.sending.run())

    async def told(*bodies: str) -> bool:
        return desk.receivers.took[A] == list(bodies)

    try:
        await eventually(lambda: told("one"), "one told", deadline_s=30.0)
        await desk.post("two")
        await eventually(lambda: told("one", "two"), "two told", deadline_s=30.0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert desk.receivers.took[B] == []


async def only_a(desk: Desk) -> None:
    """Both are called beside each other: which one first is chance."""
    async with desk.store.write() as tx:
        await tx.webhooks.delete(next(hook.id for hook in await tx.webhooks.list() if hook.url == B))


async def test_what_was_taken_and_not_written_down_is_told_again(desk: Desk) -> None:
    """As of a supervisor that is ended, or replaced, between the two."""
    await only_a(desk)
    await desk.post("one")
    fence = desk.fence
    desk.receivers.then = lambda: setattr(desk, "fence", None)
    await desk.round()
    assert desk.receivers.took[A] == ["one"]
    desk.receivers.then, desk.fence = None, fence
    await desk.round()
    assert desk.receivers.took[A] == ["one", "one"]


async def test_a_call_that_fails_as_nobody_foresaw_is_tried_later_and_later_too(desk: Desk) -> None:
    desk.receivers.odd = {B}
    await desk.post("one")
    await desk.round()
    calls = desk.receivers.calls
    await desk.after(BACKOFF_S[0] - 0.1)
    assert desk.receivers.calls == calls
    await desk.after(0.2)
    assert desk.receivers.calls == calls + 1
    async with desk.store.read() as tx:
        (_, hook) = await tx.webhooks.list()
    assert hook.fault == "it could not be called: RuntimeError"


async def test_who_leads_no_more_tells_nothing_further(desk: Desk) -> None:
    await only_a(desk)
    await desk.post("one", "two", "three")
    desk.receivers.then = lambda: setattr(desk, "fence", None)
    await desk.round()
    assert desk.receivers.took[A] == ["one"]


async def test_who_does_not_lead_tells_nobody(desk: Desk) -> None:
    fence, desk.fence = desk.fence, None
    await desk.post("one")
    await desk.round()
    assert desk.receivers.calls == 0
    assert fence is not None
    desk.fence = Fence(fence.holder, fence.term + 1)
    await desk.round()
    async with desk.store.read() as tx:
        lengths = await tx.webhooks.lengths()
    assert [length.waiting for length in lengths.values()] == [1, 1], "a leader that was replaced writes nothing down"


async def test_what_is_not_taken_for_a_day_is_given_up_and_said(desk: Desk) -> None:
    desk.receivers.broken = {B}
    await desk.post("old")
    await desk.round()
    await desk.after(timedelta(hours=24, minutes=1).total_seconds())
    await desk.post("new")
    await desk.after(60.0)
    await desk.round()
    assert "1 deliveries to webhook" in desk.alarms["webhook_dead"].text
    desk.receivers.broken = set()
    await desk.after(BACKOFF_S[-1])
    assert desk.receivers.took[B] == ["new"]
    async with desk.store.write() as tx:
        (_, hook) = await tx.webhooks.list()
        assert await tx.webhooks.retry(hook.id, desk.clock.now()) == 1
    await desk.round()
    assert desk.receivers.took[B] == ["new", "old"]
    await desk.round()
    assert desk.alarms == {}
