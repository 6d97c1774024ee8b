"""What one shift tells the next."""

from collections.abc import Sequence, Set
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ShiftNote


class ShiftLog:
    """Append only: who erred writes another note."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        now: datetime,
        text: str,
        by: str,
        about: str,
        *,
        channel_id: str | None = None,
        alarm_id: str | None = None,
        run_id: str | None = None,
        seq: int | None = None,
        project_id: str | None = None,
    ) -> ShiftNote:
        row = ShiftNote(
            at=now,
            channel_id=channel_id,
            alarm_id=alarm_id,
            run_id=run_id,
            seq=seq,
            about=about,
            text=text,
            by=by,
            project_id=project_id,
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def list(
        self,
        *,
        since: datetime | None = None,
        channel_id: str | None = None,
        projects: Set[str] | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[ShiftNote]:
        """Newest first; ``before`` is the last id seen, ``projects`` those whose notes are wanted."""
        query = select(ShiftNote).order_by(ShiftNote.id.desc()).limit(limit)
        if since is not None:
            query = query.where(ShiftNote.at >= since)
        if channel_id is not None:
            query = query.where(ShiftNote.channel_id == channel_id)
        if projects is not None:
            query = query.where(ShiftNote.project_id.in_(projects))
        if before is not None:
            query = query.where(ShiftNote.id < before)
        return (await self._session.scalars(query)).all()
