"""DeckLink ports kept for windows of schedules: who planned first has them, and a start is told whose a port is."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from db.errors import PortTaken
from db.models import Channel, Recorder, Schedule
from db.repositories.ports import PortWanted
from db.repositories.reservations import ReservedWindow
from db.store import Store
from supervisor.schedules.reserving import renew_reservations
from supervisor.schedules.upcoming import read_plans, shown_schedule, shown_upcoming
from supervisor.schemas.schedule import Schedule as Shown

HOUR = timedelta(hours=1)
PLAN: dict[str, object] = {"kind": "once", "weekdays": [], "time_zone": "UTC", "duration_s": 3600}


class Station:
    """Two recorders and a channel at one card."""

    def __init__(self, store: Store, now: datetime, node_id: str, one: Recorder, two: Recorder, news: Channel) -> None:
        self.store, self.now, self.one, self.two, self.news = store, now, one, two, news
        self.port = PortWanted(node_id, "index:1", 1)

    async def plan(self, recorder: Recorder, title: str, at: datetime, **values: object) -> Schedule:
        spec = {**PLAN, "recorder_id": recorder.id, "title": title, "date": f"{at:%Y-%m-%d}", "at": f"{at:%H:%M:%S}"}
        async with self.store.write() as tx:
            row = await tx.schedules.add({**spec, **values}, self.now)
            await renew_reservations(tx, self.now)
        return row

    async def held(self) -> dict[str, list[bool]]:
        async with self.store.read() as tx:
            titles = {row.id: row.title for row in await tx.schedules.list()}
            said: dict[str, list[bool]] = {}
            for row in await tx.reservations.list():
                said.setdefault(titles[row.schedule_id], []).append(row.held)
            return said

    async def shown(self, row: Schedule) -> Shown:
        async with self.store.read() as tx:
            return shown_schedule(row, await read_plans(tx), self.now)

    async def want(self, what: Channel | Recorder, at: datetime) -> None:
        async with self.store.write() as tx:
            nouns = tx.channels if isinstance(what, Channel) else tx.recorders
            row = await nouns.get(what.id)
            await nouns.set_desired(row.id, row.rev, "on", [self.port], at)


@pytest.fixture
async def station(store: Store, now: datetime) -> Station:
    async with store.write() as tx:
        node = await tx.nodes.add(name="mcr-a", kind="agent", now=now)
        card = {"input_kind": "decklink", "device_index": 1, "wanted_node_id": node.id}
        one = await tx.recorders.add({"name": "INGEST", **card}, now)
        two = await tx.recorders.add({"name": "ARCHIVE", **card}, now)
        news = await tx.channels.add({"name": "NEWS", "width": 1280, "height": 720, "rate": "25"}, [], now)
    return Station(store, now, node.id, one, two, news)


async def test_who_planned_first_has_the_port_and_both_are_told(station: Station) -> None:
    at = (station.now + 24 * HOUR).replace(minute=0, second=0, microsecond=0)
    first = await station.plan(station.one, "Evening news", at)
    second = await station.plan(station.two, "Sport", at + HOUR / 2)
    assert await station.held() == {"Evening news": [True], "Sport": [False]}
    for row, other, goes_first in ((first, "Sport", True), (second, "Evening news", False)):
        (clash,) = (await station.shown(row)).clashes
        assert (clash.title, clash.what, clash.goes_first) == (other, "DeckLink port 1", goes_first)
    async with station.store.read() as tx:
        upcoming = shown_upcoming((first, second), await read_plans(tx), station.now, 48 * HOUR)
    assert [(it.title, it.reserved, [clash.owner for clash in it.clashes]) for it in upcoming] == [
        ("Evening news", True, ["recorder ARCHIVE"]), ("Sport", False, ["recorder INGEST"]),
    ]  # fmt: skip


async def test_what_was_planned_first_stays_first_when_something_is_moved_over_it(station: Station) -> None:
    # At noon: what is six hours later is of the same day, whenever this runs.
    at = (station.now + 24 * HOUR).replace(hour=12, minute=0, second=0, microsecond=0)
    moved = await station.plan(station.one, "Moved", at + 6 * HOUR)
    there = await station.plan(station.two, "There", at)
    async with station.store.write() as tx:
        await tx.schedules.update(moved.id, moved.rev, {"at": f"{at:%H:%M:%S}"})
        await renew_reservations(tx, station.now)
    assert await station.held() == {"There": [True], "Moved": [False]}
    async with station.store.write() as tx:
        await tx.schedules.delete(there.id, there.rev)
        await renew_reservations(tx, station.now)
    assert await station.held() == {"Moved": [True]}


async def test_a_clash_that_only_a_change_of_the_clocks_makes_is_seen(store: Store, station: Station) -> None:
    """20:00 in Berlin and 14:15 in New York are an hour and more apart, but not in the weeks in which only one of the
    two has summer time."""
    now = datetime.fromisoformat("2027-03-01T00:00:00+00:00")
    station.now = now
    evening, afternoon = now.replace(hour=20), now.replace(hour=15, minute=15)
    daily: dict[str, object] = {"kind": "daily", "duration_s": 1800}
    await station.plan(station.one, "Berlin", evening, time_zone="Europe/Berlin", **daily)
    other = await station.plan(station.two, "New York", afternoon, time_zone="America/New_York", **daily)
    (clash,) = (await station.shown(other)).clashes
    assert clash.start_at == datetime.fromisoformat("2027-03-14T19:15:00+00:00")
    said = await station.held()
    assert all(said["Berlin"])
    # From the change in America on (14 March) until that in Europe (28 March) both are at 19:00 and 19:15 UTC.
    assert said["New York"].count(False) == 14


async def test_a_port_is_refused_while_it_is_kept_and_only_then(station: Station) -> None:
    at = (station.now + 24 * HOUR).replace(minute=0, second=0, microsecond=0)
    await station.plan(station.one, "Evening news", at)
    for wrong in (station.news, station.two):
        with pytest.raises(PortTaken, match="kept for Evening news of recorder INGEST until") as caught:
            await station.want(wrong, at + HOUR / 2)
        assert (caught.value.owner_kind, caught.value.owner_name) == ("recorder", "INGEST")
        async with station.store.read() as tx:
            assert await tx.ports.list() == []
    await station.want(station.one, at + HOUR / 2)
    async with station.store.write() as tx:
        row = await tx.recorders.get(station.one.id)
        await tx.recorders.set_desired(row.id, row.rev, "off", (), at + HOUR / 2, held_until=at + HOUR)
    # Somebody stopped it: until its window is over nobody waits for the port.
    await station.want(station.news, at + HOUR / 2)


async def test_a_channel_that_has_the_port_is_named_and_keeps_it(station: Station) -> None:
    await station.want(station.news, station.now)
    at = (station.now + 24 * HOUR).replace(minute=0, second=0, microsecond=0)
    row = await station.plan(station.one, "Evening news", at)
    (clash,) = (await station.shown(row)).clashes
    assert (clash.owner, clash.schedule_id, clash.what, clash.start_at) == (
        "channel NEWS", None, "DeckLink port 1", at
    )  # fmt: skip
    # Wanted again, or started again by the leader, within the window: it is its own, and P1 is not asked of a plan.
    await station.want(station.news, at)
    with pytest.raises(PortTaken, match="belongs to channel NEWS"):
        await station.want(station.one, at)


async def test_two_that_plan_at_once_never_both_keep_the_port(station: Station) -> None:
    """P3, ahead of time: on PostgreSQL two transactions do not see each other's rows."""
    at = (station.now + 24 * HOUR).replace(minute=0, second=0, microsecond=0)
    for number in range(10):
        day = at + timedelta(days=number)
        await asyncio.gather(
            station.plan(station.one, f"One {number}", day), station.plan(station.two, f"Two {number}", day)
        )
        said = await station.held()
        assert sorted([*said[f"One {number}"], *said[f"Two {number}"]]) == [False, True]


async def test_many_windows_are_renewed_in_parts(station: Station) -> None:
    row = await station.plan(station.one, "Often", station.now, kind="daily", enabled=False)
    begin = station.now
    many = [
        ReservedWindow(
            station.port.node_id, 1, station.one.id, row.id, begin + number * HOUR, begin + (number + 1) * HOUR,
            begin + number * HOUR, begin + (number + 1) * HOUR,
        )
        for number in range(900)
    ]  # fmt: skip
    async with station.store.write() as tx:
        await tx.reservations.renew(many)
        kept = {it.id for it in await tx.reservations.list()}
        await tx.reservations.renew([replace(many[0], until_at=begin + 2 * HOUR), *many[1:]])
        again = {it.id for it in await tx.reservations.list()}
        assert (len(kept), len(kept & again), len(again)) == (900, 899, 900)
        await tx.reservations.renew([])
        assert await tx.reservations.list() == []
