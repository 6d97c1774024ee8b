"""Drills: what was made to fail on purpose, and what was measured."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.drill_models import Drill
from db.errors import Missing


class Drills:
    """A drill is added when it begins and finished once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, at: datetime, by: str, target: tuple[str, str, str], kind: str, seconds: int, *, was_test: bool
    ) -> Drill:
        """``target`` is its kind, its id and its name."""
        target_kind, target_id, target_name = target
        row = Drill(
            at=at, by=by, target_kind=target_kind, target_id=target_id, target_name=target_name, kind=kind,
            seconds=seconds, was_test=was_test, measured={},
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        return row

    async def finish(self, drill_id: int, at: datetime, measured: dict[str, Any]) -> None:
        """One that is finished stays as it is."""
        unfinished = (Drill.id == drill_id) & Drill.finished_at.is_(None)
        await self._session.execute(update(Drill).where(unfinished).values(finished_at=at, measured=measured))

    async def get(self, drill_id: int) -> Drill:
        """Raises ``Missing``."""
        row = await self._session.get(Drill, drill_id)
        if row is None:
            raise Missing("drill", str(drill_id))
        return row

    async def list(self, before: int | None = None, limit: int = 100) -> Sequence[Drill]:
        """Newest first; ``before`` is the last id seen."""
        query = select(Drill).order_by(Drill.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Drill.id < before)
        return (await self._session.scalars(query)).all()
