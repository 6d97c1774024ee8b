"""What would become of a node's channels and recorders if its machine died this moment. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from supervisor.decisions.doubt import is_mass_silence_of
from supervisor.decisions.fencing import Fencing, no_target, target_of, why_unproven
from supervisor.decisions.placement import NodeFacts, candidates
from supervisor.decisions.view import Candidate

When = Literal["at_once", "after_lease", "never"]


@dataclass(frozen=True, slots=True)
class Aboard:
    """A channel or a recorder that is placed on the node. ``nodes``: all of them, as its own placement sees them."""

    kind: Literal["channel", "recorder"]
    id: str
    name: str
    number: int | None
    engine: str
    fencing: Fencing
    pinned: bool
    vetoed_by: str
    nodes: tuple[NodeFacts, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """``target``: where it would go. ``why_not``: why it would stay off the air; then ``target`` is where it would go
    once an operator says that the machine is dead, None where that would change nothing.

    ``candidates``: every other node, with what of its coming clips cannot be read there.
    """

    of: Aboard
    target: Candidate | None
    why_not: str
    when: When
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """A node that is left: how many it has, and would have. ``why_not``: why it takes nothing now."""

    node_id: str
    name: str
    capacity: int
    placed: int
    after: int
    why_not: str


def if_node_dies(node_id: str, aboard: Sequence[Aboard]) -> tuple[Fate, ...]:
    """By number, each with the room that those before it leave."""
    taken: Counter[str] = Counter()
    fates: list[Fate] = []
    for one in sorted(aboard, key=lambda one: (one.kind, one.number or 0, one.name)):
        seen = tuple(replace(node, others=node.others + taken[node.id]) for node in one.nodes)
        found = candidates(seen, node_id, one.engine)
        target = target_of(found)
        fixed = _why_fixed(one)
        why_not = fixed or why_unproven(one.fencing) or ("" if target is not None else no_target(found))
        if fixed:
            target = None
        if not why_not and target is not None:
            taken[target.node_id] += 1
        when: When = "never" if why_not else "after_lease" if one.fencing == "lease" else "at_once"
        fates.append(Fate(one, target, why_not, when, found))
    return tuple(fates)


def rooms(nodes: Sequence[NodeFacts], node_id: str, fates: Sequence[Fate]) -> tuple[Room, ...]:
    """The other nodes by name. ``nodes``: as somebody sees them who is placed nowhere."""
    going = Counter(fate.target.node_id for fate in fates if fate.target is not None and not fate.why_not)
    return tuple(
        Room(node.id, node.name, node.capacity, node.others, node.others + going[node.id], _why_closed(node))
        for node in sorted(nodes, key=lambda node: node.name)
        if node.id != node_id
    )


def why_nothing_moves(node_id: str, nodes: int, away: frozenset[str]) -> str:
    """Why nothing at all would be moved; empty where it would be."""
    silent = away | {node_id}
    if nodes == 1:
        return "there is no other node"
    if is_mass_silence_of(len(silent), nodes):
        return (
            f"{len(silent)} of {nodes} nodes would then not answer, so the fault would be taken to be on this side: "
            "nothing moves until an operator says that the machine is dead"
        )
    return ""


def _why_fixed(one: Aboard) -> str:
    if one.pinned:
        return (
            "it is to play there and nowhere else" if one.kind == "channel" else "it is to record there, not elsewhere"
        )
    return f"failover is held by {one.vetoed_by}" if one.vetoed_by else ""


def _why_closed(node: NodeFacts) -> str:
    if node.agent != "answers":
        return "does not answer" if node.agent == "silent" else "no agent of it is connected to this supervisor"
    if node.maintenance:
        return "is in maintenance"
    return "drains" if node.draining else ""
