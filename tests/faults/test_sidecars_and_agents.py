"""Sidecars and agents killed and frozen, while independent receivers listen: nothing is doubled, nothing is lost."""

import os
import signal
import time
from contextlib import suppress

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.received import Aired, aired

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


def assert_sole(channel: Aired) -> None:
    """P2: no receiver heard two senders at once, or one that came back."""
    for verdict in channel.judged("test"):
        assert verdict.clean, verdict


def one_sidecar(lab: Lab, channel: Aired) -> int:
    (pid,) = lab.machine_of(channel.live).sidecars_of(channel.id)
    return pid


def test_p1_p2_p4_a_killed_sidecar_is_started_again_where_it_was(lab: Lab) -> None:
    """F1. P1: back on air with a new epoch on the same node, with an alarm that says so. P2, P4."""
    with aired(lab, "killed", udp=True) as channel:
        os.kill(one_sidecar(lab, channel), signal.SIGKILL)
        live = lab.on_air(channel.id, above_epoch=channel.epoch, node=channel.live["node_name"])
        assert live["epoch"] == channel.epoch + 1
        assert "sidecar_restarted" in lab.alarms()
        until(lambda: len(channel.udp.senders()) == 2, 10, channel.udp.senders)
        lab.log_is_complete(channel.id)
    assert_sole(channel)


def test_p2_a_frozen_sidecar_is_replaced_and_never_sends_again(lab: Lab) -> None:
    """F3. P2: one that stands still is killed before its follower is armed; a late SIGCONT wakes nobody."""
    with aired(lab, "frozen", udp=True) as channel:
        pid = one_sidecar(lab, channel)
        os.kill(pid, signal.SIGSTOP)
        live = lab.on_air(channel.id, above_epoch=channel.epoch)
        with suppress(ProcessLookupError):  # it is gone, as it should be
            os.kill(pid, signal.SIGCONT)
        assert live["node_name"] == channel.live["node_name"]
        until(lambda: len(channel.udp.senders()) == 2, 10, channel.udp.senders)
        lab.log_is_complete(channel.id)
    assert_sole(channel)


def test_p5_a_killed_agent_takes_nothing_off_air_and_finds_its_sidecars_again(lab: Lab) -> None:
    """P5, P6: an agent that is away is unknown, which is not dead: its UDP output holds, so nothing is moved; one alarm
    stands until it is back; not a datagram is lost."""
    with aired(lab, "agent", udp=True) as channel:
        node, pid = lab.machine_of(channel.live), one_sidecar(lab, channel)
        node.kill()
        until(lambda: "channel_unreachable" in lab.alarms(), 20, lambda: lab.why(channel.id))
        node.start()
        until(lambda: not {"channel_unreachable", "node_away"} & lab.alarms().keys(), 20, lab.alarms)
        live = lab.on_air(channel.id)
        assert (live["epoch"], one_sidecar(lab, channel)) == (channel.epoch, pid)
        lab.log_is_complete(channel.id)
    assert channel.udp.continuity_errors() == channel.udp.dropped == 0
    assert_sole(channel)


def test_p2_an_agent_that_slept_wakes_and_what_it_has_is_ended_not_aired(lab: Lab) -> None:
    """P1, P2: a frozen agent's HLS channel goes on elsewhere; when it wakes its old sidecar is ended and never public
    again, and the channel is not moved back."""
    with aired(lab, "asleep") as channel:
        node = lab.machine_of(channel.live)
        node.freeze()
        live = lab.on_air(channel.id, above_epoch=channel.epoch)
        assert live["node_name"] != node.host
        until(lambda: channel.index.log.first_segment_ns(live["epoch"]) is not None, 30, lambda: channel.index.log)
        node.thaw()
        until(lambda: node.sidecars_of(channel.id) == [], 20, lambda: node.log[-2000:])
        time.sleep(2)
        assert lab.live(channel.id)["epoch"] == live["epoch"]
        lab.log_is_complete(channel.id)
    assert_sole(channel)
