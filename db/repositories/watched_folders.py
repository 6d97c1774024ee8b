"""The folders that lists and media come into."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import Channel, Project, WatchedFolder
from db.repositories.rows import get_row, insert_row, require


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """As in ``WatchedFolder``."""

    kind: str
    path: str
    channel_id: str | None = None
    project_id: str | None = None
    source: str | None = None
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    append: bool = False


class WatchedFolders:
    """A path is watched once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, folder_id: str) -> WatchedFolder:
        """Raises ``Missing``."""
        return await get_row(self._session, WatchedFolder, folder_id)

    async def list(self) -> Sequence[WatchedFolder]:
        """By path."""
        return (await self._session.scalars(select(WatchedFolder).order_by(WatchedFolder.path))).all()

    async def add(self, spec: FolderSpec, now: datetime) -> WatchedFolder:
        """Raises ``Taken``, and ``Missing`` (channel or project)."""
        await require(self._session, Channel, spec.channel_id)
        await require(self._session, Project, spec.project_id)
        row = WatchedFolder(**{**asdict(spec), "options": dict(spec.options)}, created_at=now)
        await insert_row(self._session, row)
        return row

    async def delete(self, folder_id: str) -> None:
        """What came out of it stays. Raises ``Missing``."""
        gone = await self._session.scalar(
            delete(WatchedFolder).where(WatchedFolder.id == folder_id).returning(WatchedFolder.id)
        )
        if gone is None:
            raise Missing("watched_folder", folder_id)
