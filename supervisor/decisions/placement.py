"""Which node a channel may be started on, and which could take it over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from supervisor.decisions.view import Candidate, Site


@dataclass(frozen=True, slots=True)
class MediaVerdict:
    """Whether a node reads what a channel's coming rundown needs. ``fault`` is empty where it does.

    ``missing``: by path, why a clip cannot be read there.
    """

    fault: str = ""
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


UNSEEN_MEDIA = MediaVerdict("it has not been looked yet whether it reads the media")


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as one channel sees it. ``others``: how many other channels are placed there now.

    ``agent``: whether it takes our orders and answered the last probes. ``engines``: what it can play with; None where
    that is not known. ``troubled``: this channel failed there again and again a moment ago.
    """

    id: str
    name: str
    agent: Literal["answers", "silent", "undriven"]
    draining: bool
    capacity: int
    others: int
    maintenance: bool = False
    engines: frozenset[str] | None = None
    media: MediaVerdict = UNSEEN_MEDIA
    troubled: bool = False


def choose_site(
    nodes: Sequence[NodeFacts], wanted: str | None, placed: str | None, engine: str = "ffmpeg"
) -> Site | None:
    """The node people want, else where the channel is, else the best that may take it; None without any node.

    A node that drains or is full takes no new channel, but one that is there already is restarted in place: to lower
    a node's capacity takes nothing off air. Nor does a missing clip keep a channel off air: filler is better.
    """
    if wanted is not None:
        node = next((node for node in nodes if node.id == wanted), None)
        if node is None:
            return Site(wanted, wanted, "the node it is to play on is not known")
        return Site(node.id, node.name, _why_not_placed(node, placed, engine), node.agent == "answers")
    if not nodes:
        return None
    refusals: list[str] = []
    silent: Site | None = None
    for node in sorted(nodes, key=lambda node: _preference(node, placed)):
        why_not = _why_not_placed(node, placed, engine)
        if why_not:
            refusals.append(why_not)
        elif node.agent == "answers":
            return Site(node.id, node.name)
        else:
            silent = silent or Site(node.id, node.name, answers=False)
    return silent or Site(nodes[0].id, nodes[0].name, "; ".join(refusals))


def candidates(nodes: Sequence[NodeFacts], placed: str | None, engine: str = "ffmpeg") -> tuple[Candidate, ...]:
    """Every other node as a target of a move, those that can take it first, the best of them at the front.

    Here a node that cannot read the media is none: nothing would be gained.
    """
    others = sorted((node for node in nodes if node.id != placed), key=lambda node: _preference(node, None))
    made = [
        Candidate(node.id, node.name, _why_no_target(node, engine), node.media.missing if node.media.fault else {})
        for node in others
    ]
    return tuple(sorted(made, key=lambda candidate: bool(candidate.why_not)))


def _preference(node: NodeFacts, placed: str | None) -> tuple[object, ...]:
    here = node.id == placed and not node.troubled and not node.maintenance
    return (not here, node.troubled, node.maintenance, bool(node.media.fault), node.others / node.capacity, node.name)


def _why_not_placed(node: NodeFacts, placed: str | None, engine: str) -> str:
    if node.agent == "undriven":
        return f"no agent of node {node.name} is connected to this supervisor"
    if node.id == placed:
        return ""
    return _why_full(node) or _why_unable(node, engine)


def _why_no_target(node: NodeFacts, engine: str) -> str:
    if node.agent == "undriven":
        return f"no agent of node {node.name} is connected to this supervisor"
    if node.agent == "silent":
        return f"node {node.name} did not answer the last probes"
    if node.troubled:
        return f"the channel failed on node {node.name} again and again"
    why_not = _why_full(node) or _why_unable(node, engine)
    return why_not or (f"node {node.name}: {node.media.fault}" if node.media.fault else "")


def _why_full(node: NodeFacts) -> str:
    if node.maintenance:
        return f"node {node.name} is in maintenance"
    if node.draining:
        return f"node {node.name} drains"
    if node.others >= node.capacity:
        return f"node {node.name} is full: {node.others} of {node.capacity} channels"
    return ""


def _why_unable(node: NodeFacts, engine: str) -> str:
    if engine == "caspar":  # it is driven, and plays where it is
        return ""
    if node.engines is not None and engine not in node.engines:
        return f"node {node.name} has no engine {engine}"
    return ""
