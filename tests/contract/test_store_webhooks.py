"""The outbox of webhooks: written with the fact, told in order, given up and tried again, on every store."""

from datetime import datetime, timedelta

import pytest

from db.errors import Missing
from db.store import Store

MINUTE = timedelta(minutes=1)


class Undone(Exception):
    pass


async def test_a_fact_is_told_to_those_who_want_its_kind_and_to_nobody_when_it_did_not_happen(
    store: Store, now: datetime
) -> None:
    async with store.write() as tx:
        assert not await tx.webhooks.are_wanted("alarm")
        both = await tx.webhooks.add("https://a/", "s" * 32, "kim", now, alarms=True, asrun=True)
        asrun = await tx.webhooks.add("https://b/", "s" * 32, "kim", now, alarms=False, asrun=True)
        assert await tx.webhooks.are_wanted("alarm")
        await tx.webhooks.post("alarm", {"1" * 32: "first"}, now)
        await tx.webhooks.post("asrun", {"2" * 32: "second", "3" * 32: "third"}, now)

    async def undone() -> None:
        async with store.write() as tx:
            await tx.webhooks.post("alarm", {"4" * 32: "never"}, now)
            raise Undone

    with pytest.raises(Undone):
        await undone()
    async with store.read() as tx:
        assert [row.body for row in await tx.webhooks.head(both.id, 10)] == ["first", "second", "third"]
        assert [row.fact_id[0] for row in await tx.webhooks.head(asrun.id, 1)] == ["2"]
        lengths = await tx.webhooks.lengths()
    assert {id_: (it.waiting, it.dead, it.first) for id_, it in lengths.items()} == {
        both.id: (3, 0, now), asrun.id: (2, 0, now)
    }  # fmt: skip


async def test_what_was_taken_is_gone_and_what_was_refused_waits(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        hook = await tx.webhooks.add("https://a/", "s" * 32, "kim", now, alarms=True, asrun=False)
        await tx.webhooks.post("alarm", {"1" * 32: "first", "2" * 32: "second"}, now)
        first, second = await tx.webhooks.head(hook.id, 10)
        await tx.webhooks.took(hook.id, [first.id], now)
        await tx.webhooks.refused(hook.id, second.id, now + MINUTE, "it answered 500", now)
    async with store.write() as tx:
        await tx.webhooks.refused(hook.id, second.id, now + 2 * MINUTE, "it answered 502", now + MINUTE)
    async with store.read() as tx:
        (left,) = await tx.webhooks.head(hook.id, 10)
        told = await tx.webhooks.get(hook.id)
    assert (left.body, left.attempts, left.not_before) == ("second", 2, now + 2 * MINUTE)
    assert (told.failing_since, told.fault, told.delivered_at) == (now, "it answered 502", now)
    async with store.write() as tx:
        await tx.webhooks.took(hook.id, [second.id], now + MINUTE)
    async with store.read() as tx:
        told = await tx.webhooks.get(hook.id)
        assert (told.failing_since, told.fault, told.delivered_at) == (None, "", now + MINUTE)
        assert not await tx.webhooks.lengths()


async def test_what_is_too_old_or_too_much_is_given_up_until_a_person_says_otherwise(
    store: Store, now: datetime
) -> None:
    async with store.write() as tx:
        hook = await tx.webhooks.add("https://a/", "s" * 32, "kim", now, alarms=True, asrun=False)
        other = await tx.webhooks.add("https://b/", "s" * 32, "kim", now, alarms=False, asrun=True)
        await tx.webhooks.post("asrun", {"a" * 32: "of another"}, now)
        for number in range(6):
            await tx.webhooks.post("alarm", {f"{number:032x}": str(number)}, now + number * MINUTE)
    async with store.write() as tx:
        assert await tx.webhooks.give_up(now + MINUTE, most=3, kept_dead=2) == 4, "too old: 2, of them one another's"
    async with store.read() as tx:
        lengths = await tx.webhooks.lengths()
        assert (lengths[hook.id].waiting, lengths[hook.id].dead) == (3, 2)
        assert [row.body for row in await tx.webhooks.head(hook.id, 9)] == ["3", "4", "5"]
    async with store.write() as tx:
        assert await tx.webhooks.retry(hook.id, now + 9 * MINUTE) == 2
        assert await tx.webhooks.forget(other.id) == 1
        assert [row.body for row in await tx.webhooks.head(hook.id, 9)] == ["1", "2", "3", "4", "5"]
        await tx.webhooks.delete(hook.id)
        assert not await tx.webhooks.lengths()
        with pytest.raises(Missing):
            await tx.webhooks.retry(hook.id, now)
