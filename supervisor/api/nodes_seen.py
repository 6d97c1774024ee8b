"""Nodes as the API shows them: their rows, who holds their ports, and how this supervisor sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from db import models
from db.transaction import Transaction
from supervisor.api import views
from supervisor.loops.supervision import Supervision
from supervisor.schemas.claim import Claim
from supervisor.schemas.node import Node


async def claims(tx: Transaction, *, node_id: str | None = None, live_only: bool = True) -> tuple[Claim, ...]:
    """Claims on DeckLink ports with the names of their owners and nodes."""
    rows = await tx.ports.list(node_id=node_id, live_only=live_only)
    if not rows:
        return ()
    nodes = {row.id: row.name for row in await tx.nodes.list()}
    owners = {("channel", row.id): row.name for row in await tx.channels.list()}
    owners |= {("recorder", row.id): row.name for row in await tx.recorders.list()}
    return tuple(claim_view(row, nodes, owners) for row in rows)


def claim_view(row: models.PortClaim, nodes: Mapping[str, str], owners: Mapping[tuple[str, str], str]) -> Claim:
    """One claim; ``owners`` by kind and id."""
    names = ("id", "node_id", "port", "device_index", "owner_kind", "owner_id", "epoch", "state", "since")
    released = ("released_at", "released_by", "released_reason")
    return Claim.model_validate(
        {
            **{name: getattr(row, name) for name in (*names, *released)},
            "node_name": nodes.get(row.node_id, row.node_id),
            "owner_name": owners.get((row.owner_kind, row.owner_id)),
        }
    )


async def read_nodes(
    tx: Transaction, supervision: Supervision, now: datetime, rows: Sequence[models.Node] | None = None
) -> tuple[Node, ...]:
    """These nodes in their order; None: all, by name."""
    if rows is None:
        rows = await tx.nodes.list()
    placed = await tx.nodes.placed()
    held = await claims(tx)
    return tuple(
        views.node(
            row,
            placed.get(row.id, 0),
            supervision.node_seen(row.id),
            [claim for claim in held if claim.node_id == row.id],
            now,
        )
        for row in rows
    )
