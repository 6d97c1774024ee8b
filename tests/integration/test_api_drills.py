"""Drills through the API and the command line: real sidecars, killed and frozen on purpose."""

import pytest

from mcr_console.cli.drill import lines
from supervisor.schemas.drill import Drill
from tests.fixtures.running import Json, Running, eventually

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(240)]


async def on_air(supervisor: Running, **values: Json) -> Json:
    form = {"width": 320, "height": 180, "rate": "25"}
    made = await supervisor.call("POST", "/channels", json={"name": "Try", "format": form, **values})
    await supervisor.call("POST", f"/channels/{made['id']}/start")

    async def there() -> bool:
        live = (await supervisor.call("GET", f"/channels/{made['id']}"))["live"]
        return live["phase"] == "running" and live["observed"] == "on_air" and live["frame"] > 0

    await eventually(there, "on air", 90)
    return made


def wanted(channel: Json, kind: str, **more: Json) -> Json:
    return {"target_kind": "channel", "target_id": channel["id"], "kind": kind, **more}


async def measured(supervisor: Running, begun: Json) -> Json:
    async def over() -> Json:
        items = (await supervisor.call("GET", "/drills"))["items"]
        return next((it for it in items if it["id"] == begun["id"] and it["state"] != "running"), None)

    return await eventually(over, "the drill is over", 120)


async def test_a_channel_is_killed_on_purpose_and_no_test_only_by_who_types_its_name(supervisor: Running) -> None:
    channel = await on_air(supervisor, is_test=True)
    begun = await supervisor.call("POST", "/drills", json=wanted(channel, "kill"), expect=201)
    assert (begun["state"], begun["was_test"]) == ("running", True)
    busy = await supervisor.call("POST", "/drills", json=wanted(channel, "kill"), expect=409)
    assert busy["code"] == "drill_running"
    drill = await measured(supervisor, begun)
    (one,) = drill["channels"]
    assert (drill["state"], one["epoch"]) == ("back", one["epoch_before"] + 1)
    assert 0 < drill["first_frame_ms"] < 60_000
    assert abs(drill["lost_frames"] - drill["first_frame_ms"] * 25 / 1000) <= 1.5
    assert "sidecar_restarted" in drill["alarms"]
    said = "\n".join(lines(Drill.model_validate(drill)))
    assert "kill channel Try" in said
    assert "first new frame after" in said
    rows = [row for row in await supervisor.audit() if row["action"] == "make_drill"]
    assert [row["outcome"] for row in rows] == ["refused", "done"]
    assert rows[1]["detail"]["drill"] == drill["id"]

    path = f"/channels/{channel['id']}"
    rev = (await supervisor.call("GET", path))["rev"]
    await supervisor.call("PATCH", path, rev=rev, json={"is_test": False})
    problem = await supervisor.call("POST", "/drills", json=wanted(channel, "isolate"), expect=409)
    assert problem["code"] == "not_a_test"
    wrong = wanted(channel, "isolate", on_air_name="try")
    assert (await supervisor.call("POST", "/drills", json=wrong, expect=409))["code"] == "not_a_test"
    named = wanted(channel, "isolate", seconds=2, on_air_name="Try")
    drill = await measured(supervisor, await supervisor.call("POST", "/drills", json=named, expect=201))
    (one,) = drill["channels"]
    assert (drill["state"], drill["was_test"], one["first_frame_ms"]) == ("back", False, None)
    assert one["epoch"] == one["epoch_before"]


async def test_what_is_off_and_this_machines_own_node_are_not_drilled(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Off", "is_test": True})
    problem = await supervisor.call("POST", "/drills", json=wanted(made, "kill"), expect=409)
    assert problem["code"] == "not_on_air"
    (local,) = (await supervisor.call("GET", "/nodes"))["items"]
    path = f"/nodes/{local['id']}"
    marked = await supervisor.call("PATCH", path, rev=local["rev"], json={"is_test": True})
    assert marked["is_test"] is True
    node = {"target_kind": "node", "target_id": local["id"], "kind": "isolate"}
    assert (await supervisor.call("POST", "/drills", json=node, expect=409))["code"] == "local_node"
    await supervisor.call("POST", "/drills", json={**node, "seconds": 121}, expect=422)

    recorder = await supervisor.call("POST", "/recorders", json={"name": "Ingest", "input": {"kind": "test"}})
    await supervisor.call("POST", f"/recorders/{recorder['id']}/start")

    async def refused() -> bool:
        problem = await supervisor.call("POST", "/drills", json=node, expect=409)
        return problem["code"] == "not_a_test" and "Ingest" in problem["detail"]

    await eventually(refused, "a node that records is no test", 60)
    named = {**node, "on_air_name": local["name"]}
    assert (await supervisor.call("POST", "/drills", json=named, expect=409))["code"] == "local_node"
    assert (await supervisor.call("GET", "/drills"))["items"] == []
