"""The folders that clips lie below, each known by its marker."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import MediaRoot
from db.repositories.rows import insert_row


class MediaRoots:
    """A path has one marker: on every node it is the same folder or it is not there."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, path: str) -> MediaRoot:
        """By its path. Raises ``Missing``."""
        row = await self._session.scalar(select(MediaRoot).where(MediaRoot.path == path))
        if row is None:
            raise Missing("media root", path)
        return row

    async def list(self) -> Sequence[MediaRoot]:
        """By path."""
        return (await self._session.scalars(select(MediaRoot).order_by(MediaRoot.path))).all()

    async def add(self, path: str, marker: str, now: datetime) -> MediaRoot:
        """Raises ``Taken``."""
        row = MediaRoot(path=path, marker=marker, created_at=now)
        await insert_row(self._session, row)
        return row

    async def delete(self, root_id: str) -> None:
        """Raises ``Missing``. Assets below it stay: they are then below no root that is checked."""
        gone = await self._session.scalar(delete(MediaRoot).where(MediaRoot.id == root_id).returning(MediaRoot.id))
        if gone is None:
            raise Missing("media root", root_id)
