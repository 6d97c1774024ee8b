"""History: what happened and what was decided, kept by the store. What happens now is in ``stream``."""

from typing import Annotated

from fastapi import Query

from supervisor.api import views
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import within
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.schemas.base import Id, Page
from supervisor.schemas.history import HistoryEvent, HistoryKind

routes = router("history")


@routes.get("/history", responses=documented())
async def list_history(
    context: Ctx,
    who: Who,
    channel_id: Id | None = None,
    node_id: Id | None = None,
    kind: Annotated[list[HistoryKind] | None, Query(description="Only these; may be given again.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[HistoryEvent]:
    """Newest first: decisions with their reasons, phases, alarms, nodes, claims and leaders.

    It is bounded by age and number; what a deleted channel left stays until then,
    for admins to read.
    """
    before = decode_cursor(cursor, int)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.events.list(
            channel_id=channel_id,
            node_id=node_id,
            kinds=tuple(kind or ()),
            within=within(who),
            before=before,
            limit=limit + 1,
        )
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(views.history_event(row) for row in shown), next_cursor=following)
