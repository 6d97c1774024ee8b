"""Alarms: what needs a person."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query, Request

from db.errors import Missing
from db.models import Alarm as Row
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import Permission, may, require_sight, within
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.errors import Conflict
from supervisor.principal import Principal
from supervisor.schemas.alarm import Alarm, ShelveIn
from supervisor.schemas.base import Id, Page
from supervisor.webhooks.facts import post_alarms

routes = router("alarms")


@routes.get("/alarms", responses=documented())
async def list_alarms(
    context: Ctx,
    who: Who,
    open_only: Annotated[bool, Query(description="Only those that are not cleared.")] = True,
    channel_id: Id | None = None,
    recorder_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Alarm]:
    """Newest first. What is of no channel and no recorder is for engineers and admins."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.alarms.list(
            open_only=open_only,
            channel_id=channel_id,
            recorder_id=recorder_id,
            within=within(who),
            after=after,
            limit=limit + 1,
        )
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(views.alarm(row) for row in shown), next_cursor=following)


@routes.post("/alarms/{alarm_id}/acknowledge", responses=documented(404))
async def acknowledge_alarm(context: Ctx, who: Who, request: Request, alarm_id: Id) -> Alarm:
    """Somebody has seen it. It stays until its cause is gone, a fact such as a damaged log only until now; who
    acknowledged it first stays too."""
    async with context.store.write() as tx:
        row = await tx.alarms.get(alarm_id)
        await _require_sight(tx, who, row)
        row = await tx.alarms.acknowledge(alarm_id, who.name, context.clock.now())
        await post_alarms(tx, (row,), context.clock.now())
    note(request, code=row.code)
    view = views.alarm(row)
    context.events.publish("alarm", view)
    context.supervision.alarm_acknowledged(row.code, row.channel_id or row.recorder_id, row.node_id)
    return view


@routes.post("/alarms/{alarm_id}/shelve", responses=documented(404, 409))
async def shelve_alarm(context: Ctx, who: Who, request: Request, alarm_id: Id, values: ShelveIn) -> Alarm:
    """Puts it aside for a while, by name and with a reason: it does not ring, is listed apart, and stays an alarm."""
    until = context.clock.now() + timedelta(minutes=values.minutes)
    note(request, until=until.isoformat(), reason=values.reason)
    return await _shelved(context, who, request, alarm_id, until, values.reason)


@routes.post("/alarms/{alarm_id}/unshelve", responses=documented(404, 409))
async def unshelve_alarm(context: Ctx, who: Who, request: Request, alarm_id: Id) -> Alarm:
    """Takes that back: it rings again until somebody acknowledges it."""
    return await _shelved(context, who, request, alarm_id, None, None)


async def _shelved(
    context: Context, who: Principal, request: Request, alarm_id: str, until: datetime | None, reason: str | None
) -> Alarm:
    async with context.store.write() as tx:
        row = await tx.alarms.get(alarm_id)
        await _require_sight(tx, who, row)
        if row.cleared_at is not None:
            raise Conflict("the alarm is over", conflict="alarm_cleared")
        row = await tx.alarms.shelve(alarm_id, until, who.name if until is not None else None, reason)
        await post_alarms(tx, (row,), context.clock.now())
    note(request, code=row.code)
    view = views.alarm(row)
    context.events.publish("alarm", view)
    return view


async def _require_sight(tx: Transaction, who: Principal, row: Row) -> None:
    """Of what is of no channel and no recorder, engineers see it and say that they did."""
    station = row.channel_id is None and row.recorder_id is None
    if not (station and may(who, Permission.VIEW_STATION)):
        require_sight(who, await _project_of(tx, row), "alarm", row.id)


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
