"""The audit log: who did what, from where, to what, and what came of it."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import Query
from pydantic import AwareDatetime
from starlette.responses import Response, StreamingResponse

from db.models import Audit
from supervisor.api import views
from supervisor.api.context import Context, Ctx
from supervisor.api.paging import MOST, Cursor, Limit, decode_cursor, page_of
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.schemas.audit import AuditRow, Outcome
from supervisor.schemas.base import Line, Page

routes = router("audit")

_Word = Annotated[Line, Query(max_length=120)]
By = Annotated[_Word | None, Query(description="Only of this principal.")]
Action = Annotated[_Word | None, Query(description="Only this action, by its operation id.")]
Target = Annotated[_Word | None, Query(description="Only where the target holds this text.")]
Came = Annotated[Outcome | None, Query(description="Only what ended so.")]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="At or after.")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="Before.")]
_COLUMNS: Final = ("id", "at", "principal", "origin", "action", "target", "outcome", "detail")


@routes.get("/audit", responses=documented())
async def list_audit(
    context: Ctx,
    principal: By = None,
    action: Action = None,
    target: Target = None,
    outcome: Came = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[AuditRow]:
    """Newest first. `detail` holds what the action knew: what was there before and is after, why it was refused."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    await context.audit.settled()
    async with context.store.read() as tx:
        rows = await tx.audit.list(
            before, limit + 1, principal=principal, action=action, target=target, outcome=outcome, since=since,
            until=until,
        )  # fmt: skip
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(views.audit_row(row) for row in shown), next_cursor=following)


@routes.get(
    "/audit/export",
    response_class=Response,
    responses={
        **documented(),
        200: {
            "description": "Newest first: CSV with a head, or a JSON object a line.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
    },
)
async def export_audit(
    context: Ctx, form: Annotated[Literal["csv", "jsonl"], Query(alias="format")] = "csv", since: Since = None,
    until: Until = None,
) -> Response:  # fmt: skip
    """All of it, or of a span. It is read page by page: rows that are added meanwhile are not in it."""
    media_type = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    await context.audit.settled()
    first = await _page(context, None, since, until)  # a store that is away is said before anything is sent
    return StreamingResponse(_lines(context, form, first, since, until), media_type=media_type)


async def _lines(
    context: Context, form: str, rows: Sequence[Audit], since: datetime | None, until: datetime | None
) -> AsyncIterator[str]:
    write = _csv if form == "csv" else _jsonl
    if form == "csv":
        yield ",".join(_COLUMNS) + "\r\n"
    while rows:
        yield write(rows)
        rows = await _page(context, rows[-1].id, since, until) if len(rows) == MOST else ()


async def _page(
    context: Context, before: int | None, since: datetime | None, until: datetime | None
) -> Sequence[Audit]:
    async with context.store.read() as tx:
        return await tx.audit.list(before, MOST, since=since, until=until)


def _jsonl(rows: Sequence[Audit]) -> str:
    return "".join(views.audit_row(row).model_dump_json() + "\n" for row in rows)


def _csv(rows: Sequence[Audit]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        view = views.audit_row(row)
        values = [getattr(view, name) for name in _COLUMNS[2:-1]]
        detail = json.dumps(view.detail, sort_keys=True)
        writer.writerow([view.id, view.at.isoformat(), *(_plain(str(value)) for value in values), detail])
    return out.getvalue()


def _plain(text: str) -> str:
    """A spreadsheet takes what begins so for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
