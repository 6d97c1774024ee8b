"""The leader killed, frozen, or with a clock that steps: another leads, and what is on air does not notice."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.machines import ApiError
from tests.fixtures.received import aired
from tests.instruments.double_air import judge_udp

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


def test_p5_a_killed_leader_is_followed_and_not_a_frame_is_lost(lab: Lab) -> None:
    """P5: the same sidecar and epoch, adopted by the other supervisor, which a take then obeys."""
    with aired(lab, "killed leader", udp=True) as channel:
        leader = lab.leader()
        pids = lab.machine_of(channel.live).sidecars_of(channel.id)
        leader.kill()
        other = lab.leader(20, but=leader.host)
        live = lab.on_air(channel.id)
        other.api.post(f"/channels/{channel.id}/take", {})
        assert (live["epoch"], lab.machine_of(live).sidecars_of(channel.id)) == (channel.epoch, pids)
        leader.start()
        until(lambda: follows(lab, leader.host), 30, lambda: leader.log[-2000:])
        with pytest.raises(ApiError) as refused:
            leader.api.post(f"/channels/{channel.id}/take", {})
        assert refused.value.status == 503
        lab.log_is_complete(channel.id)
    assert channel.udp.continuity_errors() == 0
    assert judge_udp("killed leader", channel.udp).clean


def test_p2_p6_a_frozen_leader_that_wakes_changes_nothing(lab: Lab) -> None:
    """F11. P2, P6: the lease decides; what the old leader meant to do when it wakes is refused, and it follows."""
    with aired(lab, "frozen leader", udp=True) as channel:
        leader = lab.leader()
        term = leader.api.get("/supervisor")["term"]
        leader.freeze()
        other = lab.leader(30, but=leader.host)
        assert other.api.get("/supervisor")["term"] > term
        leader.thaw()
        until(lambda: follows(lab, leader.host), 15, lambda: leader.log[-2000:])
        time.sleep(2)
        assert other.leads
        assert lab.on_air(channel.id)["epoch"] == channel.epoch
        lab.log_is_complete(channel.id)
    assert channel.udp.continuity_errors() == 0
    assert judge_udp("frozen leader", channel.udp).clean


@pytest.mark.parametrize(
    "node_alone", [False, pytest.param(True, marks=pytest.mark.second)], ids=["everywhere", "one node"]
)
def test_p6_a_step_of_the_wall_clock_moves_nothing(lab: Lab, node_alone: bool, tmp_path: Path) -> None:
    """F22, I24. P6: supervisors, agents and sidecars jump an hour ahead of the database, or a node falls an hour behind
    all others, which is alarmed; no epoch changes, no lease ends and no frame is lost."""
    step_s = -3600 if node_alone else 3600
    clock = tmp_path / "clock"
    with aired(
        lab, "clock", udp=True, lease_stop=True, prepare=lambda _: with_clock(lab, clock, node_alone)
    ) as channel:
        node = lab.machine_of(channel.live)
        clock.write_text(str(step_s))
        time.sleep(8)
        live = lab.on_air(channel.id)
        assert (live["epoch"], live["node_name"]) == (channel.epoch, node.host)
        stepped = ahead_s(live["as_of"]), ahead_s(lab.leader().api.get("/supervisor")["at"])
        assert stepped == (pytest.approx(step_s, abs=60), pytest.approx(0 if node_alone else step_s, abs=60))
        assert ("clock_offset" in lab.alarms()) is node_alone
        lab.log_is_complete(channel.id)
    assert channel.udp.continuity_errors() == 0
    assert judge_udp("clock", channel.udp).clean


def with_clock(lab: Lab, clock: Path, node_alone: bool) -> None:
    """The nodes, and unless ``node_alone`` the supervisors too, are started again and follow the file ``clock``."""
    for machine in (*lab.nodes.values(), *(() if node_alone else lab.supervisors.values())):
        machine.kill()
        machine.start_with_clock(clock)
    lab.until_ready()


def ahead_s(stamp: str) -> float:
    return (datetime.fromisoformat(stamp) - datetime.now(UTC)).total_seconds()


def follows(lab: Lab, host: str) -> bool:
    try:
        return not lab.supervisors[host].api.get("/supervisor", timeout=2.0)["leader"]
    except (OSError, ApiError):
        return False
