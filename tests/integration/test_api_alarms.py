"""Alarms are put aside by name, with a reason, for a while."""

import getpass
from datetime import UTC, datetime, timedelta

from db.store import Store
from tests.fixtures.running import Running


async def test_an_alarm_is_shelved_and_taken_back(supervisor: Running) -> None:
    store = Store(supervisor.settings.store_url)
    now = datetime.now(UTC)
    try:
        async with store.write() as tx:
            row, _ = await tx.alarms.raise_once("late_frames", None, None, "warning", "late", now)
            over, _ = await tx.alarms.raise_once("dark", None, None, "warning", "dark", now)
            await tx.alarms.clear("dark", None, None, now)
    finally:
        await store.close()
    path = f"/alarms/{row.id}"
    await supervisor.call("POST", f"{path}/shelve", json={"minutes": 30, "reason": ""}, expect=422)
    shelved = await supervisor.call("POST", f"{path}/shelve", json={"minutes": 30, "reason": "the card is changed"})
    assert (shelved["shelved_by"], shelved["shelved_reason"]) == (getpass.getuser(), "the card is changed")
    until = datetime.fromisoformat(shelved["shelved_until"])
    assert timedelta(minutes=29) < until - now < timedelta(minutes=31)
    assert shelved["acknowledged_by"] is None
    back = await supervisor.call("POST", f"{path}/unshelve")
    assert (back["shelved_until"], back["shelved_by"], back["shelved_reason"]) == (None, None, None)
    await supervisor.call("POST", f"/alarms/{over.id}/shelve", json={"minutes": 5, "reason": "why not"}, expect=409)
    actions = [row["action"] for row in await supervisor.audit()]
    assert actions[:2] == ["shelve_alarm", "unshelve_alarm"]
