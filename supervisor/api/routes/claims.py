"""Port claims: who owns which DeckLink port of which node, and since when."""

from typing import Annotated

from fastapi import Query, Request

from supervisor.api.context import Ctx, Who
from supervisor.api.nodes_seen import claims
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.errors import NotFound
from supervisor.schemas.base import Id, Page
from supervisor.schemas.claim import Claim, ReleaseIn

routes = router("claims")

LiveOnly = Annotated[bool, Query(description="Only those that are not released.")]


@routes.get("/claims", responses=documented())
async def list_claims(context: Ctx, live_only: LiveOnly = True) -> Page[Claim]:
    """By node and port. There are no more than there are ports, so it is one page."""
    async with context.store.read() as tx:
        return Page(items=await claims(tx, live_only=live_only))


@routes.get("/nodes/{node_id}/claims", responses=documented(404))
async def list_node_claims(context: Ctx, node_id: Id, live_only: LiveOnly = True) -> Page[Claim]:
    """One node's, by port."""
    async with context.store.read() as tx:
        await tx.nodes.get(node_id)
        return Page(items=await claims(tx, node_id=node_id, live_only=live_only))


@routes.post("/claims/{claim_id}/release", responses=documented(404, 409))
async def release_claim(context: Ctx, who: Who, request: Request, claim_id: Id, values: ReleaseIn) -> Claim:
    """Frees a port although nobody confirmed that its owner let go of it: an operator's word, by name.

    Said of a port that is still in use, the next owner takes the picture of the first one down.
    """
    note(request, reason=values.reason)
    async with context.store.write() as tx:
        row = await tx.ports.force_release(claim_id, by=who.name, reason=values.reason, now=context.clock.now())
        of_node = await claims(tx, node_id=row.node_id, live_only=False)
    released = next((claim for claim in of_node if claim.id == claim_id), None)
    if released is None:
        raise NotFound(f"there is no claim {claim_id}")
    note(request, node=released.node_name, port=released.port, owner=released.owner_name or released.owner_id)
    return released
