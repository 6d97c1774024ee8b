"""Alarms: what needs a person."""

from typing import Annotated

from fastapi import Query, Request

from db.errors import Missing
from db.models import Alarm as Row
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.base import Id, Page

routes = router("alarms")


@routes.get("/alarms", responses=documented())
async def list_alarms(
    context: Ctx,
    open_only: Annotated[bool, Query(description="Only those that are not cleared.")] = True,
    channel_id: Id | None = None,
    recorder_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Alarm]:
    """Newest first."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.alarms.list(
            open_only=open_only, channel_id=channel_id, recorder_id=recorder_id, after=after, limit=limit + 1
        )
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(views.alarm(row) for row in shown), next_cursor=following)


@routes.post("/alarms/{alarm_id}/acknowledge", responses=documented(404))
async def acknowledge_alarm(context: Ctx, who: Who, request: Request, alarm_id: Id) -> Alarm:
    """Somebody has seen it. It stays until its cause is gone, a fact such as a damaged log only until now; who
    acknowledged it first stays too."""
    async with context.store.write() as tx:
        row = await tx.alarms.get(alarm_id)
        require_sight(who, await _project_of(tx, row), "alarm", alarm_id)
        row = await tx.alarms.acknowledge(alarm_id, who.name, context.clock.now())
    note(request, code=row.code)
    view = views.alarm(row)
    context.events.publish("alarm", view)
    context.supervision.alarm_acknowledged(row.code, row.channel_id or row.recorder_id, row.node_id)
    return view


async def _project_of(tx: Transaction, row: Row) -> str | None:
    """Of its channel or recorder. An alarm outlives either, and is an admin's then."""
    try:
        if row.channel_id is not None:
            return (await tx.channels.get(row.channel_id)).project_id
        if row.recorder_id is not None:
            return (await tx.recorders.get(row.recorder_id)).project_id
    except Missing:
        pass
    return None
