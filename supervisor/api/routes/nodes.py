"""Nodes: the machines that channels play on."""

from fastapi import Request, Response

from db.models import Node as Row
from supervisor.api import views
from supervisor.api.context import Context, Ctx
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.errors import Conflict, Invalid
from supervisor.schemas.base import Id, Page
from supervisor.schemas.node import Node, NodeIn, NodePatch

routes = router("nodes")


@routes.get("/nodes", responses=documented())
async def list_nodes(context: Ctx, cursor: Cursor = None, limit: Limit = 100) -> Page[Node]:
    """By name, with how many channels are placed on each and when its agent last answered."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.nodes.list(after, limit + 1)
        placed = await tx.nodes.placed()
    shown, following = page_of(rows, limit, lambda row: (row.name,))
    return Page(items=tuple(node_view(context, row, placed) for row in shown), next_cursor=following)


@routes.post("/nodes", status_code=201, responses=documented(409))
async def create_node(context: Ctx, request: Request, response: Response, values: NodeIn) -> Node:
    """Another machine's node. It needs the URL of its agent; this machine's own node is there from the start."""
    if values.url is None:
        raise Invalid("another machine's node needs the url of its agent", hint="Give url, or use the local node.")
    async with context.store.write() as tx:
        row = await tx.nodes.add(
            name=values.name, kind="agent", url=values.url, capacity=values.capacity, now=context.clock.now()
        )
    note(request, f"node:{row.id}", name=row.name)
    view = _answer(context, response, row, {})
    context.events.publish("node", view)
    return view


@routes.get("/nodes/{node_id}", responses=documented(404))
async def read_node(context: Ctx, response: Response, node_id: Id) -> Node:
    """One node."""
    async with context.store.read() as tx:
        row = await tx.nodes.get(node_id)
        placed = await tx.nodes.placed()
    return _answer(context, response, row, placed)


@routes.patch("/nodes/{node_id}", responses=documented(404, 409, 428))
async def update_node(
    context: Ctx, request: Request, response: Response, node_id: Id, rev: SeenRev, changes: NodePatch
) -> Node:
    """Only what is given changes. A draining node gets no new channels; what plays there plays on."""
    given = changes.model_dump(exclude_none=True)
    if not given:
        raise Invalid("nothing to change is given")
    async with context.store.write() as tx:
        row = await tx.nodes.update(node_id, rev, given)
        placed = await tx.nodes.placed()
    note(request, saw_rev=rev, changed=given)
    view = _answer(context, response, row, placed)
    context.events.publish("node", view)
    return view


@routes.delete("/nodes/{node_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_node(context: Ctx, request: Request, node_id: Id, rev: SeenRev) -> None:
    """Only when no channel is there or wants to be. This machine's own node stays."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        row = await tx.nodes.get(node_id)
        if row.kind == "local":
            raise Conflict(f"node {row.name!r} is this supervisor's own machine", conflict="local_node")
        await tx.nodes.delete(node_id, rev)


def node_view(context: Context, row: Row, placed: dict[str, int]) -> Node:
    """A row with what is known of it now."""
    return views.node(row, placed.get(row.id, 0), context.supervision.node_answer_age_ms(row.id))


def _answer(context: Context, response: Response, row: Row, placed: dict[str, int]) -> Node:
    set_etag(response, row.rev)
    return node_view(context, row, placed)
