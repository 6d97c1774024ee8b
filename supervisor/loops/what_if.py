"""If this node died now: what this supervisor sees of it, put before the decision."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from supervisor.decisions.fencing import as_fencing
from supervisor.decisions.placement import NodeFacts
from supervisor.decisions.what_if import Aboard, Fate, Room, if_node_dies, rooms, why_nothing_moves
from supervisor.loops.channel import ChannelKeeper


@dataclass(frozen=True, slots=True)
class Outlook:
    """``why_nothing``: why none of it would be moved by itself; empty where ``fates`` say what would become of each."""

    fates: tuple[Fate, ...]
    rooms: tuple[Room, ...]
    why_nothing: str


def outlook(
    node_id: str,
    channels: Iterable[ChannelKeeper],
    recorders: Iterable[ChannelKeeper],
    nodes: Sequence[NodeFacts],
    away: frozenset[str],
) -> Outlook:
    """``nodes`` as one sees them who is placed nowhere; ``away``: those that do not answer as it is."""
    aboard = [_aboard(keeper, "channel") for keeper in channels if _is_there(keeper, node_id)]
    aboard += [_aboard(keeper, "recorder") for keeper in recorders if _is_there(keeper, node_id)]
    fates = if_node_dies(node_id, aboard)
    why_nothing = why_nothing_moves(node_id, len(nodes), away)
    return Outlook(fates, rooms(nodes, node_id, () if why_nothing else fates), why_nothing)


def _is_there(keeper: ChannelKeeper, node_id: str) -> bool:
    return keeper.row.node_id == node_id and keeper.row.desired == "on"


def _aboard(keeper: ChannelKeeper, kind: Literal["channel", "recorder"]) -> Aboard:
    row = keeper.row
    return Aboard(
        kind=kind,
        id=row.id,
        name=row.name,
        number=row.number if kind == "channel" else None,
        engine=row.engine,
        fencing=as_fencing(row.fenced_by if row.fencing_by is None else row.fencing_by),
        pinned=row.wanted_node_id is not None,
        vetoed_by=(row.hold_failover_by or "an operator") if row.hold_failover else "",
        nodes=tuple(keeper.nodes()),
    )
