"""An alarm that was put aside for a while, on either store."""

from datetime import datetime, timedelta

import pytest

from db.errors import Missing
from db.repositories.alarms import NewAlarm
from db.store import Store

HOUR = timedelta(hours=1)


async def test_what_comes_again_while_it_is_shelved_is_shelved_still(store: Store, now: datetime) -> None:
    def news(at: datetime) -> list[NewAlarm]:
        return [NewAlarm(code, None, None, "warning", code, at) for code in ("late", "dark")]

    async with store.write() as tx:
        rows = {row.code: row for row in await tx.alarms.raise_all(news(now))}
        first = await tx.alarms.shelve(rows["late"].id, now + HOUR, "kim", "the card is being changed")
        assert (first.shelved_until, first.shelved_by) == (now + HOUR, "kim")
        await tx.alarms.clear_all([("late", None, None), ("dark", None, None)], now)
    async with store.write() as tx:
        again = {row.code: row for row in await tx.alarms.raise_all(news(now + HOUR / 2))}
    assert again["late"].shelved_reason == "the card is being changed"
    assert again["dark"].shelved_until is None
    async with store.write() as tx:
        back = await tx.alarms.shelve(again["late"].id, None, None, None)
        assert (back.shelved_until, back.shelved_by, back.shelved_reason) == (None, None, None)
        await tx.alarms.clear_all([("late", None, None)], now + HOUR / 2)
        (third,) = await tx.alarms.raise_all(news(now + HOUR / 2)[:1])
        assert third.shelved_until is None, "taken back is taken back"
        with pytest.raises(Missing):
            await tx.alarms.shelve("f" * 32, now, "kim", "nothing")


async def test_a_shelf_ends_by_itself(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        (row,) = await tx.alarms.raise_all([NewAlarm("late", None, None, "warning", "late", now)])
        await tx.alarms.shelve(row.id, now + HOUR, "kim", "for an hour")
        await tx.alarms.clear_all([("late", None, None)], now)
    async with store.write() as tx:
        (again,) = await tx.alarms.raise_all([NewAlarm("late", None, None, "warning", "late", now + 2 * HOUR)])
    assert again.shelved_until is None
