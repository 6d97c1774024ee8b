"""What it takes to be sure that an old sidecar is off air, by its outputs, and whether its channel may be moved."""

from collections.abc import Iterable
from typing import Final, Literal

from supervisor.decisions.view import Candidate, View

Fencing = Literal["resource", "lease", "unleased", "hold", "server", "cable"]
"""How an output keeps an old sidecar from the air that nobody reaches.

``resource``: what it writes nobody looks at (HLS: an epoch's own directory). ``lease``: it stops sending, or never
connects again, once its lease has run out. ``unleased``: it would, but was started without one. ``hold``: it sends on,
so only a confirmed exit proves that it is silent. ``server``: a CasparCG server plays on whatever becomes of who drives
it. ``cable``: the signal leaves by a card of its node and of no other.
"""

ServerPlace = Literal["none", "here", "elsewhere"]
"""``here``: on the node of whoever drives it, so that another node's sidecar drives another server."""

_HERE: Final = frozenset({"localhost", "::1", "0.0.0.0", "::"})  # noqa: S104 - nobody listens there

STOP_UNPROVEN: Final = "did not end what the CasparCG server plays"
"""How a failure begins that is none of the air."""

_STRICTER: Final[tuple[Fencing, ...]] = ("resource", "lease", "unleased", "hold", "server", "cable")


def fencing_of_output(kind: str, *, lease_stop: bool) -> Fencing:
    """Of one output. A kind that this version does not know holds: nothing is known to stop it."""
    match kind:
        case "hls" | "file":
            return "resource"
        case "rtmp" | "srt":
            return "lease"
        case "udp":
            return "lease" if lease_stop else "hold"
        case "decklink":
            return "cable"
        case _:
            return "hold"


def fencing_of_engine(engine: str) -> Fencing:
    """Of what plays a channel, whatever its outputs."""
    return "server" if engine == "caspar" else "resource"


def server_place(engine: str, host: str) -> ServerPlace:
    """``host`` as its sidecar connects to it."""
    if engine != "caspar":
        return "none"
    return "here" if host.startswith("127.") or host.lower() in _HERE else "elsewhere"


def strictest(each: Iterable[Fencing]) -> Fencing:
    """Of a channel: that of its output which is hardest to be sure of."""
    strictest_yet: Fencing = "resource"
    for fencing in each:
        if _STRICTER.index(fencing) > _STRICTER.index(strictest_yet):
            strictest_yet = fencing
    return strictest_yet


def as_fencing(text: str) -> Fencing:
    """What a row names. One that this version does not know holds: nothing is known to stop it."""
    match text:
        case "resource" | "lease" | "unleased" | "hold" | "server" | "cable":
            return text
        case _:
            return "hold"


def why_not_moved(view: View) -> str:
    """Why a channel is not moved off a node that does not answer; empty where it is to be moved.

    An operator's word that the machine is dead stands in for every proof, and for what speaks against acting now.
    """
    if view.pinned:
        return f"it is to play on {view.agent_name} and nowhere else"
    if view.vetoed_by:
        return f"failover is held by {view.vetoed_by}"
    if not view.node_lost:
        unproven = why_unproven(view.fencing)
        if unproven or view.why_stay:
            return unproven or view.why_stay
    if target_of(view.targets) is None:
        return no_target(view.targets)
    return ""


def why_not_left(view: View) -> str:
    """Why a channel stays on a node that is to be emptied, though that answers; empty where it is to be moved."""
    if view.pinned:
        return "it is to play there and nowhere else"
    if view.vetoed_by:
        return f"failover is held by {view.vetoed_by}"
    if view.fencing == "cable":
        return "a DeckLink output is moved by people alone"
    if view.server == "here":
        return "its CasparCG server is there and would play on: stop the channel, then start it elsewhere"
    return "" if target_of(view.targets) is not None else no_target(view.targets)


def why_unproven(fencing: Fencing) -> str:
    """Why nobody can be sure that what plays on a node that is not reached is off air; empty where that can be."""
    match fencing:
        case "cable":
            return "a DeckLink output is moved by people alone"
        case "hold":
            return "its UDP output holds, so it may still be sending"
        case "server":
            return "its CasparCG server plays on by itself"
        case "unleased":
            return "it was started without a lease that could run out"
        case "lease" | "resource":
            return ""


def why_plays_on(view: View) -> str:
    """Why the CasparCG server of a channel that is being stopped may still play; empty where it was seen to end.

    That its sidecar is gone says nothing: the server confirmed the end where that one ended well, and only there.
    """
    if view.server == "none" or view.node_id is None:
        return ""
    sighting = view.sighting
    if sighting is None or sighting.epoch != view.epoch:
        return "no sidecar has told it to end"
    if sighting.exit is None or sighting.ended_well:
        return ""
    return f"the sidecar that was to end it {sighting.exit}"


def target_of(targets: tuple[Candidate, ...]) -> Candidate | None:
    """The first that can take it."""
    return next((target for target in targets if not target.why_not), None)


def no_target(targets: tuple[Candidate, ...]) -> str:
    """Why none can."""
    if not targets:
        return "there is no other node"
    return f"no other node can take it: {'; '.join(target.why_not for target in targets)}"
