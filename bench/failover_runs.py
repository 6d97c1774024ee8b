"""One run of each way that a channel's air is interrupted, on real processes, measured by who receives it.

A run answers named seconds. Every run also gives the receivers' verdicts: two senders at once would be a fault of P2.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.fixtures.homes import until
from tests.fixtures.lab import AGENT_PORT, NODES, Lab
from tests.fixtures.machines import ApiError, Machine, SupervisorMachine
from tests.fixtures.received import SETTLED_S, STEADY_S, aired
from tests.instruments.double_air import Verdict

NS = 1_000_000_000
_LARGE = 1000
"""Channels."""


@dataclass
class Outcome:
    seconds: dict[str, float] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


def first_picture_ns(lab: Lab, channel_id: str, epoch: int) -> int | None:
    """The instant of frame 0 of ``epoch``, which its own journal says: its due time, on whichever node's disk."""
    for machine in lab.nodes.values():
        for path in (machine.home / "journal" / channel_id).glob("*/*.jsonl"):
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(ValueError):
                    record = json.loads(line[9:])
                    if record["epoch"] == epoch and record["kind"] == "on_air":
                        return int(record["wall_ns"])
    return None


def _since(at_ns: int | None, began_ns: int) -> float:
    """Seconds; raises ValueError for what never came."""
    if at_ns is None:
        raise ValueError("it never came")
    return round((at_ns - began_ns) / NS, 3)


def sidecar_killed(lab: Lab, name: str) -> Outcome:
    """kill -9 of the sidecar alone: the same node starts it again, by its spare one."""
    return _sidecar_killed(lab, name, "sidecar_killed")


def sidecar_killed_cold(lab: Lab, name: str) -> Outcome:
    """The same on nodes that keep no spare sidecar."""
    return _sidecar_killed(lab, name, "sidecar_killed_cold")


def _sidecar_killed(lab: Lab, name: str, what: str) -> Outcome:
    with aired(lab, name, udp=True) as channel:
        assert channel.capture is not None
        heard = channel.capture.capture
        (sidecar,) = lab.machine_of(channel.live).sidecars_of(channel.id)
        old = heard.datagrams[-1].sender
        began = time.time_ns()
        os.kill(sidecar, signal.SIGKILL)
        until(lambda: heard.first_after(began, not_of=old) is not None, SETTLED_S, lambda: lab.why(channel.id))
        epoch = channel.live["epoch"] + 1
        until(lambda: channel.index.log.first_segment_ns(epoch) is not None, SETTLED_S, lambda: lab.why(channel.id))
        seconds = {
            what: _since(heard.first_after(began, not_of=old), began),
            f"{what}_segment": _since(channel.index.log.first_segment_ns(epoch), began),
        }
    return Outcome(seconds, channel.judged(name))


def _lost(lab: Lab, name: str, what: str, lose: Callable[[Machine], None], back: Callable[[Machine], None]) -> Outcome:
    """The node under a channel of each kind of fencing is lost; they go on elsewhere."""
    outcome = Outcome()
    with ExitStack() as stack:
        home = lab.nodes[_gather(lab)]
        hls = stack.enter_context(aired(lab, f"{name} hls"))
        udp = stack.enter_context(aired(lab, f"{name} udp", udp=True, lease_stop=True))
        # Where the first publisher wins, the old open session airs on and nothing is interrupted.
        rtmp = stack.enter_context(aired(lab, f"{name} rtmp", rtmp="last"))
        channels = (hls, udp, rtmp)
        assert {channel.live["node_name"] for channel in channels} == {home.host}
        assert udp.capture is not None
        assert rtmp.rtmp is not None
        heard, published = udp.capture.capture, rtmp.rtmp.log
        old, publisher = heard.datagrams[-1].sender, published.connections[-1].name
        began = time.time_ns()
        lose(home)
        try:
            for channel in channels:
                lab.on_air(channel.id, above_epoch=channel.live["epoch"], timeout=SETTLED_S)
            until(lambda: heard.first_after(began, not_of=old) is not None, SETTLED_S, lambda: lab.why(udp.id))
            until(
                lambda: published.first_after(began, not_of=publisher) is not None, SETTLED_S, lambda: lab.why(rtmp.id)
            )
            epoch = int(lab.live(hls.id)["epoch"])
            until(lambda: hls.index.log.first_segment_ns(epoch) is not None, SETTLED_S, lambda: lab.why(hls.id))
            outcome.seconds = {
                f"{what}_hls": _since(first_picture_ns(lab, hls.id, epoch), began),
                f"{what}_hls_segment": _since(hls.index.log.first_segment_ns(epoch), began),
                f"{what}_udp": _since(heard.first_after(began, not_of=old), began),
                f"{what}_rtmp": _since(published.first_after(began, not_of=publisher), began),
            }
        finally:
            back(home)
            time.sleep(STEADY_S)  # what wakes there is given the time to do wrong
            for channel in channels:
                outcome.verdicts += channel.judged(name)
            _answers(lab, home.host)
    return outcome


def node_killed(lab: Lab, name: str) -> Outcome:
    """Power off: agent and sidecars killed -9 at once."""
    return _lost(lab, name, "node_killed", lambda node: node.lose(), lambda node: node.start())


def node_cut(lab: Lab, name: str) -> Outcome:
    """The node's control network is gone, both ways; it plays on and reaches the receivers."""

    def cut(node: Machine) -> None:
        for host in lab.supervisors:
            lab.network.cut(node.host, host)

    return _lost(lab, name, "node_cut", cut, lambda _: lab.network.heal())


def leader_killed(lab: Lab, name: str) -> Outcome:
    """kill -9 of the leader: the other one's first take that a sidecar obeys."""
    return _leaderless(lab, name, "leader_killed", lambda leader: leader.kill(), lambda leader: leader.start())


def leader_frozen(lab: Lab, name: str) -> Outcome:
    """SIGSTOP of the leader, and SIGCONT when the other one acts."""
    return _leaderless(lab, name, "leader_frozen", lambda leader: leader.freeze(), lambda leader: leader.thaw())


def _leaderless(
    lab: Lab, name: str, what: str, lose: Callable[[SupervisorMachine], None], back: Callable[[SupervisorMachine], None]
) -> Outcome:
    with aired(lab, name, udp=True) as channel:
        assert channel.capture is not None
        leader = lab.leader()
        other = next(machine for machine in lab.supervisors.values() if machine is not leader)
        began = time.time_ns()
        lose(leader)
        try:
            deadline = time.monotonic() + SETTLED_S
            while not _obeyed(other, channel.id):
                assert time.monotonic() < deadline, other.log[-3000:]
                time.sleep(0.02)  # how finely the instant is told
            acting = _since(time.time_ns(), began)
        finally:
            back(leader)
        until(lambda: _follows(leader), SETTLED_S, lambda: leader.log[-3000:])
        lab.on_air(channel.id)
    return Outcome({what: acting}, channel.judged(name))


def supervisors_restarted(lab: Lab, name: str) -> Outcome:
    """Both supervisors killed and started again: the channels are adopted, and not a frame is lost."""
    with ExitStack() as stack:
        channels = [stack.enter_context(aired(lab, f"{name} {number}", udp=True)) for number in range(3)]
        pids = {node.host: sorted(node.sidecars()) for node in lab.nodes.values()}
        began = time.time_ns()
        for machine in lab.supervisors.values():
            machine.kill()
        for machine in lab.supervisors.values():
            machine.start()
        for channel in channels:
            epoch = lab.on_air(channel.id, timeout=SETTLED_S)["epoch"]
            assert epoch == channel.live["epoch"], f"{channel.id} was started anew: {epoch}, {channel.live['epoch']}"
        adopted = _since(time.time_ns(), began)
        time.sleep(1.0)  # what a supervisor does wrong right after it adopted is still seen
        after = {node.host: sorted(node.sidecars()) for node in lab.nodes.values()}
        # More there may be: a node warms up another spare sidecar when the last was given work.
        assert all(set(pids[host]) <= set(after[host]) for host in pids), f"sidecars are gone: {pids}, {after}"
        captures = [channel.capture.capture for channel in channels if channel.capture is not None]
        lost = sum(capture.continuity_errors() + capture.dropped for capture in captures)
        verdicts = [verdict for channel in channels for verdict in channel.judged(name)]
    return Outcome({"supervisors_restarted": adopted, "frames_lost": float(lost)}, verdicts)


def _obeyed(machine: SupervisorMachine, channel_id: str) -> bool:
    try:
        machine.api.post(f"/channels/{channel_id}/take", {}, timeout=2.0)
    except (OSError, ApiError):
        return False
    return True


def _follows(machine: SupervisorMachine) -> bool:
    try:
        return not machine.api.get("/supervisor", timeout=2.0)["leader"]
    except (OSError, ApiError):
        return False


def _gather(lab: Lab) -> str:
    """The node that every new channel is placed on: it is by far the largest, and on each other one something plays.

    Not by draining the others: a channel that can be moved nowhere when it starts is given no lease.
    """
    api = lab.leader().api
    nodes = {node["name"]: node for node in api.everything("/nodes") if node["name"] in NODES}
    home, *others = sorted(nodes)
    if nodes[home]["capacity"] != _LARGE:
        api.call("PATCH", f"/nodes/{nodes[home]['id']}", rev=nodes[home]["rev"], json={"capacity": _LARGE})
        for host in others:
            lab.start(lab.channel(f"bystander on {host}", node_id=nodes[host]["id"]), SETTLED_S)
    return home


def _answers(lab: Lab, host: str) -> None:
    def there() -> bool:
        nodes = lab.leader().api.everything("/nodes")
        return any(node["name"] == host and node["state"] == "answers" for node in nodes)

    until(there, SETTLED_S, lambda: f"{host} at port {AGENT_PORT}: {lab.nodes[host].log[-2000:]}")
