"""Schedules: when recorders record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Recorder, Schedule
from db.repositories.rows import checked, get_row, insert_row, lock_rev, require, update_by_rev

_SPEC: Final = frozenset(
    {
        *("recorder_id", "title", "kind", "date", "at", "until", "weekdays", "time_zone", "duration_s"),
        *("pre_roll_s", "post_roll_s", "enabled"),
    }
)


class Schedules:
    """People's changes name the rev they saw."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, schedule_id: str) -> Schedule:
        """Raises ``Missing``."""
        return await get_row(self._session, Schedule, schedule_id)

    async def list(self, recorder_id: str | None = None) -> Sequence[Schedule]:
        """The oldest first."""
        query = select(Schedule).order_by(Schedule.created_at, Schedule.id)
        if recorder_id is not None:
            query = query.where(Schedule.recorder_id == recorder_id)
        return (await self._session.scalars(query)).all()

    async def add(self, values: Mapping[str, object], now: datetime) -> Schedule:
        """``values`` by column name. Raises ``Missing`` for a recorder that is not there."""
        spec = checked(values, _SPEC)
        await require(self._session, Recorder, spec.get("recorder_id"))
        row = Schedule(**spec, created_at=now)
        await insert_row(self._session, row)
        return row

    async def update(self, schedule_id: str, rev: int, changes: Mapping[str, object]) -> Schedule:
        """Raises ``Missing``, ``StaleRev``."""
        spec = checked(changes, _SPEC - {"recorder_id"})
        return await update_by_rev(self._session, Schedule, schedule_id, rev, spec)

    async def delete(self, schedule_id: str, rev: int) -> None:
        """Raises ``Missing``, ``StaleRev``."""
        await lock_rev(self._session, Schedule, schedule_id, rev)
        await self._session.execute(delete(Schedule).where(Schedule.id == schedule_id))
