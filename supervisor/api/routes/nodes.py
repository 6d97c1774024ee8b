"""Nodes: the machines that channels play on."""

from fastapi import Request, Response

from db.models import Node as Row
from supervisor.agent.belonging import CanBeAdopted
from supervisor.agent.interface import AgentAway
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.node_spec import check_encrypted, check_node_url
from supervisor.api.nodes_seen import read_nodes
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import Permission, may
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.api.sight import mine_of, node_for
from supervisor.errors import Conflict, Invalid, NotFound, Unavailable
from supervisor.schemas.base import Id, Page
from supervisor.schemas.event import NodeDeleted
from supervisor.schemas.node import LostIn, Node, NodeIn, NodePatch

routes = router("nodes")


@routes.get("/nodes", responses=documented())
async def list_nodes(context: Ctx, who: Who, cursor: Cursor = None, limit: Limit = 100) -> Page[Node]:
    """By name, with what plays on each, who holds its ports, and how this supervisor sees it now.

    Who does not look after the station's machines is told which of them play what they see, and whether these answer.
    """
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        if not may(who, Permission.VIEW_STATION):
            mine = mine_of(who, context.supervision)
            every = await read_nodes(tx, context.supervision, context.clock.now())
            return Page(items=tuple(one for node in every if (one := node_for(who, node, mine)) is not None))
        rows, following = page_of(await tx.nodes.list(after, limit + 1), limit, lambda row: (row.name,))
        nodes = await read_nodes(tx, context.supervision, context.clock.now(), rows)
    return Page(items=nodes, next_cursor=following)


@routes.post("/nodes", status_code=201, responses=documented(409))
async def create_node(context: Ctx, request: Request, response: Response, values: NodeIn) -> Node:
    """Another machine's node. It needs the URL of its agent; this machine's own node is there from the start."""
    if values.url is None:
        raise Invalid("another machine's node needs the url of its agent", hint="Give url, or use the local node.")
    url = check_node_url(values.url, context.reach)
    check_encrypted(url, insecure_http=values.insecure_http)
    async with context.store.write() as tx:
        row = await tx.nodes.add(
            name=values.name,
            kind="agent",
            url=url,
            capacity=values.capacity,
            certificate=values.fingerprint,
            now=context.clock.now(),
        )
    note(request, f"node:{row.id}", name=row.name, url=url)
    return await _changed(context, response, row)


@routes.get("/nodes/{node_id}", responses=documented(404))
async def read_node(context: Ctx, who: Who, response: Response, node_id: Id) -> Node:
    """One node."""
    async with context.store.read() as tx:
        row = await tx.nodes.get(node_id)
        (view,) = await read_nodes(tx, context.supervision, context.clock.now(), (row,))
    shown = node_for(who, view, mine_of(who, context.supervision))
    if shown is None:
        raise NotFound(f"there is no node {node_id}")
    set_etag(response, row.rev)
    return shown


@routes.patch("/nodes/{node_id}", responses=documented(404, 409, 428))
async def update_node(
    context: Ctx, request: Request, response: Response, node_id: Id, rev: SeenRev, changes: NodePatch
) -> Node:
    """Only what is given changes.

    A draining node gets no new channels; what plays there plays on. In maintenance its channels are moved elsewhere
    too, those that can be moved.
    """
    given = changes.model_dump(exclude_none=True, exclude={"fingerprint", "insecure_http"})
    if changes.fingerprint is not None:
        given |= {"certificate": changes.fingerprint, "certificate_given": bool(changes.fingerprint)}
    if not given:
        raise Invalid("nothing to change is given")
    if changes.url is not None:
        given["url"] = check_node_url(changes.url, context.reach)
    note(request, saw_rev=rev, changed=given)
    async with context.store.write() as tx:
        row = await tx.nodes.get(node_id)
        if changes.url is not None and row.kind == "local":
            raise Conflict(f"node {row.name!r} is this supervisor's own machine", conflict="local_node")
        if changes.url is not None:
            check_encrypted(given["url"], insecure_http=changes.insecure_http)
        if given.get("url", row.url) != row.url and not row.certificate_given:
            # Another door, another certificate: the first that is seen there is taken.
            given.setdefault("certificate", "")
        note(request, name=row.name, before={name: getattr(row, name) for name in given})
        row = await tx.nodes.update(node_id, rev, given)
    return await _changed(context, response, row)


@routes.delete("/nodes/{node_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_node(context: Ctx, request: Request, node_id: Id, rev: SeenRev) -> None:
    """Only when no channel is there or wants to be. This machine's own node stays."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        row = await tx.nodes.get(node_id)
        if row.kind == "local":
            raise Conflict(f"node {row.name!r} is this supervisor's own machine", conflict="local_node")
        await tx.nodes.delete(node_id, rev)
    note(request, name=row.name)
    context.events.publish("node_deleted", NodeDeleted(node_id=node_id))


@routes.post("/nodes/{node_id}/declare-lost", responses=documented(404, 409))
async def declare_node_lost(
    context: Ctx, who: Who, request: Request, response: Response, node_id: Id, values: LostIn
) -> Node:
    """An operator's word that the machine is dead: its channels are started elsewhere without waiting for leases.

    Said of a machine that lives, it puts channels on air twice. A node that answers is refused. Its port claims stay:
    each is released by name.
    """
    note(request, reason=values.reason)
    if context.supervision.node_seen(node_id).state == "answers":
        raise Conflict(
            "the node answers this supervisor, so it is not dead",
            conflict="node_answers",
            hint="To empty it, put it in maintenance.",
        )
    if context.supervision.node_seen(node_id).state == "other_cluster":
        raise Conflict(
            "the node lives and plays for another cluster, so it is not dead",
            conflict="other_cluster",
            hint="Take it over by mcr node adopt, if that is meant.",
        )
    async with context.store.write() as tx:
        seen = await tx.nodes.get(node_id)
        now = context.clock.now()
        row = await tx.nodes.declare_lost(node_id, seen.rev, by=who.name, reason=values.reason, now=now)
    note(request, name=row.name)
    return await _changed(context, response, row)


@routes.post("/nodes/{node_id}/accept", responses=documented(404, 409))
async def accept_node(context: Ctx, request: Request, response: Response, node_id: Id) -> Node:
    """Trusts the incarnation that answers at the node's url now: a new machine, or one whose disk was replaced.

    What ran on the old one is taken for gone. Refused where no other incarnation answers than the one that is known.
    """
    seen = context.supervision.node_seen(node_id)
    async with context.store.write() as tx:
        row = await tx.nodes.get(node_id)
        if not seen.foreign:
            raise Conflict(
                f"no other machine answers in the place of node {row.name!r}",
                conflict="nothing_to_accept",
                hint=f"What is known of it: {seen.fault}."
                if seen.fault
                else "It answers, and is the one that is known.",
            )
        row = await tx.nodes.accept(node_id, row.rev, seen.foreign)
    note(request, name=row.name, incarnation=seen.foreign)
    return await _changed(context, response, row)


@routes.post("/nodes/{node_id}/adopt", responses=documented(404, 409))
async def adopt_node(context: Ctx, request: Request, response: Response, node_id: Id) -> Node:
    """Has a node that belongs to another cluster belong to this one: after a restore that is to take over.

    The other cluster commands it no more. Refused of a node that does not say that it belongs to another.
    """
    async with context.store.read() as tx:
        row = await tx.nodes.get(node_id)
    note(request, name=row.name)
    seen, agent = context.supervision.node_seen(node_id), context.supervision.agent_of(node_id)
    if seen.state != "other_cluster" or not isinstance(agent, CanBeAdopted):
        raise Conflict(
            f"node {row.name!r} does not say that it belongs to another cluster",
            conflict="nothing_to_adopt",
            hint=f"What is known of it: {seen.fault}." if seen.fault else "It answers, and obeys this cluster.",
        )
    try:
        await agent.adopt()
    except (AgentAway, OSError) as error:
        raise Unavailable(f"node {row.name!r} was not adopted: {error}") from error
    return await _changed(context, response, row)


async def _changed(context: Context, response: Response, row: Row) -> Node:
    """Tells every console about a node that was added or changed, and answers it."""
    async with context.store.read() as tx:
        (view,) = await read_nodes(tx, context.supervision, context.clock.now(), (row,))
    context.events.publish("node", view)
    set_etag(response, row.rev)
    return view
