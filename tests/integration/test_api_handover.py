"""What one shift hands to the next, through the doors: what stands, and who noted what of what."""

import getpass
from datetime import UTC, datetime

from db.store import Store
from tests.fixtures.running import Json, Running, eventually

ANN = {"X-MCR-Session": "a" * 32, "X-MCR-Station": "desk 1"}


async def test_what_stands_and_what_was_noted(supervisor: Running) -> None:
    me = getpass.getuser()
    quiet = await supervisor.call("GET", "/handover")
    assert (quiet["channels"], quiet["standing"], quiet["notes"]) == (0, [], [])
    made = await supervisor.call("POST", "/channels", json={"name": "Sport", "number": 3})
    path = f"/channels/{made['id']}"
    await supervisor.call("POST", f"{path}/hold-failover")
    assert (await supervisor.unix.post(f"/api/v1{path}/control", json={}, headers=ANN)).status_code == 200

    async def answering() -> dict[str, Json] | None:
        [seen] = (await supervisor.call("GET", "/nodes"))["items"]
        return seen if seen["state"] == "answers" else None

    # Its agent's first answer is written into its row.
    node = await eventually(answering, "the node answers")
    await supervisor.call("PATCH", f"/nodes/{node['id']}", json={"maintenance": True}, rev=node["rev"])
    written = await supervisor.call("POST", "/shift-log", json={"text": "call Bea", "channel_id": made["id"]})
    assert (written["about"], written["by"]) == ("3 Sport", me)
    await supervisor.call("POST", "/shift-log", json={"text": "all quiet"})

    page = await supervisor.call("GET", "/handover")
    stands = {(one["kind"], one["who"], one["by"]) for one in page["standing"]}
    assert ("failover held", "3 Sport", me) in stands
    assert ("control", "3 Sport", me) in stands
    assert ("maintenance", node["name"], "") in stands
    assert [(one["about"], one["text"]) for one in page["notes"]] == [("", "all quiet"), ("3 Sport", "call Bea")]
    of_sport = await supervisor.call("GET", "/shift-log", params={"channel_id": made["id"]})
    assert [one["text"] for one in of_sport["items"]] == ["call Bea"]
    first = await supervisor.call("GET", "/shift-log", params={"limit": 1})
    second = await supervisor.call("GET", "/shift-log", params={"limit": 1, "cursor": first["next_cursor"]})
    assert [first["items"][0]["text"], second["items"][0]["text"]] == ["all quiet", "call Bea"]


async def test_a_note_is_of_what_is_there_and_one_line(supervisor: Running) -> None:
    nowhere = "0" * 32
    await supervisor.call("POST", "/shift-log", json={"text": "x", "channel_id": nowhere}, expect=404)
    await supervisor.call("POST", "/shift-log", json={"text": "x", "alarm_id": nowhere}, expect=404)
    await supervisor.call("POST", "/shift-log", json={"text": "x", "run_id": "r", "seq": 1}, expect=422)
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    event = {"text": "x", "channel_id": made["id"], "run_id": "r", "seq": 1}
    await supervisor.call("POST", "/shift-log", json=event, expect=404)
    for text in ("", "two\nlines", "x" * 2001):
        await supervisor.call("POST", "/shift-log", json={"text": text}, expect=422)
    assert (await supervisor.call("GET", "/shift-log"))["items"] == []


async def test_a_note_of_an_alarm_names_it_and_its_channel(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport", "number": 3})
    store = Store(supervisor.settings.store_url)
    async with store.write() as tx:
        alarm, _ = await tx.alarms.raise_once("off_air", made["id"], None, "critical", "off air", datetime.now(UTC))
    await store.close()
    written = await supervisor.call("POST", "/shift-log", json={"text": "call Bea", "alarm_id": alarm.id})
    assert (written["about"], written["channel_id"]) == ("3 Sport, alarm off air", made["id"])


async def test_a_note_outlives_what_it_was_of(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport", "number": 3})
    await supervisor.call("POST", "/shift-log", json={"text": "call Bea", "channel_id": made["id"]})
    await supervisor.call("DELETE", f"/channels/{made['id']}", rev=made["rev"])
    [kept] = (await supervisor.call("GET", "/handover"))["notes"]
    assert (kept["about"], kept["text"]) == ("3 Sport", "call Bea")
