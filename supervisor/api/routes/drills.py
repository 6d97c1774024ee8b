"""Drills: faults made on purpose, and what was measured."""

from fastapi import Request

from supervisor import drills
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import sees
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.schemas.base import Page
from supervisor.schemas.drill import Drill, DrillIn

routes = router("drills")


@routes.post("/drills", status_code=201, responses=documented(404, 409, 502))
async def make_drill(context: Ctx, who: Who, request: Request, values: DrillIn) -> Drill:
    """Kills, freezes or isolates a channel's sidecar or a whole node, and measures until it is on air again.

    Done to what is marked as a test channel or node; to another only where `on_air_name` is its name. It answers at
    once, `running`; what was measured is in the list when it is over.
    """
    note(request, f"{values.target_kind}:{values.target_id}", kind=values.kind, seconds=values.seconds)
    note(request, on_air_name=values.on_air_name)
    row = await context.drills.begin(values, who)
    note(request, drill=row.id, name=row.target_name)
    return drills.shown(row, context.clock.now())


@routes.get("/drills", responses=documented())
async def list_drills(context: Ctx, who: Who, cursor: Cursor = None, limit: Limit = 100) -> Page[Drill]:
    """Newest first. Of channels of other projects than one's own it tells nothing."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.drills.list(before, limit + 1)
    kept, following = page_of(rows, limit, lambda row: (row.id,))
    now = context.clock.now()

    def in_sight(channel_id: str) -> bool:
        row = context.supervision.row(channel_id)
        return sees(who, None if row is None else row.project_id)

    seen = (drills.for_eyes(drills.shown(row, now), in_sight) for row in kept)
    return Page(items=tuple(drill for drill in seen if drill is not None), next_cursor=following)
