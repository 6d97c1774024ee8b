"""A node that the supervisors cannot reach, but whose programme still reaches the receivers: the zombie's case."""

import time

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.received import aired
from tests.instruments.double_air import judge_rtmp, judge_udp

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


def cut_off(lab: Lab, host: str, *, answers_only: bool = False) -> None:
    for supervisor in lab.supervisors:
        lab.network.cut(host, supervisor, one_way=answers_only)


@pytest.mark.parametrize(
    "answers_only", [False, pytest.param(True, marks=pytest.mark.second)], ids=["both ways", "answers alone"]
)
def test_p2_the_old_sender_leaves_the_air_before_the_new_one_enters_it(lab: Lab, answers_only: bool) -> None:
    """F8, F9. P1, P2: UDP with lease-stop. Requests that arrive and whose answers are lost change nothing of that."""
    with aired(lab, "partition", udp=True, lease_stop=True) as channel:
        node = lab.machine_of(channel.live)
        cut_off(lab, node.host, answers_only=answers_only)
        live = lab.on_air(channel.id, above_epoch=channel.epoch, timeout=60)
        assert live["node_name"] != node.host
        until(lambda: len(channel.udp.senders()) == 2, 20, channel.udp.senders)
        assert node.sidecars_of(channel.id) != [], "the old sidecar was to live on, out of reach"
        lab.network.heal()
        until(lambda: node.sidecars_of(channel.id) == [], 30, lambda: lab.why(channel.id))
        assert lab.live(channel.id)["epoch"] == live["epoch"], "it was moved back"
        lab.log_is_complete(channel.id)
    verdict = judge_udp("partition", channel.udp)
    assert verdict.clean, verdict
    assert len(verdict.senders) == 2


def test_p2_p6_outputs_that_hold_stay_on_air_and_are_not_moved(lab: Lab) -> None:
    """P2, P6: nobody can prove that a held UDP sender is silent, so its channel is alarmed and stays; not a datagram is
    lost."""
    with aired(lab, "held", udp=True) as channel:
        node = lab.machine_of(channel.live)
        cut_off(lab, node.host)
        until(lambda: "channel_unreachable" in lab.alarms(), 20, lambda: lab.why(channel.id))
        time.sleep(10)
        assert lab.live(channel.id)["epoch"] == channel.epoch
        lab.network.heal()
        until(lambda: "channel_unreachable" not in lab.alarms(), 20, lab.alarms)
        lab.on_air(channel.id)
    assert channel.udp.continuity_errors() == 0
    assert judge_udp("held", channel.udp).clean


def test_p6_when_most_nodes_are_silent_at_once_it_is_us_and_nothing_is_moved(lab: Lab) -> None:
    """F13. P6: HLS, which could be moved at once, stays where it is while all nodes seem dead."""
    with aired(lab, "mass silence") as channel:
        for host in lab.nodes:
            cut_off(lab, host)
        time.sleep(12)
        assert lab.live(channel.id)["epoch"] == channel.epoch
        lab.network.heal()
        assert lab.on_air(channel.id)["epoch"] == channel.epoch
        until(lambda: not {"channel_unreachable", "node_away"} & lab.alarms().keys(), 20, lab.alarms)
    assert channel.index.log.faults == []


@pytest.mark.parametrize("wins", ["first", pytest.param("last", marks=pytest.mark.second)])
def test_p2_rtmp_has_one_publisher_and_the_old_one_never_connects_again(lab: Lab, wins: str) -> None:
    """P2: where the first publisher wins its open session airs on; where the last wins it is thrown out, and without a
    lease it does not come back."""
    with aired(lab, f"rtmp {wins}", rtmp="first" if wins == "first" else "last") as channel:
        assert channel.rtmp is not None
        log = channel.rtmp.log
        node = lab.machine_of(channel.live)
        old = log.connections[-1].peer.partition(":")[0]
        cut_off(lab, node.host)
        live = lab.on_air(channel.id, above_epoch=channel.epoch, timeout=60)
        until(lambda: any(it.peer.partition(":")[0] != old for it in log.connections), 30, lambda: log.connections)
        moved_ns = time.time_ns()
        time.sleep(5)
        assert not [it for it in log.attempts(moved_ns) if it.peer.partition(":")[0] == old]
        assert any(at > moved_ns for _, at in log.heard()), "nobody publishes"
        lab.network.heal()
        until(lambda: node.sidecars_of(channel.id) == [], 30, lambda: lab.why(channel.id))
        published = log.first_after(time.time_ns()) or 0
        until(lambda: log.first_after(published) is not None, 60, lambda: lab.live(channel.id))
        assert lab.live(channel.id)["epoch"] == live["epoch"]
    verdict = judge_rtmp("rtmp", log)
    assert verdict.clean, verdict
