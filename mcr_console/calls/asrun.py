"""The as-run log."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Literal

from mcr_console.calls.base import API, WHOLE_PAGE, Calls
from mcr_console.http import LONG_ANSWER_S, Query
from supervisor.schemas.asrun import (
    AsRunEvent,
    AsRunIssue,
    AsRunIssueIn,
    AsRunNote,
    AsRunNoteIn,
    AsRunProof,
    AsRunRebuilt,
    ExportFormat,
    ServiceReport,
)
from supervisor.schemas.base import Page


class AsRunCalls(Calls):
    """Spans are of aware instants."""

    async def asrun_page(
        self,
        *,
        channel_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = WHOLE_PAGE,
        order: Literal["asc", "desc"] = "desc",
    ) -> Page[AsRunEvent]:
        """``since`` and ``until`` are aware; the newest come first unless ``order`` says otherwise."""
        query: Query = {
            "channel_id": channel_id,
            "from": None if since is None else since.isoformat(),
            "to": None if until is None else until.isoformat(),
            "cursor": cursor,
            "limit": limit,
            "order": order,
        }
        return await self._http.get(f"{API}/asrun", Page[AsRunEvent], query=query)

    async def asrun(
        self, *, channel_id: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[AsRunEvent]:
        """Every event, oldest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.asrun_page(channel_id=channel_id, since=since, until=until, cursor=cursor, order="asc")
            for event in page.items:
                yield event
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def verify_asrun(
        self, channel_id: str, *, day: date | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> AsRunProof:
        """Reads every record of the span: of a day, seconds."""
        query = _span(day, since, until)
        return await self._send(
            "GET", f"/channels/{channel_id}/asrun/verify", AsRunProof, query=query, deadline_s=LONG_ANSWER_S
        )

    def export_asrun(
        self,
        channel_id: str,
        form: ExportFormat,
        *,
        day: date | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        query = {**_span(day, since, until), "format": form}
        return self._http.stream(f"{API}/channels/{channel_id}/asrun/export", query=query)

    async def service_report(self, channel_id: str, *, day: date | None = None) -> ServiceReport:
        query = _span(day, None, None)
        return await self._send(
            "GET", f"/channels/{channel_id}/asrun/service", ServiceReport, query=query, deadline_s=LONG_ANSWER_S
        )

    async def add_asrun_note(self, channel_id: str, values: AsRunNoteIn) -> AsRunNote:
        return await self._send("POST", f"/channels/{channel_id}/asrun/notes", AsRunNote, values)

    async def rebuild_asrun(self, channel_id: str) -> AsRunRebuilt:
        """Reads every record that there is."""
        path = f"/channels/{channel_id}/asrun/rebuild"
        return await self._send("POST", path, AsRunRebuilt, deadline_s=LONG_ANSWER_S)

    async def asrun_issues(self, channel_id: str) -> tuple[AsRunIssue, ...]:
        """The newest first."""
        return (await self._http.get(f"{API}/channels/{channel_id}/asrun/issues", Page[AsRunIssue])).items

    async def issue_asrun(self, channel_id: str, day: date) -> AsRunIssue:
        """Issues a day's log again."""
        return await self._send("POST", f"/channels/{channel_id}/asrun/issues", AsRunIssue, AsRunIssueIn(day=day))


def _span(day: date | None, since: datetime | None, until: datetime | None) -> dict[str, str]:
    """A day, or from and to, as a query; nothing for what is None."""
    found: dict[str, str] = {}
    if day is not None:
        found["day"] = day.isoformat()
    if since is not None:
        found["from"] = since.isoformat()
    if until is not None:
        found["to"] = until.isoformat()
    return found
