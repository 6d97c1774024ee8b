"""Doubt about ourselves: a fault of the watcher is not a fault of the watched (P6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.decisions.timing import Timing


@dataclass(frozen=True, slots=True)
class Fleet:
    """All nodes at one instant, as this supervisor sees them. Times are seconds on its monotonic clock.

    ``led_since``: when its present term began, None where it does not lead. ``stalled_at``: when it last noticed that
    it had itself stood still. ``evacuated``: by node, when its evacuation began.
    """

    now: float
    nodes: int
    away: frozenset[str]
    led_since: float | None
    stalled_at: float | None = None
    evacuated: Mapping[str, float] = field(default_factory=dict[str, float])


def is_mass_silence(fleet: Fleet) -> bool:
    """More than half of the nodes do not answer: it is us, or what lies between."""
    return is_mass_silence_of(len(fleet.away), fleet.nodes)


def is_mass_silence_of(away: int, nodes: int) -> bool:
    """The same of so many nodes."""
    return away * 2 > nodes


def why_no_evacuation(fleet: Fleet, node_id: str, timing: Timing) -> str:
    """Why nothing is moved off this node now, in an operator's words; empty where it may be."""
    if fleet.led_since is None:
        return "this supervisor does not lead"
    left = fleet.led_since + timing.warm_up - fleet.now
    if left > 0:
        return "this supervisor has led for too short a time to judge"
    if fleet.stalled_at is not None and fleet.now - fleet.stalled_at < timing.pause_doubt:
        return "this supervisor itself stood still a moment ago"
    if is_mass_silence(fleet):
        return f"{len(fleet.away)} of {fleet.nodes} nodes do not answer, so the fault is taken to be on this side"
    if node_id not in fleet.evacuated:
        recent = [at for at in fleet.evacuated.values() if fleet.now - at < timing.evacuate_every]
        if len(recent) >= timing.evacuate_most:
            return f"{len(recent)} nodes are being evacuated already"
    return ""
