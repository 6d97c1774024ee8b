"""Who did what, through which door, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Audit


class AuditLog:
    """Append only: there is no way here to change or delete a row, and the database refuses it, too."""

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

    async def list(
        self,
        before: int | None = None,
        limit: int = 100,
        *,
        principal: str | None = None,
        action: str | None = None,
        target: str | None = None,
        outcome: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Audit]:
        """Newest first; ``before`` is the last id seen, ``target`` what a target holds. None leaves a filter out."""
        query = select(Audit).order_by(Audit.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Audit.id < before)
        for column, wanted in ((Audit.principal, principal), (Audit.action, action), (Audit.outcome, outcome)):
            if wanted is not None:
                query = query.where(column == wanted)
        if target is not None:
            query = query.where(Audit.target.contains(target, autoescape=True))
        if since is not None:
            query = query.where(Audit.at >= since)
        if until is not None:
            query = query.where(Audit.at < until)
        return (await self._session.scalars(query)).all()

    async def not_done(self, target: str, limit: int, *, within: int = 2000) -> Sequence[Audit]:
        """What was refused or failed of this target among the newest ``within`` rows, newest first."""
        newest = select(Audit.id).order_by(Audit.id.desc()).limit(within).subquery()
        query = (
            select(Audit)
            .where(Audit.id.in_(select(newest.c.id)), Audit.target == target, Audit.outcome != "done")
            .order_by(Audit.id.desc())
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()
