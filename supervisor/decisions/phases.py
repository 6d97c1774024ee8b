"""What the supervisor may be doing with a channel, and what may follow on what."""

from collections.abc import Mapping
from typing import Final, get_args

from supervisor.schemas.channel import Phase

TRANSITIONS: Final[Mapping[Phase, frozenset[Phase]]] = {
    "off": frozenset({"placing"}),
    "placing": frozenset({"starting", "blocked", "stopping"}),
    "blocked": frozenset({"placing", "stopping"}),
    "starting": frozenset({"running", "placing", "fencing", "stopping"}),
    "running": frozenset({"placing", "fencing", "stopping"}),
    "fencing": frozenset({"placing", "fencing", "starting", "stopping"}),
    "stopping": frozenset({"off"}),
}
"""``placing`` looks for a node; leaving it for ``starting`` raises the epoch. ``fencing`` makes sure that the old
sidecar is off air: in place before ``placing``; in a move, which raises the epoch when it begins (and again for another
target), before ``starting``, while the new sidecar waits muted on its node. Stopping always ends in off, whatever is
desired meanwhile: a stop is confirmed before a start."""


class IllegalTransition(Exception):
    """A decision that the table does not have: a fault of this program."""


def check_transition(old: Phase, new: Phase) -> None:
    """Raises IllegalTransition."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransition(f"{old} -> {new}")


def as_phase(text: str) -> Phase:
    """The phase a row names. Raises ValueError for one that this version does not know."""
    for phase in get_args(Phase):
        if phase == text:
            return phase
    raise ValueError(f"phase {text!r} is not known to this version")
