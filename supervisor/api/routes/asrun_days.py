"""A channel's as-run log by broadcast day or span: exported, proven, reported, and what people add to it."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from db.errors import Missing
from db.models import Channel
from db.transaction import Transaction
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.paging import MOST
from supervisor.api.permissions import sees_all
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import channel_row
from supervisor.asrun.delays import delays_of
from supervisor.asrun.export.formats import FORMS, export, file_name
from supervisor.asrun.rebuilding import rebuild
from supervisor.asrun.service import proof_of, service_of
from supervisor.asrun.spans import Span, running_day, span_between, span_of_day
from supervisor.asrun.verifying import Verifying
from supervisor.errors import Invalid, NotFound
from supervisor.principal import Principal
from supervisor.schemas.asrun import (
    AsRunIssue,
    AsRunIssueIn,
    AsRunNote,
    AsRunNoteIn,
    AsRunProof,
    AsRunRebuilt,
    ExportFormat,
    OutputDelay,
    ServiceReport,
)
from supervisor.schemas.base import Id, Page

routes = router("as-run")

Day = Annotated[date | None, Query(description="A broadcast day of the channel; the one that runs when left out.")]
From = Annotated[AwareDatetime | None, Query(alias="from", description="Instead of a day: from here, inclusive.")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="Up to here, exclusive.")]
_DOWNLOAD: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {form.media_type.partition(";")[0]: {} for form in FORMS.values()}, "description": "The log."}
}


@routes.get(
    "/channels/{channel_id}/asrun/export",
    response_class=StreamingResponse,
    responses={**documented(404), **_DOWNLOAD},
)
async def export_as_run(
    context: Ctx,
    who: Who,
    channel_id: Id,
    format: ExportFormat = "csv",  # noqa: A002 - the word that people know for it
    day: Day = None,
    since: From = None,
    until: To = None,
) -> StreamingResponse:
    """Every event that began in the day or span, as a stream: CSV, JSON lines, a printed report, or BXF."""
    span = await _span(context, who, channel_id, day, since, until)
    span = replace(span, delays=await _delays(context, channel_id))
    return StreamingResponse(
        export(context.store, span, format, context.clock.now()),
        media_type=FORMS[format].media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name(span, format)}"',
            "Cache-Control": "no-store",
        },
    )


@routes.get("/channels/{channel_id}/asrun/verify", responses=documented(404))
async def verify_as_run(
    context: Ctx, who: Who, channel_id: Id, day: Day = None, since: From = None, until: To = None
) -> AsRunProof:
    """Whether every frame is accounted for, the chain of hashes is whole, and the events are what the records say."""
    span = await _span(context, who, channel_id, day, since, until)
    now = context.clock.now()
    proof = await Verifying(context.store, context.rundowns).verify(span, now)
    return proof_of(proof, span, now)


@routes.get("/channels/{channel_id}/asrun/service", responses=documented(404))
async def report_service(context: Ctx, who: Who, channel_id: Id, day: Day = None) -> ServiceReport:
    """How much of a broadcast day was on air, and what was not as it should be."""
    span = await _span(context, who, channel_id, day, None, None)
    return await service_of(context.store, span, context.clock.now())


@routes.get("/channels/{channel_id}/asrun/delays", responses=documented(404))
async def list_output_delays(context: Ctx, who: Who, channel_id: Id) -> Page[OutputDelay]:
    """What each output adds to the log's times, which hold where a frame leaves the playout clock."""
    async with context.store.read() as tx:
        await _known(tx, who, channel_id)
    return Page(items=await _delays(context, channel_id))


@routes.get("/channels/{channel_id}/asrun/notes", responses=documented(404))
async def list_as_run_notes(
    context: Ctx, who: Who, channel_id: Id, day: Day = None, since: From = None, until: To = None
) -> Page[AsRunNote]:
    """What people wrote to the log of a day or span, in order of what it is about."""
    span = await _span(context, who, channel_id, day, since, until)
    async with context.store.read() as tx:
        rows = await tx.as_run_notes.of(channel_id, span.start, span.end)
    return Page(items=tuple(AsRunNote.model_validate(row) for row in rows))


@routes.post("/channels/{channel_id}/asrun/notes", status_code=201, responses=documented(404))
async def add_as_run_note(context: Ctx, who: Who, request: Request, channel_id: Id, values: AsRunNoteIn) -> AsRunNote:
    """A new row beside the log; nothing that the engine wrote is changed, and no note is ever."""
    if (values.run_id is None) != (values.seq is None):
        raise Invalid("an event is named by its run_id and its seq, both")
    if (values.field is None) != (values.value is None):
        raise Invalid("a correction names a field and its value, both")
    now = context.clock.now()
    async with context.store.write() as tx:
        await _known(tx, who, channel_id)
        at = values.at or now
        if values.run_id is not None and values.seq is not None:
            at = await _begun(tx, channel_id, values.run_id, values.seq)
        row = await tx.as_run_notes.add(
            channel_id,
            at,
            values.text,
            who.name,
            now,
            run_id=values.run_id,
            seq=values.seq,
            field=values.field,
            value=values.value,
        )
    note(request, f"channel:{channel_id}", note=row.id, kind=row.kind)
    return AsRunNote.model_validate(row)


@routes.get("/channels/{channel_id}/asrun/issues", responses=documented(404))
async def list_as_run_issues(context: Ctx, who: Who, channel_id: Id, day: Day = None) -> Page[AsRunIssue]:
    """What was delivered, and what waits for it: the newest first, 500 at most."""
    async with context.store.read() as tx:
        await _known(tx, who, channel_id)
        rows = await tx.as_run_issues.of(channel_id, day.isoformat() if day else None, MOST)
    return Page(items=tuple(AsRunIssue.model_validate(row) for row in rows))


@routes.post("/channels/{channel_id}/asrun/issues", status_code=202, responses=documented(404))
async def issue_as_run(context: Ctx, who: Who, request: Request, channel_id: Id, values: AsRunIssueIn) -> AsRunIssue:
    """Delivers the log of a broadcast day again, under the next number, where the supervisor's settings say."""
    settings = context.settings
    if settings.asrun_dir is None and not settings.asrun_url:
        raise Invalid(
            "there is nowhere to deliver to", hint="Start the supervisor with MCR_ASRUN_DIR or MCR_ASRUN_URL."
        )
    now = context.clock.now()
    async with context.store.write() as tx:
        channel = await channel_row(tx, who, channel_id)
        if values.day > running_day(channel, now):
            raise Invalid(f"the broadcast day {values.day} has not begun")
        span = span_of_day(channel, values.day)
        row = await tx.as_run_issues.add(
            channel_id, values.day.isoformat(), who.name, now, begins=span.start, ends=span.end
        )
    note(request, f"channel:{channel_id}", day=row.day, number=row.number)
    return AsRunIssue.model_validate(row)


@routes.post("/channels/{channel_id}/asrun/rebuild", responses=documented(404))
async def rebuild_as_run(context: Ctx, who: Who, request: Request, channel_id: Id) -> AsRunRebuilt:
    """Makes the channel's events again from its records, which are not touched."""
    async with context.store.read() as tx:
        await _known(tx, who, channel_id)
    done = await rebuild(context.store, context.rundowns, channel_id, lambda: context.supervision.fence)
    note(request, f"channel:{channel_id}", runs=done.runs, events=done.events)
    return done


async def _delays(context: Context, channel_id: str) -> tuple[OutputDelay, ...]:
    async with context.store.read() as tx:
        outputs = await tx.channels.outputs(channel_id)
    return delays_of(outputs, context.supervision.live.get(channel_id).outputs)


async def _begun(tx: Transaction, channel_id: str, run_id: str, seq: int) -> datetime:
    found = await tx.as_run.event(channel_id, run_id, seq)
    if found is None:
        raise NotFound(f"there is no event {seq} of run {run_id} in the channel's log")
    return found.start_at


async def _span(
    context: Context,
    who: Principal,
    channel_id: str,
    day: date | None,
    since: datetime | None,
    until: datetime | None,
) -> Span:
    """Raises Invalid for half a span, and for a day of a channel that is no more: its zone is not known."""
    async with context.store.read() as tx:
        channel = await _known(tx, who, channel_id)
        newest = None if channel is not None else await tx.as_run.newest(channel_id)
    if since is not None or until is not None:
        if since is None or until is None or day is not None:
            raise Invalid("give a day, or from and to")
        return span_between(channel, channel_id, since, until, newest.rate if newest else "25")
    if channel is None:
        raise Invalid("the channel is no more, and its days with it: give from and to")
    return span_of_day(channel, day or running_day(channel, context.clock.now()))


async def _known(tx: Transaction, who: Principal, channel_id: str) -> Channel | None:
    """None for a channel that is no more, whose log an admin still reads."""
    try:
        return await channel_row(tx, who, channel_id)
    except Missing:
        if not sees_all(who) or await tx.as_run.newest(channel_id) is None:
            raise
        return None
