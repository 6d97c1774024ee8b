"""DeckLink ports that are kept for windows of schedules, and whose a port is by what was planned."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.errors import PortTaken
from db.models import Node, PortReservation, Recorder, Schedule, new_id

_LOCK: Final = 0x6D6372_0002
_KEYS_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class ReservedWindow:
    """As in ``PortReservation``."""

    node_id: str
    device_index: int
    recorder_id: str
    schedule_id: str
    starts_at: datetime
    ends_at: datetime
    from_at: datetime
    until_at: datetime

    def clashes_with(self, other: "ReservedWindow") -> bool:
        """Whether both want one port at one time. What one recorder records itself goes on without letting go."""
        same = (self.node_id, self.device_index) == (other.node_id, other.device_index)
        overlap = self.from_at < other.until_at and other.from_at < self.until_at
        return same and overlap and self.recorder_id != other.recorder_id


class _Kept:
    """What is kept of one port."""

    def __init__(self) -> None:
        self._windows: list[ReservedWindow] = []
        self._longest = timedelta(0)

    def keep(self, window: ReservedWindow) -> bool:
        """False, and it is not, where another recorder has some of its time."""
        first = bisect_left(self._windows, window.from_at - self._longest, key=_from_at)
        last = bisect_left(self._windows, window.until_at, key=_from_at)
        if any(window.clashes_with(other) for other in self._windows[first:last]):
            return False
        insort(self._windows, window, key=_from_at)
        self._longest = max(self._longest, window.until_at - window.from_at)
        return True


class Reservations:
    """At most one of the windows that overlap on one port is held."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take_turns(self) -> None:
        """Before plans are read that ports are to be kept by: on PostgreSQL those who plan at once would not see each
        other's. On SQLite all who write take turns."""
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    async def renew(self, wanted: Sequence[ReservedWindow]) -> None:
        """``wanted`` are all that there are to be, those that were planned first first.

        A window that was held and is unchanged stays so, whoever moves another over it.
        """
        query = select(PortReservation).execution_options(populate_existing=True)
        before = {_window(row): row for row in (await self._session.scalars(query)).all()}
        kept: dict[tuple[str, int], _Kept] = {}
        held: dict[ReservedWindow, bool] = {}
        was_held = {window for window, row in before.items() if row.held}
        for window in sorted(wanted, key=lambda one: one not in was_held):
            mine = kept.setdefault((window.node_id, window.device_index), _Kept())
            held[window] = mine.keep(window)
        await self._remove([row.id for window, row in before.items() if window not in held])
        for says in (True, False):
            changed = [row.id for window, row in before.items() if held.get(window, row.held) is says is not row.held]
            for ids in _parts(changed):
                statement = update(PortReservation).where(PortReservation.id.in_(ids)).values(held=says)
                await self._session.execute(statement.execution_options(synchronize_session=False))
        new = [{"id": new_id(), **asdict(one), "held": says} for one, says in held.items() if one not in before]
        if new:
            await self._session.execute(insert(PortReservation), new)

    async def list(self, *, node_id: str | None = None) -> Sequence[PortReservation]:
        """In the order in which they begin."""
        query = select(PortReservation).order_by(PortReservation.from_at, PortReservation.id)
        if node_id is not None:
            query = query.where(PortReservation.node_id == node_id)
        return (await self._session.scalars(query)).all()

    async def overlaps(self) -> Sequence[tuple[PortReservation, PortReservation]]:
        """Every two of two recorders that want one port at one time, from both sides, the first first."""
        mine, other = aliased(PortReservation), aliased(PortReservation)
        query = (
            select(mine, other)
            .join(other, (other.node_id == mine.node_id) & (other.device_index == mine.device_index))
            .where(other.recorder_id != mine.recorder_id, mine.from_at < other.until_at, other.from_at < mine.until_at)
            .order_by(mine.from_at, other.from_at, other.id)
        )
        return [(row[0], row[1]) for row in await self._session.execute(query)]

    async def holder(self, node_id: str, device_index: int, owner_id: str, now: datetime) -> PortTaken | None:
        """Whose the port is at this instant by what was planned, if not ``owner_id``'s.

        A recorder that somebody stopped does not want it until what it would record is over.
        """
        query = (
            select(PortReservation, Recorder, Schedule.title, Node.name)
            .join(Recorder, Recorder.id == PortReservation.recorder_id)
            .join(Schedule, Schedule.id == PortReservation.schedule_id)
            .join(Node, Node.id == PortReservation.node_id)
            .where(
                PortReservation.node_id == node_id,
                PortReservation.device_index == device_index,
                PortReservation.held,
                PortReservation.from_at <= now,
                PortReservation.until_at > now,
                PortReservation.recorder_id != owner_id,
                Recorder.held_until.is_(None) | (Recorder.held_until <= now),
            )
            .limit(1)
        )
        found = (await self._session.execute(query)).one_or_none()
        if found is None:
            return None
        row, recorder, title, node_name = found
        return PortTaken(
            owner_kind="recorder",
            owner_id=recorder.id,
            owner_name=recorder.name,
            node_id=node_id,
            node_name=node_name,
            port=f"index:{device_index}",
            device_index=device_index,
            since=row.from_at,
            reserved_for=title,
            reserved_until=row.until_at,
        )

    async def _remove(self, ids: Sequence[str]) -> None:
        for part in _parts(ids):
            statement = delete(PortReservation).where(PortReservation.id.in_(part))
            await self._session.execute(statement.execution_options(synchronize_session=False))


def _from_at(window: ReservedWindow) -> datetime:
    return window.from_at


def _window(row: PortReservation) -> ReservedWindow:
    return ReservedWindow(
        row.node_id, row.device_index, row.recorder_id, row.schedule_id, row.starts_at, row.ends_at, row.from_at,
        row.until_at,
    )  # fmt: skip


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _KEYS_AT_ONCE] for start in range(0, len(ids), _KEYS_AT_ONCE)]
