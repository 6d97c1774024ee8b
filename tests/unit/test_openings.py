"""What streams that begin together begin with: how many snapshots are made for them, and how new each one is."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from supervisor.api.openings import TOGETHER, Opening, Openings
from supervisor.api.snapshot import Taken
from supervisor.events import Events
from supervisor.schemas.event import PlaylistChanged, Reset, SupervisorInfo

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Station:
    """Its snapshots tell by their term how many things had happened when they were begun, or when they were remembered.
    Each takes until it is let go on."""

    def __init__(self) -> None:
        self.events = Events(boot_id="boot")
        self.openings = Openings(self.events, self.take)
        self.happened = 0
        self.taken = 0
        self.is_there = True
        self.fails_once = False
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def happen(self) -> None:
        self.happened += 1
        self.events.publish("playlist", PlaylistChanged(playlist_id="1" * 32, revision=self.happened, channel_ids=()))

    async def take(self) -> Taken:
        self.taken += 1
        seen = self.happened
        self.begun.set()
        await self.go_on.wait()
        if self.fails_once:
            self.fails_once = False
            raise RuntimeError("a fault of its own")
        return Taken(self.reset(seen if self.is_there else self.happened), is_read=self.is_there)

    @staticmethod
    def reset(seen: int) -> Reset:
        info = SupervisorInfo(name="n", version="0", boot_id="boot", leader=True, term=seen, loop_lag_ms=0.0, at=NOW)
        return Reset(supervisor=info, channels=(), nodes=(), alarms=())

    def come(self) -> asyncio.Task[Opening]:
        return asyncio.create_task(self.openings.next())


async def _all(coming: list[asyncio.Task[Opening]]) -> list[Opening]:
    async with asyncio.timeout(60):
        return await asyncio.gather(*coming)


async def test_consoles_that_come_together_share_a_snapshot() -> None:
    station = Station()
    opened = await _all([station.come() for _ in range(200)])
    assert station.taken == 1
    frames = [one.event(one.reset).frame for one in opened]
    assert all(frame is frames[0] for frame in frames), "it was written more than once"


async def test_who_comes_while_one_is_made_gets_a_later_one() -> None:
    """It may have been read before what the console's own operator just did."""
    station = Station()
    station.go_on.clear()
    first = station.come()
    await station.begun.wait()
    station.happen()
    later = [station.come() for _ in range(100)]
    await asyncio.sleep(0)
    station.go_on.set()
    opened = await _all([first, *later])
    assert [one.reset.supervisor.term for one in opened] == [0, *[1] * 100]
    assert station.taken == 2


async def test_who_comes_alone_later_gets_one_as_new() -> None:
    station = Station()
    await station.openings.next()
    station.happen()
    opened = await station.openings.next()
    assert opened.reset.supervisor.term == 1


async def test_nothing_is_missed_after_it_and_nothing_told_twice() -> None:
    station = Station()
    reader = station.events.subscribe()
    station.happen()
    station.go_on.clear()
    coming = station.come()
    await station.begun.wait()
    station.happen()
    station.go_on.set()
    opened = await coming
    reader.pass_over(opened.place)
    reader.close()
    assert opened.event(opened.reset).id == "boot-1"
    assert [event.id async for event in reader] == ["boot-2"]


async def test_what_waited_before_the_snapshot_does_not_count_against_a_reader() -> None:
    station = Station()
    reader = station.events.subscribe()
    for _ in range(500):
        station.happen()
    reader.pass_over((await station.openings.next()).place)
    for _ in range(500):
        station.happen()
    assert not reader.dropped


async def test_each_sees_what_is_theirs() -> None:
    station = Station()
    opened = await station.openings.next()
    mine = opened.reset.model_copy(update={"supervisor": Station.reset(7).supervisor})
    assert '"term":7' in opened.event(mine).data
    assert '"term":0' in opened.event(opened.reset).data


async def test_while_the_store_is_away_nobody_waits_for_it_twice() -> None:
    """What is shown then is what is known at the end, which is newer than all who came meanwhile: each wait for the
    store takes a second of the three that a console has."""
    station = Station()
    station.is_there = False
    station.go_on.clear()
    first = station.come()
    await station.begun.wait()
    station.happen()
    later = station.come()
    await asyncio.sleep(0)
    station.go_on.set()
    opened = await _all([first, later])
    assert [one.reset.supervisor.term for one in opened] == [1, 1]
    assert station.taken == 1


async def test_one_that_goes_or_fails_keeps_nobody_waiting() -> None:
    station = Station()
    station.go_on.clear()
    first, second = station.come(), station.come()
    await station.begun.wait()
    first.cancel()
    station.go_on.set()
    assert (await _all([second]))[0].reset.supervisor.term == 0

    station.fails_once = True
    with pytest.raises(RuntimeError):
        await station.openings.next()
    assert (await station.openings.next()).reset.supervisor.term == 0


async def test_streams_do_not_begin_all_in_one_turn_of_the_loop() -> None:
    """A take that comes while two hundred consoles come back waits for some of them, and not for all."""
    station = Station()
    turn, begun = 0, list[int]()

    def turns() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(turns)

    async def begin() -> None:
        await station.openings.next()
        begun.append(turn)

    turns()
    async with asyncio.timeout(60):
        await asyncio.gather(*(begin() for _ in range(200)))
    assert len(begun) == 200
    assert max(Counter(begun).values()) <= TOGETHER
