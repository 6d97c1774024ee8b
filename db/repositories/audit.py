"""Who did what, through which door, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Audit


class AuditLog:
    """Append only: there is no way here to change or delete a row."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        now: datetime,
        principal: str,
        origin: str,
        action: str,
        target: str,
        outcome: str,
        detail: dict[str, Any] | None = None,
    ) -> Audit:
        """``detail`` is anything JSON can hold."""
        row = Audit(
            at=now,
            principal=principal,
            origin=origin,
            action=action,
            target=target,
            outcome=outcome,
            detail=detail or {},
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def list(self, before: int | None = None, limit: int = 100) -> Sequence[Audit]:
        """Newest first; ``before`` is the last id seen."""
        query = select(Audit).order_by(Audit.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Audit.id < before)
        return (await self._session.scalars(query)).all()
