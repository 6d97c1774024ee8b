"""The shift log and the page that one shift hands to the next."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query, Request

from db.errors import Missing
from db.transaction import Transaction
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import MOST, Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight, sees_all, visible
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import channel_row
from supervisor.api.sight import recorder_projects, seen_by
from supervisor.errors import Invalid, NotFound
from supervisor.handover import standing
from supervisor.principal import Principal
from supervisor.schemas.base import Id, Instant, Page
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn

routes = router("handover")

_HOURS: Final = 12


@routes.get("/handover", responses=documented())
async def read_handover(
    context: Ctx,
    who: Who,
    hours: Annotated[int, Query(ge=1, le=168, description="Notes of the last so many.")] = _HOURS,
) -> Handover:
    """What stands now (alarms, holds, overrides, vetoes, maintenance, control), and what was noted of late."""
    now = context.clock.now()
    seen = seen_by(who, await context.snapshot.reset(), recorder_projects(context.supervision))
    async with context.store.read() as tx:
        rows = await tx.shift.list(since=now - timedelta(hours=hours), projects=visible(who), limit=MOST)
    live = [channel.live for channel in seen.channels]
    return Handover(
        at=now,
        hours=hours,
        channels=len(live),
        on_air=sum(one.observed in {"on_air", "late"} for one in live),
        wanted=sum(channel.desired == "on" for channel in seen.channels),
        standing=standing(seen.channels, seen.nodes, seen.alarms),
        notes=tuple(ShiftNote.model_validate(row) for row in rows),
    )


@routes.get("/shift-log", responses=documented())
async def list_shift_notes(
    context: Ctx,
    who: Who,
    since: Annotated[Instant | None, Query(description="Written then or later.")] = None,
    channel_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[ShiftNote]:
    """Newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.shift.list(
            since=since, channel_id=channel_id, projects=visible(who), before=before, limit=limit + 1
        )
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(ShiftNote.model_validate(row) for row in shown), next_cursor=following)


@routes.post("/shift-log", status_code=201, responses=documented(404))
async def add_shift_note(context: Ctx, who: Who, request: Request, values: ShiftNoteIn) -> ShiftNote:
    """A note for whoever comes next, by name and time. Nothing changes or deletes it; who erred writes another."""
    if (values.run_id is None) != (values.seq is None) or (values.run_id is not None and values.channel_id is None):
        raise Invalid("an event of the as-run log is named by its channel, run_id and seq together")
    async with context.store.write() as tx:
        channel_id, project_id, about = await _about(tx, who, values)
        row = await tx.shift.add(
            context.clock.now(), values.text, who.name, about, channel_id=channel_id, alarm_id=values.alarm_id,
            run_id=values.run_id, seq=values.seq, project_id=project_id,
        )  # fmt: skip
    note(request, f"shift note:{row.id}", about=about)
    return ShiftNote.model_validate(row)


async def _about(tx: Transaction, who: Principal, values: ShiftNoteIn) -> tuple[str | None, str | None, str]:
    """The channel, if any, whose project reads it, and what the note is of in words. Raises NotFound for what is not
    there."""
    channel_id, words = values.channel_id, list[str]()
    project_id = None
    if values.alarm_id is not None:
        alarm = await tx.alarms.get(values.alarm_id)
        if alarm.channel_id is None:
            require_sight(who, None, "alarm", values.alarm_id)
        if channel_id not in (None, alarm.channel_id):
            raise NotFound(f"there is no alarm {values.alarm_id} of this channel")
        channel_id = alarm.channel_id
        words.append(f"alarm {alarm.text}")
    if channel_id is not None:
        try:
            channel = await channel_row(tx, who, channel_id)
        except Missing:
            # An alarm outlives its channel, and is an admin's then.
            if values.channel_id is not None or not sees_all(who):
                raise
        else:
            words.insert(0, f"{channel.number} {channel.name}")
            project_id = channel.project_id
    else:
        project_id = _readers(who, values.project_id)
    if values.run_id is not None and values.seq is not None and channel_id is not None:
        event = await tx.as_run.event(channel_id, values.run_id, values.seq)
        if event is None:
            raise NotFound(f"there is no event {values.seq} of run {values.run_id} in the channel's log")
        words.append(f"{event.title or event.kind} at {event.start_at:%H:%M:%S} UTC")
    return channel_id, project_id, ", ".join(words)


def _readers(who: Principal, project_id: str | None) -> str | None:
    """Within which project a note of the station is read. Raises Invalid where that is not clear."""
    if project_id is not None:
        require_sight(who, project_id, "project", project_id)
    elif not sees_all(who):
        if len(who.operates) != 1:
            raise Invalid("who is to read this note?", hint="Name a channel, or give project_id.")
        (project_id,) = who.operates
    return project_id
