"""What somebody has to look at: raised once, kept until cleared."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import Executable, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing, StoreUnavailable
from db.models import Alarm, Channel, Node, Recorder, new_id
from db.repositories.instructions import Instructions, StationInstructions, instruction_of
from db.repositories.rows import table_of, upsert_in
from db.repositories.within import Within

_ATTEMPTS = 3


def open_key(code: str, subject_id: str | None, node_id: str | None) -> str:
    """What at most one alarm that is not cleared may have; ``subject_id`` is the channel's or the recorder's."""
    return f"{code}:{subject_id or ''}:{node_id or ''}"


class NewAlarm(NamedTuple):
    """One that is to be open since ``now``."""

    code: str
    channel_id: str | None
    node_id: str | None
    severity: str
    text: str
    now: datetime
    recorder_id: str | None = None

    @property
    def key(self) -> str:
        return open_key(self.code, self.channel_id or self.recorder_id, self.node_id)

    def values(self, instructions: Instructions) -> dict[str, object]:
        return {
            "id": new_id(),
            "channel_id": self.channel_id,
            "recorder_id": self.recorder_id,
            "instruction": instruction_of(instructions, self.code, self.channel_id or self.recorder_id),
            "node_id": self.node_id,
            "code": self.code,
            "severity": self.severity,
            "text": self.text,
            "raised_at": self.now,
            "open_key": self.key,
        }


class Alarms:
    """At most one open alarm for one (code, channel or recorder, node), as a unique constraint."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def raise_once(
        self,
        code: str,
        channel_id: str | None,
        node_id: str | None,
        severity: str,
        text: str,
        now: datetime,
        recorder_id: str | None = None,
    ) -> tuple[Alarm, bool]:
        """The open alarm of this (code, channel or recorder, node), and whether it is new.

        One that is open keeps its instant and who acknowledged it; severity and text are brought up to date.
        """
        new = NewAlarm(code, channel_id, node_id, severity, text, now, recorder_id)
        key = new.key
        insert = _raise(self._session.get_bind().dialect.name)
        said = new.values(await StationInstructions(self._session).texts())
        for _ in range(_ATTEMPTS):
            row = (await self._session.execute(insert, said)).mappings().one_or_none()
            if row is not None:
                return Alarm(**row), True
            values = {"of": key, "severity_now": severity, "text_now": text}
            row = (await self._session.execute(_RENEW, values)).mappings().one_or_none()
            if row is not None:
                return Alarm(**row), False
            # Cleared by somebody between the two statements: it is to be raised anew.
        raise StoreUnavailable(f"alarm {key} is raised and cleared by several at once")

    async def raise_all(self, alarms: Sequence[NewAlarm]) -> Sequence[Alarm]:
        """As ``raise_once`` of each, those that are new in one statement; no two of one key."""
        if not alarms:
            return ()
        insert = _raise(self._session.get_bind().dialect.name)
        texts = await StationInstructions(self._session).texts()
        found = (await self._session.execute(insert, [alarm.values(texts) for alarm in alarms])).mappings()
        rows = [Alarm(**row) for row in found]
        raised = {row.open_key for row in rows}
        await self._still_shelved(rows, alarms[0].now)
        open_before = [alarm for alarm in alarms if alarm.key not in raised]
        return [*rows, *[(await self.raise_once(*alarm))[0] for alarm in open_before]]

    async def clear_all(self, keys: Iterable[tuple[str, str | None, str | None]], now: datetime) -> Sequence[Alarm]:
        """Those of these (code, channel or recorder, node) that were open, cleared."""
        values = {"of": [open_key(*key) for key in keys], "now": now}
        if not values["of"]:
            return ()
        return [Alarm(**row) for row in (await self._session.execute(_CLEAR_ALL, values)).mappings()]

    async def clear(self, code: str, subject_id: str | None, node_id: str | None, now: datetime) -> Alarm | None:
        """The alarm of a channel or recorder that was open, cleared; None when none was."""
        values = {"of": open_key(code, subject_id, node_id), "now": now}
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

    async def shelve(self, alarm_id: str, until: datetime | None, by: str | None, reason: str | None) -> Alarm:
        """Puts it aside until then; ``until`` None takes it back. Raises ``Missing``."""
        row = await self._session.scalar(
            update(Alarm)
            .where(Alarm.id == alarm_id)
            .values(shelved_until=until, shelved_by=by, shelved_reason=reason)
            .returning(Alarm)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        if row is None:
            raise Missing("alarm", alarm_id)
        if until is None:
            # Its earlier ones too: the next would be shelved again by what they say.
            same = (
                Alarm.code == row.code,
                Alarm.channel_id.is_not_distinct_from(row.channel_id),
                Alarm.recorder_id.is_not_distinct_from(row.recorder_id),
                Alarm.node_id.is_not_distinct_from(row.node_id),
                Alarm.shelved_until.is_not(None),
            )
            await self._session.execute(update(Alarm).where(*same).values(shelved_until=None))
        return row

    async def _still_shelved(self, rows: Sequence[Alarm], now: datetime) -> None:
        """One that comes again while it is shelved is shelved still: that is what shelving is for."""
        if not rows:
            return
        aside = (await self._session.scalars(select(Alarm).where(Alarm.shelved_until > now))).all()
        shelves = {open_key(one.code, one.channel_id or one.recorder_id, one.node_id): one for one in aside}
        for row in rows:
            known = shelves.get(row.open_key or "")
            if known is not None and row.shelved_until is None:
                row.shelved_until, row.shelved_by = known.shelved_until, known.shelved_by
                row.shelved_reason = known.shelved_reason
                await self.shelve(row.id, row.shelved_until, row.shelved_by, row.shelved_reason)

    async def get(self, alarm_id: str) -> Alarm:
        """Raises ``Missing``."""
        row = await self._session.scalar(select(Alarm).where(Alarm.id == alarm_id))
        if row is None:
            raise Missing("alarm", alarm_id)
        return row

    async def orphans(self) -> Sequence[Alarm]:
        """Open ones of a channel, a recorder or a node that is not there any more: nobody is left to say that they are
        over."""
        without_channel = Alarm.channel_id.is_not(None) & ~exists().where(Channel.id == Alarm.channel_id)
        without_node = Alarm.node_id.is_not(None) & ~exists().where(Node.id == Alarm.node_id)
        without_recorder = Alarm.recorder_id.is_not(None) & ~exists().where(Recorder.id == Alarm.recorder_id)
        query = select(Alarm).where(Alarm.open_key.is_not(None), or_(without_channel, without_recorder, without_node))
        return (await self._session.scalars(query)).all()

    async def list(
        self,
        *,
        open_only: bool = True,
        channel_id: str | None = None,
        recorder_id: str | None = None,
        within: Within | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Alarm]:
        """Newest first; ``after`` is the last id seen."""
        query = select(Alarm).order_by(Alarm.raised_at.desc(), Alarm.id.desc()).limit(limit)
        if open_only:
            query = query.where(Alarm.open_key.is_not(None))
        if channel_id is not None:
            query = query.where(Alarm.channel_id == channel_id)
        if recorder_id is not None:
            query = query.where(Alarm.recorder_id == recorder_id)
        if within is not None:
            query = query.where(within.where(Alarm.channel_id, Alarm.recorder_id))
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
_CLEARING: Final = update(_TABLE).values(cleared_at=bindparam("now"), open_key=None).returning(_TABLE)
_CLEAR: Final = _CLEARING.where(_TABLE.c.open_key == bindparam("of"))
_CLEAR_ALL: Final = _CLEARING.where(_TABLE.c.open_key.in_(bindparam("of", expanding=True)))


@cache
def _raise(dialect: str) -> Executable:
    insert = upsert_in(dialect, _TABLE).on_conflict_do_nothing(index_elements=[_TABLE.c.open_key])
    return insert.returning(_TABLE)
