"""Stored events, bounded by age and number, and media roots."""

from datetime import datetime, timedelta

import pytest

from db.errors import Inconsistent, Missing, Taken
from db.repositories import events
from db.repositories.events import NewEvent
from db.store import Store

CHANNEL, OTHER, NODE = "c" * 32, "d" * 32, "f" * 32


async def texts(store: Store, **filters: object) -> list[str]:
    async with store.read() as tx:
        return [row.text for row in await tx.events.list(**filters)]  # type: ignore[arg-type]  # built by name


async def test_they_come_newest_first_and_by_filter(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.events.add([])
        await tx.events.add(
            [
                NewEvent(now, "decision", "one", channel_id=CHANNEL, detail={"misses": 3, "why": "no answer"}),
                NewEvent(now, "phase", "two", channel_id=CHANNEL, node_id=NODE),
                NewEvent(now, "node", "three", node_id=NODE),
                NewEvent(now, "decision", "four", channel_id=OTHER),
            ]
        )
    assert await texts(store) == ["four", "three", "two", "one"]
    assert await texts(store, channel_id=CHANNEL) == ["two", "one"]
    assert await texts(store, node_id=NODE) == ["three", "two"]
    assert await texts(store, kinds=("decision", "node"), limit=2) == ["four", "three"]
    async with store.read() as tx:
        first, *_, last = await tx.events.list()
        assert (last.at, last.detail) == (now, {"misses": 3, "why": "no answer"})
        assert [row.text for row in await tx.events.list(before=first.id, limit=1)] == ["three"]


async def test_what_no_database_can_hold_does_not_lose_the_others(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.events.add(
            [NewEvent(now, "alarm", "clip a\0b\udcff", detail={"path": "a\0b\udcff"}), NewEvent(now, "alarm", "next")]
        )
    assert await texts(store) == ["next", "clip a\ufffdb?"]


async def test_a_kind_that_is_none_is_refused(store: Store, now: datetime) -> None:
    with pytest.raises(Inconsistent):
        async with store.write() as tx:
            await tx.events.add([NewEvent(now, "gossip", "one")])


async def test_they_are_bounded_by_age_and_by_number(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        ages = [9, 8, 3, 2, 1, 0]
        await tx.events.add([NewEvent(now - timedelta(days=age), "phase", f"{age}") for age in ages])
        assert await tx.events.prune(now - timedelta(days=30), 6) == 0
        assert await tx.events.prune(now - timedelta(days=5), 6) == 2
    assert await texts(store) == ["0", "1", "2", "3"]
    async with store.write() as tx:
        assert await tx.events.prune(now - timedelta(days=5), 3) == 1
        assert await tx.events.prune(now - timedelta(days=5), 3) == 0
    assert await texts(store) == ["0", "1", "2"]
    async with store.write() as tx:
        assert await tx.events.prune(now - timedelta(days=5), 0) == 3


async def test_one_prune_ends_in_time_and_the_next_goes_on(
    store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_AT_ONCE", 2)
    async with store.write() as tx:
        await tx.events.add([NewEvent(now, "phase", f"{number}") for number in range(5)])
        assert [await tx.events.prune(now, keep) for keep in (2, 2, 2)] == [2, 1, 0]
    assert await texts(store) == ["4", "3"]


async def test_a_media_root_is_one_path_with_one_marker(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        root = await tx.media_roots.add("/media/b", "b" * 32, now)
        await tx.media_roots.add("/media/a", "a" * 32, now)
        with pytest.raises(Taken, match="media_root path '/media/a'"):
            await tx.media_roots.add("/media/a", "c" * 32, now)
        assert [it.path for it in await tx.media_roots.list()] == ["/media/a", "/media/b"]
        assert (await tx.media_roots.get("/media/b")).marker == "b" * 32
        await tx.media_roots.delete(root.id)
        with pytest.raises(Missing):
            await tx.media_roots.delete(root.id)
        with pytest.raises(Missing, match="/media/b"):
            await tx.media_roots.get("/media/b")
