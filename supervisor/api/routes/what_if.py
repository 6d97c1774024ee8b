"""If this node died now: always computed, never guessed at when it happens."""

from supervisor.api.context import Ctx
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.decisions import what_if as decided
from supervisor.schemas.base import Id
from supervisor.schemas.explanation import Candidate
from supervisor.schemas.what_if import Fate, Room, WhatIf

routes = router("nodes")


@routes.get("/nodes/{node_id}/what-if", responses=documented(404))
async def read_what_if(context: Ctx, node_id: Id) -> WhatIf:
    """What would become of what plays and records there if the machine died now: what would go where, what would stay
    off and why, whether its media are there, and what room is left."""
    async with context.store.read() as tx:
        row = await tx.nodes.get(node_id)
    supervision = context.supervision
    seen = supervision.what_if(node_id)
    return WhatIf(
        node_id=node_id,
        node_name=row.name,
        at=context.clock.now(),
        why_nothing=seen.why_nothing,
        supervisor_here=row.kind == "local" and supervision.node_seen(node_id).state != "undriven",
        fates=tuple(_fate(one) for one in seen.fates),
        rooms=tuple(
            Room(
                node_id=one.node_id,
                node_name=one.name,
                capacity=one.capacity,
                placed=one.placed,
                after=one.after,
                why_not=one.why_not,
            )
            for one in seen.rooms
        ),
    )


def _fate(one: decided.Fate) -> Fate:
    return Fate(
        kind=one.of.kind,
        id=one.of.id,
        name=one.of.name,
        number=one.of.number,
        to_node_id=None if one.target is None else one.target.node_id,
        to_node_name=None if one.target is None else one.target.node_name,
        why_not=one.why_not,
        when=one.when,
        candidates=tuple(
            Candidate(node_id=it.node_id, node_name=it.node_name, why_not=it.why_not, missing=dict(it.missing))
            for it in one.candidates
        ),
    )
