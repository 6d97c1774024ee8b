"""Recorders: what records an input."""

from typing import Annotated, Final

from fastapi import Query, Request, Response

from db.models import Recorder as Row
from db.transaction import Transaction
from sidecar.protocol.asrun import AsRunRecord, TornLine, decode_line
from sidecar.protocol.live_url import shown_live_url
from supervisor.api import views
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import Permission, may_in, require_sight, sees
from supervisor.api.problems import documented
from supervisor.api.recorder_spec import changed_recorder, check_node, new_recorder
from supervisor.api.recordings import files_of
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.errors import Unavailable
from supervisor.principal import Principal
from supervisor.schedules.reserving import renew_reservations
from supervisor.schemas.base import Id, Page
from supervisor.schemas.recorder import (
    RecordedFile,
    Recorder,
    RecorderDeleted,
    RecorderIn,
    RecorderInput,
    RecorderPatch,
)
from supervisor.webhooks.facts import post_alarms

routes = router("recorders")

_RUNS: Final = 200
"""Of the log that one call looks at, the newest."""
_RECORDS: Final = 10_000
Newest = Annotated[int, Query(ge=1, le=1000, description="How many files at most, the newest.")]


@routes.get("/recorders", responses=documented())
async def list_recorders(context: Ctx, who: Who) -> Page[Recorder]:
    """By name, with what is seen of each now. They are few, so it is one page."""
    async with context.store.read() as tx:
        rows = await tx.recorders.list()
    return Page(items=tuple(_view(context, who, row) for row in rows if sees(who, row.project_id)))


@routes.post("/recorders", status_code=201, responses=documented(404, 409))
async def create_recorder(context: Ctx, who: Who, request: Request, response: Response, values: RecorderIn) -> Recorder:
    """Off, until it is started or a schedule starts it."""
    spec = new_recorder(values)
    check_node(spec)
    require_sight(who, values.project_id, "project", values.project_id or "none")
    context.reach.require_url(values.input.url, "a recorder's input")
    async with context.store.write() as tx:
        row = await tx.recorders.add(spec, context.clock.now())
    note(request, f"recorder:{row.id}", name=row.name)
    return await _changed(context, who, response, row)


@routes.get("/recorders/{recorder_id}", responses=documented(404))
async def read_recorder(context: Ctx, who: Who, response: Response, recorder_id: Id) -> Recorder:
    """One recorder, with what is seen of it now."""
    async with context.store.read() as tx:
        row = await recorder_row(tx, who, recorder_id)
    set_etag(response, row.rev)
    return _view(context, who, row)


@routes.patch("/recorders/{recorder_id}", responses=documented(404, 409, 428))
async def update_recorder(
    context: Ctx, who: Who, request: Request, response: Response, recorder_id: Id, rev: SeenRev, changes: RecorderPatch
) -> Recorder:
    """Only what is given changes, from its next start on; for how long files are kept, within ten minutes."""
    spec = changed_recorder(changes)
    if changes.input is not None:
        context.reach.require_url(changes.input.url, "a recorder's input")
    if changes.project_id is not None:
        require_sight(who, changes.project_id, "project", changes.project_id)
    async with context.store.write() as tx:
        before = await recorder_row(tx, who, recorder_id)
        check_node({"input_kind": before.input_kind, "wanted_node_id": before.wanted_node_id, **spec})
        row = await tx.recorders.update(recorder_id, rev, spec)
        await renew_reservations(tx, context.clock.now())
    note(request, saw_rev=rev, changed=sorted(changes.model_fields_set))
    return await _changed(context, who, response, row)


@routes.delete("/recorders/{recorder_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_recorder(context: Ctx, who: Who, request: Request, recorder_id: Id, rev: SeenRev) -> None:
    """Only when it is off. Its schedules go with it; its files and its log stay."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        await recorder_row(tx, who, recorder_id)
        await tx.recorders.delete(recorder_id, rev)
        now = context.clock.now()
        await renew_reservations(tx, now)
        alarms = await tx.alarms.list(open_only=True, recorder_id=recorder_id)
        cleared = [await tx.alarms.clear(row.code, recorder_id, row.node_id, now) for row in alarms]
        await post_alarms(tx, [row for row in cleared if row is not None], now)
    await context.supervision.recorders.changed(recorder_id)
    context.events.publish("recorder_deleted", RecorderDeleted(recorder_id=recorder_id))
    for row in cleared:
        if row is not None:
            context.events.publish("alarm", views.alarm(row))


@routes.post("/recorders/{recorder_id}/start", responses=documented(404, 409))
async def start_recorder(context: Ctx, who: Who, request: Request, response: Response, recorder_id: Id) -> Recorder:
    """Wanted recording from now on, until it is stopped. 409 names who has its DeckLink port."""
    await _require(context, who, recorder_id)
    if context.is_leaving():
        raise Unavailable("the supervisor is shutting down: nothing is started now", retry_after=5)
    row = await context.supervision.recorders.start(recorder_id, who)
    note(request, rev=row.rev)
    return await _changed(context, who, response, row)


@routes.post("/recorders/{recorder_id}/stop", responses=documented(404, 409))
async def stop_recorder(context: Ctx, who: Who, request: Request, response: Response, recorder_id: Id) -> Recorder:
    """Wanted off from now on. What its schedules want just now is not begun again."""
    await _require(context, who, recorder_id)
    row = await context.supervision.recorders.stop(recorder_id, who)
    note(request, rev=row.rev)
    return await _changed(context, who, response, row)


@routes.get(
    "/recorders/{recorder_id}/thumbnail.jpg",
    response_class=Response,
    responses={**documented(404, 409, 502), 200: {"content": {"image/jpeg": {}}}},
)
async def read_recorder_thumbnail(context: Ctx, who: Who, recorder_id: Id) -> Response:
    """A picture of what comes in now."""
    await _require(context, who, recorder_id)
    picture = await context.supervision.recorders.thumbnail(recorder_id)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@routes.get("/recorders/{recorder_id}/recordings", responses=documented(404))
async def list_recordings(context: Ctx, who: Who, recorder_id: Id, newest: Newest = 100) -> Page[RecordedFile]:
    """The as-recorded log: each file with its gaps to the frame, newest first."""
    async with context.store.read() as tx:
        await recorder_row(tx, who, recorder_id)
        runs = await tx.as_run.runs(recorder_id)
        lines = [
            row.line for run in runs[-_RUNS:] for row in await tx.as_run.records(recorder_id, run.run_id, 0, _RECORDS)
        ]
    records = [record for line in lines if (record := _record(line)) is not None]
    nodes = {run.run_id: run.node_id for run in runs}
    files = [file.model_copy(update={"node_id": nodes.get(file.run_id)}) for file in files_of(records)[-newest:]]
    return Page(items=tuple(reversed(files)))


def _record(line: str) -> AsRunRecord | None:
    try:
        return decode_line(line.encode() + b"\n")
    except TornLine:
        return None


async def recorder_row(tx: Transaction, who: Principal, recorder_id: str) -> Row:
    """The recorder, if there is one for this principal. Raises Missing or NotFound, which read alike."""
    row = await tx.recorders.get(recorder_id)
    require_sight(who, row.project_id, "recorder", recorder_id)
    return row


async def _require(context: Context, who: Principal, recorder_id: str) -> None:
    async with context.store.read() as tx:
        await recorder_row(tx, who, recorder_id)


async def _changed(context: Context, who: Principal, response: Response, row: Row) -> Recorder:
    await context.supervision.recorders.changed(row.id)
    # The stream is for whoever sees all; an input's secret is for none of them.
    context.events.publish("recorder", _shown(context, row))
    set_etag(response, row.rev)
    return _view(context, who, row)


def _view(context: Context, who: Principal, row: Row) -> Recorder:
    """Only who may change it sees the secret in its input's url."""
    if may_in(who, Permission.CONFIGURE, row.project_id):
        return _of_row(context, row, row.input_url)
    return _shown(context, row)


def _shown(context: Context, row: Row) -> Recorder:
    return _of_row(context, row, shown_live_url(row.input_url) if row.input_url else "")


def _of_row(context: Context, row: Row, url: str) -> Recorder:
    kept = ("keep_days", "keep_gib")
    names = ("id", "name", "project_id", "template", "segment_s", "floor_mb", "time_zone", "desired", "wanted_by")
    return Recorder.model_validate(
        {
            **{name: getattr(row, name) for name in (*names, *kept, "held_until", "created_at", "rev")},
            "node_id": row.wanted_node_id,
            "input": RecorderInput.model_validate(
                {"kind": row.input_kind, "url": url, "device_index": row.device_index}
            ),
            "notice": _notice(context, row),
            "live": context.supervision.recorders_live.get(row.id),
        }
    )


def _notice(context: Context, row: Row) -> str:
    """What keeps it from recording as things are; empty where nothing is known to."""
    if row.input_kind != "decklink" or row.wanted_node_id is None:
        return ""
    condition = context.supervision.node_seen(row.wanted_node_id).condition
    fault = None if condition is None else condition.capture_fault
    if not fault:
        return ""
    return f"It will record nothing: {fault}. Its port is claimed all the same."
