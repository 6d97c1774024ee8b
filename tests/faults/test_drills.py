"""A drill of a whole node: isolated on purpose, its channel goes on elsewhere, and the drill says after how long."""

from typing import Any

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.received import aired

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.mark.second
def test_p2_an_isolated_nodes_channel_goes_on_elsewhere_and_the_drill_says_how_long_it_took(lab: Lab) -> None:
    api = lab.leader().api
    with aired(lab, "drill", is_test=True) as channel:
        home = channel.live["node_name"]
        (node,) = [one for one in api.everything("/nodes") if one["name"] == home]
        wanted = {"target_kind": "node", "target_id": node["id"], "kind": "isolate", "seconds": 30}
        api.call("PATCH", f"/nodes/{node['id']}", rev=node["rev"], json={"is_test": True})
        begun = api.post("/drills", wanted)
        found: list[dict[str, Any]] = []

        def over() -> bool:
            items = lab.ask("/drills?limit=5")["items"]
            found[:] = [it for it in items if it["id"] == begun["id"] and it["state"] != "running"]
            return bool(found)

        until(over, 120, lambda: lab.why(channel.id))
        drill = found[0]
        (one,) = drill["channels"]
        assert (drill["state"], one["epoch"]) == ("back", channel.epoch + 1), drill
        assert one["node_name"] != home
        assert 0 < drill["first_frame_ms"] < one["back_ms"] + 5_000
        assert "node_away" in drill["alarms"]
        until(lambda: lab.machine_of(channel.live).sidecars_of(channel.id) == [], 30, lambda: lab.why(channel.id))
        lab.log_is_complete(channel.id)
    for verdict in channel.judged("test"):
        assert verdict.clean, verdict
