"""The event ring: what a reader gets, what it gets when it comes back, and what becomes of one that falls behind."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from supervisor.events import BACKLOG, TOGETHER, WRITE, Event, Events, Subscription
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.event import ChannelDeleted, PlaylistChanged, SupervisorInfo

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, TWO = "1" * 32, "2" * 32
INFO = SupervisorInfo(name="n", version="0", boot_id="boot", leader=True, term=1, loop_lag_ms=0.0, at=NOW)


def live(channel_id: str, version: int) -> ChannelLive:
    empty = {name: None for name, it in ChannelLive.model_fields.items() if it.is_required()}
    return ChannelLive.model_validate(
        {
            **empty, "channel_id": channel_id, "version": version, "as_of": NOW, "desired": "on", "phase": "running",
            "epoch": 1, "reason": "", "decision": "", "hold": False, "outputs": (), "heartbeat_ms": (), "frame": 0,
            "frames_late": 0, "frames_skipped": 0, "playlist_revision": 0, "alarms": 0,
        }
    )  # fmt: skip


def edit(revision: int) -> PlaylistChanged:
    return PlaylistChanged(playlist_id=ONE, revision=revision, channel_ids=())


async def read(subscription: Subscription, count: int) -> list[Event]:
    got: list[Event] = []
    async with asyncio.timeout(60):
        async for event in subscription:
            got.append(event)
            if len(got) == count:
                break
    return got


async def rest(subscription: Subscription) -> list[Event]:
    subscription.close()
    async with asyncio.timeout(60):
        return [event async for event in subscription]


async def test_a_reader_gets_what_is_published_in_order() -> None:
    events = Events(boot_id="boot")
    reader = events.subscribe()
    events.publish("playlist", edit(1))
    events.publish("channel_live", live(ONE, 1))
    got = await read(reader, 2)
    assert [(event.id, event.name) for event in got] == [("boot-1", "playlist"), ("boot-2", "channel_live")]


async def test_a_new_reader_is_told_to_reset_and_one_that_comes_back_is_not() -> None:
    events = Events(boot_id="boot")
    events.publish("playlist", edit(1))
    events.publish("playlist", edit(2))
    assert not events.subscribe().resumed
    back = events.subscribe("boot-1")
    assert back.resumed
    assert [event.id for event in await rest(back)] == ["boot-2"]


async def test_an_id_that_is_not_ours_or_too_old_means_reset() -> None:
    events = Events(boot_id="boot", ring=2)
    for revision in range(4):
        events.publish("playlist", edit(revision))
    for stranger in ("other-3", "boot-", "boot-x", "boot--1", "boot-5", "boot-1", "3", "", "boot-" + "9" * 400):
        assert not events.subscribe(stranger).resumed, stranger
    assert events.subscribe("boot-2").resumed


async def test_the_newest_of_each_channel_is_enough_to_come_back_with() -> None:
    """However many heartbeats passed, the ring has not forgotten the rest."""
    events = Events(boot_id="boot", ring=2)
    events.publish("playlist", edit(1))
    for version in range(1, 100):
        events.publish("channel_live", live(ONE, version))
        events.publish("channel_live", live(TWO, version))
    back = events.subscribe("boot-0")
    assert back.resumed
    assert [event.id for event in await rest(back)] == ["boot-1", "boot-198", "boot-199"]


async def test_a_deleted_channel_does_not_come_back() -> None:
    events = Events(boot_id="boot")
    events.publish("channel_live", live(ONE, 1))
    events.publish("channel_deleted", ChannelDeleted(channel_id=ONE))
    assert [event.name for event in await rest(events.subscribe("boot-0"))] == ["channel_deleted"]


async def test_a_slow_reader_gets_only_the_newest_of_each_channel() -> None:
    events = Events(boot_id="boot")
    reader = events.subscribe()
    for version in range(10 * BACKLOG):
        events.publish("channel_live", live(ONE, version))
    events.publish("playlist", edit(1))
    got = await rest(reader)
    assert not reader.dropped
    assert [event.name for event in got] == ["channel_live", "playlist"]
    assert f'"version":{10 * BACKLOG - 1}' in got[0].data


async def test_readers_at_one_place_are_given_the_same_bytes() -> None:
    """However many consoles are open, an event is encoded once; each write carries what came together, and not more
    than is good for one write."""
    events = Events(boot_id="boot")
    readers = [events.subscribe() for _ in range(3)]
    for number in range(400):
        events.publish("channel_live", live(f"{number:032x}", number))
    read = [[batch async for batch in closed(reader).batches()] for reader in readers]
    for batches in read:
        assert [event.number for batch in batches for event in batch.events] == list(range(1, 401))
        assert b"".join(batch.frames for batch in batches).count(b"event: channel_live\n") == 400
        assert all(len(batch.frames) < 2 * WRITE for batch in batches)
    assert len({id(batches[0].frames) for batches in read}) == 1


async def test_many_readers_are_not_told_all_in_one_turn_of_the_loop() -> None:
    """A take that comes while a thousand consoles are told waits for some of them, and not for all."""
    events = Events(boot_id="boot")
    turn, told = 0, list[tuple[int, int]]()
    some, all_twice = asyncio.Event(), asyncio.Event()

    def turns() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(turns)

    async def follow(reader: Subscription) -> None:
        async for event in reader:
            told.append((turn, event.number))
            if len(told) == TOGETHER:
                some.set()
            if len(told) == 2 * len(following):
                all_twice.set()

    following = [asyncio.create_task(follow(events.subscribe())) for _ in range(4 * TOGETHER)]
    await asyncio.sleep(0)
    turns()
    events.publish("playlist", edit(1))
    async with asyncio.timeout(60):
        await some.wait()
        events.publish("playlist", edit(2))  # while the others are being told of the first
        await all_twice.wait()
    assert sorted(number for _, number in told) == [1] * len(following) + [2] * len(following)
    assert max(Counter(told).values()) <= TOGETHER
    for task in following:
        task.cancel()


def closed(reader: Subscription) -> Subscription:
    reader.close()
    return reader


async def test_who_comes_back_after_long_is_not_dropped_for_what_it_missed() -> None:
    events = Events(boot_id="boot")
    for revision in range(2 * BACKLOG):
        events.publish("playlist", edit(revision))
    back = events.subscribe("boot-0")
    events.publish("playlist", edit(2 * BACKLOG))
    assert not back.dropped
    assert [event.number for event in await rest(back)] == list(range(1, 2 * BACKLOG + 2))


async def test_a_reader_whose_next_events_are_gone_is_dropped() -> None:
    events = Events(boot_id="boot", ring=4)
    events.publish("playlist", edit(1))
    back = events.subscribe("boot-0")
    for revision in range(4):
        events.publish("playlist", edit(revision))
    assert back.dropped
    assert await rest(back) == []


async def test_a_reader_that_falls_too_far_behind_is_dropped_and_told() -> None:
    events = Events(boot_id="boot")
    reader = events.subscribe()
    for revision in range(BACKLOG + 1):
        events.publish("playlist", edit(revision))
    assert reader.dropped
    assert await rest(reader) == []
    assert events.readers == 0


async def test_a_beat_is_not_kept_and_carries_the_last_id() -> None:
    events = Events(boot_id="boot")
    reader = events.subscribe()
    events.publish("playlist", edit(1))
    events.beat(INFO)
    assert [(event.name, event.id) for event in await read(reader, 2)] == [("playlist", "boot-1"), ("beat", "boot-1")]
    assert [event.name for event in await rest(events.subscribe("boot-0"))] == ["playlist"]


async def test_closing_ends_every_reader_and_later_ones_at_once() -> None:
    events = Events()
    reader = events.subscribe()
    events.publish("playlist", edit(1))
    events.close()
    async with asyncio.timeout(60):
        assert [event.name async for event in reader] == ["playlist"]
        assert [event async for event in events.subscribe()] == []
