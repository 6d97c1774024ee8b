"""What happened and what was decided, in sentences: the history that people ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import StoredEvent
from db.repositories.rows import table_of
from db.repositories.within import Within

MOST_AT_ONCE = 10_000
"""Events that one ``prune`` deletes at most, so that it ends within a transaction's deadline."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """``kind`` is one of ``db.models.StoredEvent``'s; ``detail`` is anything JSON can hold."""

    at: datetime
    kind: str
    text: str
    channel_id: str | None = None
    node_id: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


class StoredEvents:
    """Added in the order in which they happened, and bounded by age and number; nothing here changes one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, events: Sequence[NewEvent]) -> None:
        """Many at once. Characters that PostgreSQL cannot hold are replaced: one bad name must not lose the others."""
        rows = [
            {
                "at": event.at,
                "kind": event.kind,
                "channel_id": event.channel_id,
                "node_id": event.node_id,
                "text": _storable(event.text),
                "detail": dict(event.detail),
            }
            for event in events
        ]
        if rows:
            await self._session.execute(_ADD, rows)

    async def list(
        self,
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
        kinds: Sequence[str] = (),
        within: Within | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[StoredEvent]:
        """Newest first; ``before`` is the last id seen. None and empty leave a filter out."""
        query = select(StoredEvent).order_by(StoredEvent.id.desc()).limit(limit)
        if channel_id is not None:
            query = query.where(StoredEvent.channel_id == channel_id)
        if node_id is not None:
            query = query.where(StoredEvent.node_id == node_id)
        if kinds:
            query = query.where(StoredEvent.kind.in_(kinds))
        if within is not None:
            query = query.where(within.where(StoredEvent.channel_id))
        if before is not None:
            query = query.where(StoredEvent.id < before)
        return (await self._session.scalars(query)).all()

    async def prune(self, older_than: datetime, keep: int) -> int:
        """Deletes what is older, and all but the newest ``keep``; how many went.

        At most ``MOST_AT_ONCE``, the oldest first: call it again while it answers as many.
        """
        last = select(StoredEvent.id).order_by(StoredEvent.id.desc()).limit(1).offset(keep).scalar_subquery()
        too_many = (
            select(StoredEvent.id)
            .where(or_(StoredEvent.at < older_than, StoredEvent.id <= last))
            .order_by(StoredEvent.id)
            .limit(MOST_AT_ONCE)
        )
        gone = await self._session.scalars(
            delete(StoredEvent)
            .where(StoredEvent.id.in_(too_many))
            .returning(StoredEvent.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())


_ADD: Final = insert(table_of(StoredEvent))


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
