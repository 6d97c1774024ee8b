"""The as-run log: what aired, by event and by record."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime

from db.models import AsRunEvent as Row
from db.repositories.as_run import EventCursor, EventFilters
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import sees_all, visible
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.routes.channels import channel_row
from supervisor.errors import Invalid
from supervisor.principal import Principal
from supervisor.schemas.asrun import AsRunEvent, AsRunRecordOut
from supervisor.schemas.base import Id, Page

routes = router("as-run")


@routes.get("/asrun", responses=documented(404))
async def list_as_run(
    context: Ctx,
    who: Who,
    channel_id: Id | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Started at or after.")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Started before.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    order: Literal["desc", "asc"] = "desc",
) -> Page[AsRunEvent]:
    """What aired, without ``channel_id`` on all channels that the caller sees. The log stays when a channel is deleted,
    and is then an admin's to read."""
    filters = EventFilters(
        channel_id=channel_id,
        start_from=since,
        start_to=until,
        newest_first=order == "desc",
        aired_only=channel_id is None,
        projects=visible(who) if channel_id is None else None,
    )
    async with context.store.read() as tx:
        if channel_id is not None:
            await _require_log(tx, who, channel_id)
        rows = await tx.as_run.events(filters, _event_cursor(cursor) if cursor else None, limit + 1)
    shown, following = page_of(rows, limit, _event_key)
    return Page(items=tuple(views.as_run_event(row) for row in shown), next_cursor=following)


@routes.get("/asrun/records", responses=documented(404))
async def list_as_run_records(
    context: Ctx,
    who: Who,
    channel_id: Id,
    run_id: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    after: Annotated[int, Query(ge=0, lt=2**63, description="The last number seen; `next_cursor` is the next.")] = 0,
    limit: Limit = 200,
) -> Page[AsRunRecordOut]:
    """The journal's records of one run as the sidecar wrote them, in order. Its runs are in the events."""
    async with context.store.read() as tx:
        await _require_log(tx, who, channel_id)
        rows = await tx.as_run.records(channel_id, run_id, after, limit + 1)
    following = str(rows[limit - 1].seq) if len(rows) > limit else None
    return Page(items=tuple(views.as_run_record(row) for row in rows[:limit]), next_cursor=following)


async def _require_log(tx: Transaction, who: Principal, channel_id: str) -> None:
    """An admin reads the log of channels that are no more, too."""
    if not sees_all(who):
        await channel_row(tx, who, channel_id)


def _event_key(row: Row) -> tuple[str | int, ...]:
    return (row.start_at.isoformat(), row.channel_id, row.run_id, row.seq)


def _event_cursor(cursor: str) -> EventCursor:
    start_at, channel_id, run_id, seq = decode_cursor(cursor, str, str, str, int)
    try:
        instant = datetime.fromisoformat(start_at)
    except ValueError:
        raise Invalid("the cursor is not one of this listing") from None
    if instant.tzinfo is None:
        raise Invalid("the cursor is not one of this listing")
    return EventCursor(instant, channel_id, run_id, seq)
