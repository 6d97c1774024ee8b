"""People and services, their grants and their tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import Principal, Project, ProjectGrant, Token
from db.repositories.rows import checked, get_row, insert_row, lock_rev, require, table_of, update_by_rev, upsert

_SPEC = frozenset({"name", "role", "unix_user", "active"})


class Principals:
    """What they may do is decided elsewhere; here it is only kept."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, principal_id: str) -> Principal:
        """Raises ``Missing``."""
        return await get_row(self._session, Principal, principal_id)

    async def list(self) -> Sequence[Principal]:
        """By name."""
        return (await self._session.scalars(select(Principal).order_by(Principal.name))).all()

    async def add(self, name: str, kind: str, role: str, unix_user: str | None, now: datetime) -> Principal:
        """Raises ``Taken``."""
        row = Principal(name=name, kind=kind, role=role, unix_user=unix_user, created_at=now)
        await insert_row(self._session, row)
        return row

    async def update(self, principal_id: str, rev: int, changes: Mapping[str, object]) -> Principal:
        """Raises ``Missing``, ``StaleRev``, ``Taken``."""
        return await update_by_rev(self._session, Principal, principal_id, rev, checked(changes, _SPEC))

    async def delete(self, principal_id: str, rev: int) -> None:
        """With its grants and tokens. Raises ``Missing``, ``StaleRev``."""
        await lock_rev(self._session, Principal, principal_id, rev)
        await self._session.execute(delete(Principal).where(Principal.id == principal_id))

    async def grants(self, principal_id: str | None = None) -> Sequence[ProjectGrant]:
        """Of one principal, or of all."""
        query = select(ProjectGrant).order_by(ProjectGrant.principal_id, ProjectGrant.project_id)
        if principal_id is not None:
            query = query.where(ProjectGrant.principal_id == principal_id)
        return (await self._session.scalars(query)).all()

    async def grant(self, principal_id: str, project_id: str, *, operates: bool, edits: bool) -> None:
        """In the place of what was granted of the project before. Raises ``Missing``."""
        await self.get(principal_id)
        await require(self._session, Project, project_id)
        rights = {"operates": operates, "edits": edits}
        values = {"principal_id": principal_id, "project_id": project_id, **rights}
        keys = [ProjectGrant.principal_id, ProjectGrant.project_id]
        statement = upsert(self._session, ProjectGrant).values(values)
        await self._session.execute(statement.on_conflict_do_update(index_elements=keys, set_=rights))

    async def withdraw(self, principal_id: str, project_id: str) -> None:
        """Raises ``Missing`` where nothing was granted."""
        mine = (ProjectGrant.principal_id == principal_id, ProjectGrant.project_id == project_id)
        gone = await self._session.scalar(delete(ProjectGrant).where(*mine).returning(ProjectGrant.project_id))
        if gone is None:
            raise Missing("grant", f"of project {project_id}")

    async def tokens(self, principal_id: str | None = None) -> Sequence[Token]:
        """Of one principal, or of all, also those that are over; the oldest first."""
        query = select(Token).order_by(Token.created_at, Token.id)
        if principal_id is not None:
            query = query.where(Token.principal_id == principal_id)
        return (await self._session.scalars(query)).all()

    async def add_token(
        self,
        token_id: str,
        digest: str,
        principal_id: str,
        label: str,
        *,
        by: str,
        now: datetime,
        expires_at: datetime,
    ) -> Token:
        """Raises ``Missing``."""
        await require_principal(self._session, principal_id)
        row = Token(
            id=token_id, digest=digest, principal_id=principal_id, label=label, created_at=now, created_by=by,
            expires_at=expires_at,
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        return row

    async def revoke_token(self, token_id: str, by: str, now: datetime) -> Token:
        """The first to revoke it stays. Raises ``Missing``."""
        row = await self._session.scalar(select(Token).where(Token.id == token_id).with_for_update())
        if row is None:
            raise Missing("token", token_id)
        if row.revoked_at is None:
            row.revoked_at, row.revoked_by = now, by
            await self._session.flush()
        return row

    async def token_used(self, token_id: str, at: datetime, origin: str) -> None:
        """Kept unless a later use is known."""
        table = table_of(Token)
        later = (table.c.last_used_at.is_(None)) | (table.c.last_used_at < at)
        values = {"last_used_at": at, "last_used_from": origin[:80]}
        await self._session.execute(update(table).where(table.c.id == token_id, later).values(values))


async def require_principal(session: AsyncSession, principal_id: str) -> None:
    """That it is there and stays until the transaction ends. Raises ``Missing``."""
    mine = select(Principal.id).where(Principal.id == principal_id).with_for_update(read=True, key_share=True)
    if await session.scalar(mine) is None:
        raise Missing("principal", principal_id)
