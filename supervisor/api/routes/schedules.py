"""Schedules: when recorders record by themselves."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request, Response

from db.models import Schedule as Row
from db.transaction import Transaction
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import sees, sees_all
from supervisor.api.problems import documented
from supervisor.api.recorder_spec import changed_schedule, check_schedule, new_schedule
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.api.routes.recorders import recorder_row
from supervisor.principal import Principal
from supervisor.schedules.planning import CLASHES_WITHIN
from supervisor.schedules.reserving import renew_reservations
from supervisor.schedules.upcoming import Plans, read_plans, shown_schedule, shown_upcoming, unnamed
from supervisor.schemas.base import Id, Page
from supervisor.schemas.schedule import (
    Schedule,
    ScheduleClash,
    ScheduleDeleted,
    ScheduleIn,
    SchedulePatch,
    UpcomingRecording,
)

routes = router("schedules")

Hours = Annotated[int, Query(ge=1, le=CLASHES_WITHIN // timedelta(hours=1), description="How far ahead.")]
_COLUMNS = ("kind", "date", "at", "until", "weekdays", "time_zone")


@routes.get("/schedules", responses=documented())
async def list_schedules(context: Ctx, who: Who) -> Page[Schedule]:
    """The oldest first, each with when it records next and what it clashes with. They are few, so it is one page."""
    async with context.store.read() as tx:
        plans = await read_plans(tx)
    now = context.clock.now()
    return Page(items=tuple(_told(who, shown_schedule(row, plans, now), plans) for row in _mine(plans, who)))


@routes.get("/schedules/upcoming", responses=documented())
async def list_upcoming(context: Ctx, who: Who, hours: Hours = 168) -> Page[UpcomingRecording]:
    """What is recorded from now on, the first first: each time with all that is in its way, and whether its DeckLink
    port is kept for it."""
    async with context.store.read() as tx:
        plans = await read_plans(tx)
    found = shown_upcoming(_mine(plans, who), plans, context.clock.now(), timedelta(hours=hours))
    if sees_all(who):
        return Page(items=found)
    return Page(items=tuple(one.model_copy(update={"clashes": _unnamed(who, one.clashes, plans)}) for one in found))


@routes.post("/schedules", status_code=201, responses=documented(404, 409))
async def create_schedule(context: Ctx, who: Who, request: Request, response: Response, values: ScheduleIn) -> Schedule:
    """It is made also where it clashes with another, and says so: `clashes`."""
    spec = new_schedule(values)
    async with context.store.write() as tx:
        await recorder_row(tx, who, values.recorder_id)
        row = await tx.schedules.add(spec, context.clock.now())
        shown, view = await _replanned(context, who, tx, row)
    context.events.publish("schedule", shown)
    note(request, f"schedule:{row.id}", title=row.title, clashes=len(view.clashes))
    set_etag(response, row.rev)
    return view


@routes.get("/schedules/{schedule_id}", responses=documented(404))
async def read_schedule(context: Ctx, who: Who, response: Response, schedule_id: Id) -> Schedule:
    """One schedule, with when it records next and what it clashes with."""
    async with context.store.read() as tx:
        row = await tx.schedules.get(schedule_id)
        await recorder_row(tx, who, row.recorder_id)
        plans = await read_plans(tx)
        view = _told(who, shown_schedule(row, plans, context.clock.now()), plans)
    set_etag(response, row.rev)
    return view


@routes.patch("/schedules/{schedule_id}", responses=documented(404, 409, 428))
async def update_schedule(
    context: Ctx, who: Who, request: Request, response: Response, schedule_id: Id, rev: SeenRev, changes: SchedulePatch
) -> Schedule:
    """Only what is given changes; what is being recorded takes it on within a second."""
    given = changed_schedule(changes)
    async with context.store.write() as tx:
        before = await tx.schedules.get(schedule_id)
        await recorder_row(tx, who, before.recorder_id)
        check_schedule({name: getattr(before, name) for name in _COLUMNS} | given)
        row = await tx.schedules.update(schedule_id, rev, given)
        shown, view = await _replanned(context, who, tx, row)
    context.events.publish("schedule", shown)
    note(request, saw_rev=rev, changed=sorted(changes.model_fields_set))
    set_etag(response, row.rev)
    return view


@routes.delete("/schedules/{schedule_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_schedule(context: Ctx, who: Who, request: Request, schedule_id: Id, rev: SeenRev) -> None:
    """What it records just now ends within a second; the file stays."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        row = await tx.schedules.get(schedule_id)
        await recorder_row(tx, who, row.recorder_id)
        await tx.schedules.delete(schedule_id, rev)
        await renew_reservations(tx, context.clock.now())
    context.events.publish("schedule_deleted", ScheduleDeleted(schedule_id=schedule_id, recorder_id=row.recorder_id))


async def _replanned(context: Context, who: Principal, tx: Transaction, row: Row) -> tuple[Schedule, Schedule]:
    """Its ports are kept from now on; it is shown with what is in the way, to who sees all and to ``who``."""
    now = context.clock.now()
    await renew_reservations(tx, now)
    plans = await read_plans(tx)
    shown = shown_schedule(row, plans, now)
    return shown, _told(who, shown, plans)


def _told(who: Principal, view: Schedule, plans: Plans) -> Schedule:
    """What is in the way and belongs to a project that ``who`` does not see is not named."""
    if sees_all(who):
        return view
    return view.model_copy(update={"clashes": _unnamed(who, view.clashes, plans)})


def _unnamed(who: Principal, clashes: Iterable[ScheduleClash], plans: Plans) -> tuple[ScheduleClash, ...]:
    return unnamed(clashes, lambda project_id: sees(who, project_id), plans)


def _mine(plans: Plans, who: Principal) -> tuple[Row, ...]:
    return tuple(row for row in plans.schedules.values() if sees(who, plans.recorders[row.recorder_id].project_id))
