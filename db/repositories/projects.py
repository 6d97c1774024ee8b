"""Projects group channels, recorders, playlists and assets."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse
from db.models import Asset, Channel, Playlist, Project, Recorder
from db.repositories.rows import checked, get_row, insert_row, lock_rev, update_by_rev

_SPEC = frozenset({"name"})
_ITS_OWN = ((Channel, "channel"), (Recorder, "recorder"), (Playlist, "playlist"), (Asset, "asset"))


class Projects:
    """Who may see what belongs to a project is decided elsewhere; here it only groups."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, project_id: str) -> Project:
        """Raises ``Missing``."""
        return await get_row(self._session, Project, project_id)

    async def list(
        self, after: str | None = None, limit: int | None = None, *, ids: Set[str] | None = None
    ) -> Sequence[Project]:
        """By name; ``after`` is the last name seen, ``ids`` which of them are wanted."""
        query = select(Project).order_by(Project.name).limit(limit)
        if after is not None:
            query = query.where(Project.name > after)
        if ids is not None:
            query = query.where(Project.id.in_(ids))
        return (await self._session.scalars(query)).all()

    async def add(self, name: str, now: datetime) -> Project:
        """Raises ``Taken``."""
        row = Project(name=name, created_at=now)
        await insert_row(self._session, row)
        return row

    async def update(self, project_id: str, rev: int, changes: Mapping[str, object]) -> Project:
        """Raises ``Missing``, ``StaleRev``, ``Taken``."""
        return await update_by_rev(self._session, Project, project_id, rev, checked(changes, _SPEC))

    async def delete(self, project_id: str, rev: int) -> None:
        """Raises ``Missing``, ``StaleRev``, and ``InUse`` while anything belongs to it."""
        await lock_rev(self._session, Project, project_id, rev)
        for model, noun in _ITS_OWN:
            query = select(func.count()).select_from(model).where(model.project_id == project_id)
            if count := await self._session.scalar(query):
                raise InUse("project", project_id, f"{count} {noun}{'s' if count > 1 else ''}")
        await self._session.execute(delete(Project).where(Project.id == project_id))
