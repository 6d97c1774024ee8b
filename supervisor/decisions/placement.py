"""Which node a channel may be started on."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.decisions.view import Site


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """``driven``: this supervisor has an agent for it. ``others``: how many other channels are placed there now."""

    id: str
    name: str
    driven: bool
    draining: bool
    capacity: int
    others: int


def choose_site(nodes: Sequence[NodeFacts], wanted: str | None, placed: str | None) -> Site | None:
    """The node people want, else where the channel is, else the emptiest that may take it; None without any node.

    A node that drains or is full takes no new channel, but one that is there already is restarted in place: to lower
    a node's capacity takes nothing off air.
    """
    if wanted is not None:
        node = next((node for node in nodes if node.id == wanted), None)
        if node is None:
            return Site(wanted, wanted, "the node it is to play on is not known")
        return Site(node.id, node.name, _why_not(node, placed))
    if not nodes:
        return None
    here = [node for node in nodes if node.id == placed]
    free = sorted((node for node in nodes if node.id != placed), key=lambda node: (node.others, node.name))
    refusals: list[str] = []
    for node in (*here, *free):
        why_not = _why_not(node, placed)
        if not why_not:
            return Site(node.id, node.name)
        refusals.append(why_not)
    return Site(nodes[0].id, nodes[0].name, "; ".join(refusals))


def _why_not(node: NodeFacts, placed: str | None) -> str:
    if not node.driven:
        return f"no agent of node {node.name} is connected to this supervisor"
    if node.draining and node.id != placed:
        return f"node {node.name} drains"
    if node.others >= node.capacity and node.id != placed:
        return f"node {node.name} is full: {node.others} of {node.capacity} channels"
    return ""
