"""Schedules: when recorders record by themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import Request, Response

from db.models import Recorder
from db.models import Schedule as Row
from db.transaction import Transaction
from supervisor.api.context import Ctx, Who
from supervisor.api.permissions import sees
from supervisor.api.problems import documented
from supervisor.api.recorder_spec import changed_schedule, check_schedule, new_schedule
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.api.routes.recorders import recorder_row
from supervisor.schedules.planning import CLASHES_WITHIN, clashes
from supervisor.schedules.stored import planned
from supervisor.schedules.windows import Planned, windows
from supervisor.schemas.base import Id, Page
from supervisor.schemas.schedule import Schedule, ScheduleClash, ScheduleIn, SchedulePatch

routes = router("schedules")

_COLUMNS = ("kind", "date", "at", "until", "weekdays", "time_zone")


@routes.get("/schedules", responses=documented())
async def list_schedules(context: Ctx, who: Who) -> Page[Schedule]:
    """The oldest first, each with when it records next and what it clashes with. They are few, so it is one page."""
    async with context.store.read() as tx:
        rows = await tx.schedules.list()
        recorders = {row.id: row for row in await tx.recorders.list()}
    now = context.clock.now()
    mine = [row for row in rows if sees(who, recorders[row.recorder_id].project_id)]
    return Page(items=tuple(_view(row, rows, recorders, now) for row in mine))


@routes.post("/schedules", status_code=201, responses=documented(404, 409))
async def create_schedule(context: Ctx, who: Who, request: Request, response: Response, values: ScheduleIn) -> Schedule:
    """It is made also where it clashes with another, and says so: `clashes`."""
    spec = new_schedule(values)
    async with context.store.write() as tx:
        await recorder_row(tx, who, values.recorder_id)
        row = await tx.schedules.add(spec, context.clock.now())
        view = await _seen(tx, row, context.clock.now())
    note(request, f"schedule:{row.id}", title=row.title, clashes=len(view.clashes))
    set_etag(response, row.rev)
    return view


@routes.get("/schedules/{schedule_id}", responses=documented(404))
async def read_schedule(context: Ctx, who: Who, response: Response, schedule_id: Id) -> Schedule:
    """One schedule, with when it records next and what it clashes with."""
    async with context.store.read() as tx:
        row = await tx.schedules.get(schedule_id)
        await recorder_row(tx, who, row.recorder_id)
        view = await _seen(tx, row, context.clock.now())
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
        view = await _seen(tx, row, context.clock.now())
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


async def _seen(tx: Transaction, row: Row, now: datetime) -> Schedule:
    recorders = {one.id: one for one in await tx.recorders.list()}
    return _view(row, await tx.schedules.list(), recorders, now)


def _view(row: Row, rows: Sequence[Row], recorders: Mapping[str, Recorder], now: datetime) -> Schedule:
    mine = planned(row)
    following = next(windows(mine, now, now + CLASHES_WITHIN), None)
    others = {one.id: planned(one) for one in rows}
    users = {one.id: what for one in rows if (what := _shared(recorders, row, one))}
    found = tuple(
        _clash(others[clash.other.schedule_id], recorders, clash.why, clash.mine.start, clash.other.start)
        for clash in clashes(mine, tuple(others.values()), users, now)
    )
    names = [name for name in Schedule.model_fields if name not in ("next_start_at", "next_end_at", "clashes")]
    return Schedule.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "next_start_at": None if following is None else following.start,
            "next_end_at": None if following is None else following.end,
            "clashes": found,
        }
    )


def _shared(recorders: Mapping[str, Recorder], one: Row, other: Row) -> str:
    """What both need, in words; empty where nothing is."""
    mine, theirs = recorders[one.recorder_id], recorders[other.recorder_id]
    if mine.id == theirs.id:
        return f"the recorder {mine.name}"
    same = (mine.device_index, mine.wanted_node_id) == (theirs.device_index, theirs.wanted_node_id)
    return f"DeckLink port {mine.device_index}" if mine.device_index is not None and same else ""


def _clash(
    other: Planned, recorders: Mapping[str, Recorder], what: str, start: datetime, other_start: datetime
) -> ScheduleClash:
    return ScheduleClash(
        schedule_id=other.id,
        recorder=recorders[other.recorder_id].name,
        title=other.title,
        what=what,
        start_at=start,
        other_start_at=other_start,
    )
