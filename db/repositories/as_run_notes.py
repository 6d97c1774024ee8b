"""What people add to the as-run log: notes and corrections, append only, and the issues of a day's log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import AsRunIssue, AsRunNote, Channel
from db.repositories.as_run_changes import mark_changed

MOST_NOTES: Final = 20_000
"""Of one span: more are not read."""
NO_CHANNEL: Final = "the channel is no more: this is not delivered"
"""Fault of an issue that nobody tries any more."""


class AsRunNotes:
    """Nothing here changes or deletes a note: who erred writes another."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        channel_id: str,
        at: datetime,
        text: str,
        by: str,
        now: datetime,
        *,
        run_id: str | None = None,
        seq: int | None = None,
        field: str | None = None,
        value: str | None = None,
    ) -> AsRunNote:
        """A correction where ``field`` is named, a note else."""
        note = AsRunNote(
            channel_id=channel_id,
            run_id=run_id,
            seq=seq,
            at=at,
            kind="note" if field is None else "correction",
            field=field,
            value=value,
            text=text,
            by=by,
            written_at=now,
        )
        self._session.add(note)
        await self._session.flush()
        await mark_changed(self._session, channel_id, at, at, f"a {note.kind} by {by}")
        return note

    async def of(self, channel_id: str, start: datetime, end: datetime) -> Sequence[AsRunNote]:
        """In order of what they are about."""
        query = (
            select(AsRunNote)
            .where(AsRunNote.channel_id == channel_id, AsRunNote.at >= start, AsRunNote.at < end)
            .order_by(AsRunNote.at, AsRunNote.id)
            .limit(MOST_NOTES)
        )
        return (await self._session.scalars(query)).all()


class AsRunIssues:
    """Which issues of a channel's log of a day there are, and which still wait to be delivered."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        channel_id: str,
        day: str,
        by: str,
        now: datetime,
        *,
        begins: datetime | None = None,
        ends: datetime | None = None,
    ) -> AsRunIssue:
        """The next number of this day, which is from ``begins`` to ``ends``; what changed since the one before it will
        be in it."""
        highest = await self._session.scalar(
            select(func.max(AsRunIssue.number)).where(AsRunIssue.channel_id == channel_id, AsRunIssue.day == day)
        )
        issue = _issue(channel_id, day, (highest or 0) + 1, by, now, begins, ends)
        await self._session.execute(
            update(AsRunIssue)
            .where(AsRunIssue.channel_id == channel_id, AsRunIssue.day == day, AsRunIssue.changes > AsRunIssue.included)
            .values(included=AsRunIssue.changes)
            .execution_options(synchronize_session=False)
        )
        self._session.add(issue)
        await self._session.flush()
        return issue

    async def leave_out(
        self, channel_id: str, day: str, by: str, now: datetime, begins: datetime, ends: datetime
    ) -> None:
        """Nothing aired that day: no issue of it is delivered, and number 0 remembers that, for what comes in late."""
        row = _issue(channel_id, day, 0, by, now, begins, ends)
        row.state = "delivered"
        self._session.add(row)
        await self._session.flush()

    async def of(self, channel_id: str, day: str | None, limit: int) -> Sequence[AsRunIssue]:
        """The newest days first, and of a day the newest issue."""
        query = select(AsRunIssue).where(AsRunIssue.channel_id == channel_id, AsRunIssue.number > 0)
        if day is not None:
            query = query.where(AsRunIssue.day == day)
        query = query.order_by(AsRunIssue.day.desc(), AsRunIssue.number.desc()).limit(limit)
        return (await self._session.scalars(query)).all()

    async def waiting(self, limit: int) -> Sequence[AsRunIssue]:
        """The oldest first; not those of a channel that is no more."""
        query = (
            select(AsRunIssue)
            .where(AsRunIssue.state == "waiting", AsRunIssue.channel_id.in_(select(Channel.id)))
            .order_by(AsRunIssue.asked_at)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def changed(self, limit: int) -> Sequence[AsRunIssue]:
        """Delivered, and of another content now."""
        query = (
            select(AsRunIssue)
            .where(
                AsRunIssue.changes > AsRunIssue.included,
                AsRunIssue.state == "delivered",
                AsRunIssue.channel_id.in_(select(Channel.id)),
            )
            .order_by(AsRunIssue.day, AsRunIssue.channel_id)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def left(self, limit: int) -> Sequence[AsRunIssue]:
        """Those that waited when their channel was deleted, and do not say so yet."""
        query = (
            select(AsRunIssue)
            .where(
                AsRunIssue.state == "waiting",
                AsRunIssue.fault != NO_CHANNEL,
                AsRunIssue.channel_id.not_in(select(Channel.id)),
            )
            .order_by(AsRunIssue.asked_at)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def last_days(self, by: str) -> dict[str, str]:
        """Of every channel the newest day that ``by`` issued."""
        rows = await self._session.execute(
            select(AsRunIssue.channel_id, func.max(AsRunIssue.day))
            .where(AsRunIssue.asked_by == by)
            .group_by(AsRunIssue.channel_id)
        )
        return {row[0]: row[1] for row in rows.all()}

    async def next_number(self, issue: AsRunIssue) -> int:
        """Gives a waiting issue the next number of its day, which it then has. Raises Missing."""
        highest = await self._session.scalar(
            select(func.max(AsRunIssue.number)).where(
                AsRunIssue.channel_id == issue.channel_id, AsRunIssue.day == issue.day
            )
        )
        number = (highest or issue.number) + 1
        await self.change(issue, number=number)
        return number

    async def change(self, issue: AsRunIssue, **values: object) -> None:
        """Raises Missing."""
        found = await self._session.scalar(
            update(AsRunIssue)
            .where(
                AsRunIssue.channel_id == issue.channel_id,
                AsRunIssue.day == issue.day,
                AsRunIssue.number == issue.number,
            )
            .values(values)
            .returning(AsRunIssue.number)
        )
        if found is None:
            raise Missing("issue", f"{issue.day}.{issue.number}")


def _issue(
    channel_id: str, day: str, number: int, by: str, now: datetime, begins: datetime | None, ends: datetime | None
) -> AsRunIssue:
    return AsRunIssue(
        channel_id=channel_id,
        day=day,
        number=number,
        state="waiting",
        asked_by=by,
        asked_at=now,
        attempts=0,
        verdict="",
        fault="",
        start_at=begins,
        end_at=ends,
        changes=0,
        included=0,
    )
