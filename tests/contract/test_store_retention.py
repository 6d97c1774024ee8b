"""What is old goes, by steps; what is open, owed or young stays."""

from datetime import datetime, timedelta

import pytest

from db.errors import Inconsistent
from db.repositories.as_run import EventFilters
from db.repositories.events import NewEvent
from db.repositories.leader import Fence
from db.store import Store
from supervisor.asrun.spans import span_between
from supervisor.asrun.verifying import Verifying
from supervisor.kept import Kept
from supervisor.retention import RetentionJob
from supervisor.threads import Threads
from tests.fixtures.as_run import Part, air

CHANNEL = "c" * 32
DAY = timedelta(days=1)


class Now:
    """Stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def jump(self, by: timedelta) -> None:
        self._now += by

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        del seconds


async def leads(store: Store) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("test", "", 60, seize=False)
        assert leadership is not None
        return leadership.fence


async def round_of(store: Store, now: datetime, kept: Kept) -> None:
    fence = await leads(store)
    await RetentionJob(store, Now(now), kept, lambda: fence).round()


async def test_an_alarm_goes_when_it_was_cleared_long_ago_and_an_open_one_never(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        for code in ("cleared", "open"):
            await tx.alarms.raise_once(code, None, None, "warning", code, now - 900 * DAY)
        await tx.alarms.clear("cleared", None, None, now - 500 * DAY)
        await tx.events.add([NewEvent(now - 40 * DAY, "leader", "old"), NewEvent(now, "leader", "new")])
    await round_of(store, now, Kept(history=0, alarms=0))
    async with store.read() as tx:
        assert len(await tx.alarms.list(open_only=False)) == 2
        assert len(await tx.events.list()) == 2
    await round_of(store, now, Kept())
    async with store.read() as tx:
        assert [it.code for it in await tx.alarms.list(open_only=False)] == ["open"]
        assert [it.text for it in await tx.events.list()] == ["new"]


async def test_the_audit_goes_after_its_time_and_the_database_keeps_90_days(real_store: Store, now: datetime) -> None:
    """P7. By the database's own clock, so these rows are of real days."""
    async with real_store.write() as tx:
        for age in (500, 100, 0):
            await tx.audit.add(datetime.now(now.tzinfo) - age * DAY, "ann", "unix", "take", f"{age}", "done", {})
    await round_of(real_store, datetime.now(now.tzinfo), Kept())
    async with real_store.read() as tx:
        assert [it.target for it in await tx.audit.list()] == ["0", "100"]
    with pytest.raises(Inconsistent):
        async with real_store.write() as tx:
            await tx.retention.audit(datetime.now(now.tzinfo) + DAY)
    async with real_store.read() as tx:
        assert [it.target for it in await tx.audit.list()] == ["0", "100"], "half a step was done"


async def test_what_cannot_be_taken_away_keeps_nothing_else(real_store: Store, now: datetime) -> None:
    """A clock that is far ahead of the database's: the audit is refused, and the log comes after it."""
    today = datetime.now(now.tzinfo)
    async with real_store.write() as tx:
        await tx.audit.add(today, "ann", "unix", "take", "young", "done", {})
    await air(real_store, CHANNEL, "a" * 32, 1, today, [Part("x", 50)])
    await round_of(real_store, today + 500 * DAY, Kept(asrun=7))
    async with real_store.read() as tx:
        assert [it.target for it in await tx.audit.list()] == ["young"]
        assert await tx.as_run.records(CHANNEL, "a" * 32) == []


async def test_a_clock_that_is_a_little_ahead_of_the_databases_keeps_no_audit_for_ever(
    real_store: Store, now: datetime
) -> None:
    today = datetime.now(now.tzinfo)
    ahead = timedelta(minutes=30)
    async with real_store.write() as tx:
        for target, age in (("old", 91 * DAY), ("too young", 90 * DAY - ahead / 2)):
            await tx.audit.add(today - age, "ann", "unix", "take", target, "done", {})
    await round_of(real_store, today + ahead, Kept(audit=90))
    async with real_store.read() as tx:
        assert [it.target for it in await tx.audit.list()] == ["too young"]


async def test_the_log_goes_by_whole_runs_and_never_what_is_owed(store: Store, now: datetime) -> None:
    """P4: of what waits to be delivered nothing goes, and of no run a part."""
    for epoch, (name, age) in enumerate((("a", 40), ("b", 30), ("d", 1)), 1):
        await air(store, CHANNEL, name * 32, epoch, now - age * DAY, [Part("x", 50), Part("y", 50)])

    async def left() -> str:
        async with store.read() as tx:
            runs = [run.run_id for run in await tx.as_run.runs(CHANNEL)]
            found = [run_id for run_id in runs if await tx.as_run.records(CHANNEL, run_id)]
            events = await tx.as_run.events(EventFilters(channel_id=CHANNEL))
        assert {event.run_id for event in events} == set(found)
        assert len(runs) == 3, "its node would send it again"
        return "".join(run_id[0] for run_id in found)

    await round_of(store, now, Kept())
    assert await left() == "abd", "for ever, unless the station says otherwise"
    async with store.write() as tx:
        day = now - 40 * DAY
        issue = await tx.as_run_issues.add(CHANNEL, f"{day:%Y-%m-%d}", "test", now, begins=day, ends=day + DAY)
    await round_of(store, now, Kept(asrun=7))
    assert await left() == "abd", "a day is not delivered"
    async with store.write() as tx:
        await tx.as_run_issues.change(issue, state="delivered")
    await round_of(store, now, Kept(asrun=35))
    assert await left() == "bd"
    await round_of(store, now, Kept(asrun=7))
    assert await left() == "d"


async def test_a_run_whose_nodes_clock_was_years_behind_stays_as_long_as_the_one_before_it(
    store: Store, now: datetime
) -> None:
    """P4: a machine that starts without its time server is of the year 2000. What it airs is of today."""
    for epoch, (name, age) in enumerate((("a", 3), ("b", 9000), ("d", 9000)), 1):
        await air(store, CHANNEL, name * 32, epoch, now - age * DAY, [Part("x", 50)])
    await round_of(store, now, Kept(asrun=7))
    async with store.read() as tx:
        assert all([await tx.as_run.records(CHANNEL, name * 32) for name in "abd"])
    for _ in range(2):
        await round_of(store, now + 10 * DAY, Kept(asrun=7))
    async with store.read() as tx:
        assert not any([await tx.as_run.records(CHANNEL, name * 32) for name in "abd"])


async def test_what_is_kept_of_the_log_is_proven_though_what_it_follows_was_taken_away(
    real_store: Store, now: datetime
) -> None:
    """P4: and of the days that went nothing is said to be whole."""
    ages = (40, 30, 2, 1)
    for epoch, age in enumerate(ages, 1):
        await air(real_store, CHANNEL, "abde"[epoch - 1] * 32, epoch, now - age * DAY, [Part("x", 50), Part("y", 50)])

    async def faults(age: int) -> list[str]:
        start = now - age * DAY
        of = span_between(None, CHANNEL, start - timedelta(hours=1), start + timedelta(hours=1), "25")
        return (await Verifying(real_store, Threads("test", places=1)).verify(of, now)).faults

    assert [await faults(age) for age in ages] == [[], [], [], []]
    await round_of(real_store, now, Kept(asrun=7))
    assert [await faults(age) for age in ages[2:]] == [[], []]
    for age in ages[:2]:
        (fault,) = await faults(age)
        assert "its records were taken away" in fault
    async with real_store.write() as tx:
        first = (await tx.as_run.runs(CHANNEL))[1]
        first.taken_hash = "0" * 64
    (fault,) = await faults(2)
    assert "does not follow from the one before it" in fault


async def test_nothing_goes_by_a_clock_that_jumped(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.alarms.raise_once("cleared", None, None, "warning", "cleared", now)
        await tx.alarms.clear("cleared", None, None, now)
    fence = await leads(store)
    clock = Now(now)
    job = RetentionJob(store, clock, Kept(), lambda: fence)
    clock.jump(900 * DAY)
    await job.round()
    async with store.read() as tx:
        assert len(await tx.alarms.list(open_only=False)) == 1
