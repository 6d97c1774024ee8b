"""What somebody has to look at: raised once, kept until cleared."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Executable, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing, StoreUnavailable
from db.models import Alarm, Channel, Node, new_id
from db.repositories.rows import table_of, upsert_in

_ATTEMPTS = 3


def open_key(code: str, channel_id: str | None, node_id: str | None) -> str:
    """What at most one alarm that is not cleared may have."""
    return f"{code}:{channel_id or ''}:{node_id or ''}"


class Alarms:
    """At most one open alarm for one (code, channel, node), as a unique constraint."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def raise_once(
        self, code: str, channel_id: str | None, node_id: str | None, severity: str, text: str, now: datetime
    ) -> tuple[Alarm, bool]:
        """The open alarm of this (code, channel, node), and whether it is new.

        One that is open keeps its instant and who acknowledged it; severity and text are brought up to date.
        """
        key = open_key(code, channel_id, node_id)
        new = {
            "channel_id": channel_id,
            "node_id": node_id,
            "code": code,
            "severity": severity,
            "text": text,
            "raised_at": now,
            "open_key": key,
        }
        insert = _raise(self._session.get_bind().dialect.name)
        for _ in range(_ATTEMPTS):
            row = (await self._session.execute(insert, {"id": new_id(), **new})).mappings().one_or_none()
            if row is not None:
                return Alarm(**row), True
            values = {"of": key, "severity_now": severity, "text_now": text}
            row = (await self._session.execute(_RENEW, values)).mappings().one_or_none()
            if row is not None:
                return Alarm(**row), False
            # Cleared by somebody between the two statements: it is to be raised anew.
        raise StoreUnavailable(f"alarm {key} is raised and cleared by several at once")

    async def clear(self, code: str, channel_id: str | None, node_id: str | None, now: datetime) -> Alarm | None:
        """The alarm that was open, cleared; None when none was."""
        values = {"of": open_key(code, channel_id, node_id), "now": now}
        row = (await self._session.execute(_CLEAR, values)).mappings().one_or_none()
        return None if row is None else Alarm(**row)

    async def acknowledge(self, alarm_id: str, by: str, now: datetime) -> Alarm:
        """The first to acknowledge stays. Raises ``Missing``."""
        row = await self._session.scalar(
            update(Alarm)
            .where(Alarm.id == alarm_id)
            .values(
                acknowledged_by=func.coalesce(Alarm.acknowledged_by, by),
                acknowledged_at=func.coalesce(Alarm.acknowledged_at, now),
            )
            .returning(Alarm)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        if row is None:
            raise Missing("alarm", alarm_id)
        return row

    async def get(self, alarm_id: str) -> Alarm:
        """Raises ``Missing``."""
        row = await self._session.scalar(select(Alarm).where(Alarm.id == alarm_id))
        if row is None:
            raise Missing("alarm", alarm_id)
        return row

    async def orphans(self) -> Sequence[Alarm]:
        """Open ones of a channel or a node that is not there any more: nobody is left to say that they are over."""
        without_channel = Alarm.channel_id.is_not(None) & ~exists().where(Channel.id == Alarm.channel_id)
        without_node = Alarm.node_id.is_not(None) & ~exists().where(Node.id == Alarm.node_id)
        query = select(Alarm).where(Alarm.open_key.is_not(None), or_(without_channel, without_node))
        return (await self._session.scalars(query)).all()

    async def list(
        self,
        *,
        open_only: bool = True,
        channel_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Alarm]:
        """Newest first; ``after`` is the last id seen."""
        query = select(Alarm).order_by(Alarm.raised_at.desc(), Alarm.id.desc()).limit(limit)
        if open_only:
            query = query.where(Alarm.open_key.is_not(None))
        if channel_id is not None:
            query = query.where(Alarm.channel_id == channel_id)
        if after is not None:
            seen = select(Alarm.raised_at).where(Alarm.id == after).scalar_subquery()
            query = query.where(or_(Alarm.raised_at < seen, (Alarm.raised_at == seen) & (Alarm.id < after)))
        return (await self._session.scalars(query)).all()


_TABLE: Final = table_of(Alarm)
_RENEW: Final = (
    update(_TABLE)
    .where(_TABLE.c.open_key == bindparam("of"))
    .values(severity=bindparam("severity_now"), text=bindparam("text_now"))
    .returning(_TABLE)
)
_CLEAR: Final = (
    update(_TABLE)
    .where(_TABLE.c.open_key == bindparam("of"))
    .values(cleared_at=bindparam("now"), open_key=None)
    .returning(_TABLE)
)


@cache
def _raise(dialect: str) -> Executable:
    insert = upsert_in(dialect, _TABLE).on_conflict_do_nothing(index_elements=[_TABLE.c.open_key])
    return insert.returning(_TABLE)
