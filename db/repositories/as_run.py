"""The as-run log: journals' records, collected exactly once, and the events made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, literal, not_, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from db.errors import JournalGap, Missing, NotLeader
from db.models import AsRun, AsRunEvent, AsRunRun, Channel, Instant, Recorder
from db.repositories.as_run_changes import LATE_RECORDS, mark_changed
from db.repositories.as_run_links import LINK, link_first, run_after
from db.repositories.leader import LEADS, Fence, Leaders, fence_values
from db.repositories.rows import table_of, upsert_in


class RunKey(NamedTuple):
    """One life of one sidecar."""

    channel_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class AsRunRow:
    """A journal's record; ``line`` is what the journal has, byte for byte, without its newline."""

    seq: int
    kind: str
    frame: int
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class AsRunEventRow:
    """What aired from start to end, numbered by the record that began it. Fields as in ``db.models.AsRunEvent``."""

    seq: int
    kind: str
    title: str
    start_at: datetime
    start_frame: int
    rate: str
    start_cause: str
    status: str
    item_id: str | None = None
    asset_id: str | None = None
    house_id: str | None = None
    end_at: datetime | None = None
    frames: int | None = None
    planned_frames: int | None = None
    end_cause: str | None = None
    by: str = ""
    detail: str = ""
    late: int = 0
    traffic_id: str | None = None
    path: str | None = None
    fingerprint: str | None = None
    in_frames: int | None = None
    source_in: int | None = None
    source_rate: str | None = None
    planned_at: datetime | None = None
    predicted_at: datetime | None = None
    inserted: bool | None = None
    start_proof: str | None = None
    end_proof: str | None = None
    continues_run_id: str | None = None
    continues_seq: int | None = None
    lost_frames: int | None = None


class EventCursor(NamedTuple):
    """The last event seen: the key by which events are ordered."""

    start_at: datetime
    channel_id: str
    run_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class EventFilters:
    """``start_from`` is inclusive, ``start_to`` exclusive; None and empty leave a filter out.

    ``aired_only``: nothing that a recorder recorded, which is in the same log. ``projects``: only what channels of
    these aired, which are still there.
    """

    channel_id: str | None = None
    start_from: datetime | None = None
    start_to: datetime | None = None
    kinds: tuple[str, ...] = ()
    newest_first: bool = True
    aired_only: bool = False
    projects: frozenset[str] | None = None


class AsRunLog:
    """Records only ever come to it, by the leader's hand; nothing here changes or deletes one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def runs(self, channel_id: str | None = None) -> Sequence[AsRunRun]:
        """How far every run is collected."""
        query = select(AsRunRun).order_by(AsRunRun.channel_id, AsRunRun.epoch, AsRunRun.run_id)
        if channel_id is not None:
            query = query.where(AsRunRun.channel_id == channel_id)
        return (await self._session.scalars(query)).all()

    async def collected_seq(self, channel_id: str, run_id: str) -> int:
        """The highest number collected without a hole before it; 0 when nothing is."""
        return await self._session.scalar(_COLLECTED, {"of_channel": channel_id, "of_run": run_id}) or 0

    async def append(
        self,
        fence: Fence,
        run: RunKey,
        node_id: str,
        epoch: int,
        rows: Sequence[AsRunRow],
        events: Sequence[AsRunEventRow] = (),
    ) -> int:
        """Records in order of ``seq`` and what they make of events; how far the run is collected then.

        Records that are there already are left alone, so that the same call twice is the same call. ``events`` are
        written over by number, except when every one of ``rows`` was there already: then somebody collected further.
        Raises ``NotLeader``, and ``JournalGap`` on a hole; then nothing is written.
        """
        await Leaders(self._session).require(fence)
        key = {"channel_id": run.channel_id, "run_id": run.run_id}
        dialect = self._session.get_bind().dialect.name
        await self._session.execute(_begin_run(dialect), {**key, "node_id": node_id, "epoch": epoch})
        collected = await self._session.scalar(_COLLECTED_LOCKED, {"of_channel": run.channel_id, "of_run": run.run_id})
        assert collected is not None
        new: list[AsRunRow] = []
        last = collected
        for row in rows:
            if row.seq <= collected:
                continue
            if row.seq != last + 1:
                raise JournalGap(run.channel_id, run.run_id, last, row.seq)
            new.append(row)
            last = row.seq
        if new:
            await self._session.execute(_add_records(dialect), [{**key, "epoch": epoch, **_values(row)} for row in new])
            # The term may have ended since: who froze in the middle undoes it all on waking.
            if not await self._change_run(_COLLECT, fence, run, {"up_to": last}):
                raise NotLeader(fence.term)
        if events and (new or not rows):
            await self._write_events(key, epoch, events)
            await self._mark(run.channel_id, [event for event in events if event.end_at is not None])
        return last

    async def _mark(self, channel_id: str, events: Sequence[AsRunEventRow | AsRunEvent]) -> None:
        """Days of these events that were delivered are others now."""
        if events:
            first = min(event.start_at for event in events)
            last = max(event.end_at or event.start_at for event in events)
            await mark_changed(self._session, channel_id, first, last, LATE_RECORDS)

    async def _write_events(self, key: dict[str, str], epoch: int, events: Sequence[AsRunEventRow]) -> None:
        await self._session.execute(
            _write_event(self._session.get_bind().dialect.name),
            [{**key, "epoch": epoch, **_values(event)} for event in events],
        )

    async def drop_events(self, fence: Fence, run: RunKey, first: int, last: int, kept: Sequence[int]) -> None:
        """Events that records ``first`` to ``last`` are said to have begun and did not. Raises ``NotLeader``."""
        await Leaders(self._session).require(fence)
        await self._session.execute(
            delete(AsRunEvent).where(
                AsRunEvent.channel_id == run.channel_id,
                AsRunEvent.run_id == run.run_id,
                AsRunEvent.seq.between(first, last),
                AsRunEvent.seq.not_in(kept),
            )
        )

    async def mark_complete(self, fence: Fence, run: RunKey) -> None:
        """Its process is gone and everything it flushed is here. Raises ``NotLeader``, ``Missing``."""
        if not await self._change_run(_COMPLETE, fence, run):
            await Leaders(self._session).require(fence)
            raise Missing("run", run.run_id)

    async def _change_run(
        self, statement: ReturningUpdate[Any], fence: Fence, run: RunKey, values: Mapping[str, object] | None = None
    ) -> bool:
        named = {"of_channel": run.channel_id, "of_run": run.run_id, **fence_values(fence), **(values or {})}
        return await self._session.scalar(statement, named) is not None

    async def open_events(self, run: RunKey) -> Sequence[AsRunEvent]:
        """Those without an end, oldest first."""
        query = (
            select(AsRunEvent)
            .where(
                AsRunEvent.channel_id == run.channel_id, AsRunEvent.run_id == run.run_id, AsRunEvent.end_at.is_(None)
            )
            .order_by(AsRunEvent.seq)
        )
        return (await self._session.scalars(query)).all()

    async def link(self, run: RunKey) -> AsRunEvent | None:
        """Joins the run's first item to the segment of the same event that it resumes; that item, if it is one."""
        linked = await link_first(self._session, run.channel_id, run.run_id)
        return None if linked is None else linked.event

    async def link_after(self, run: RunKey, epoch: int) -> AsRunEvent | None:
        """The same for the run that came after this one, whose end may be known only now."""
        following = await run_after(self._session, run.channel_id, epoch)
        linked = None if following is None else await link_first(self._session, run.channel_id, following)
        if linked is None:
            return None
        # What it said before already changes no day that was delivered.
        await self._mark(run.channel_id, [linked.event] if linked.is_new else [])
        return linked.event

    async def last_event(self, run: RunKey) -> AsRunEvent | None:
        """What of the run began last and aired."""
        query = (
            select(AsRunEvent)
            .where(
                AsRunEvent.channel_id == run.channel_id, AsRunEvent.run_id == run.run_id, AsRunEvent.kind != "skipped"
            )
            .order_by(AsRunEvent.seq.desc())
            .limit(1)
        )
        return await self._session.scalar(query)

    async def events(
        self, filters: EventFilters, cursor: EventCursor | None = None, limit: int = 100
    ) -> Sequence[AsRunEvent]:
        """One page in order of (start, channel, run, seq), or backwards; ``cursor`` is the last event seen."""
        query = select(AsRunEvent).limit(limit)
        if filters.channel_id is None:
            key = (AsRunEvent.start_at, AsRunEvent.channel_id, AsRunEvent.run_id, AsRunEvent.seq)
        else:
            query = query.where(AsRunEvent.channel_id == filters.channel_id)
            key = (AsRunEvent.start_at, AsRunEvent.run_id, AsRunEvent.seq)
        if filters.start_from is not None:
            query = query.where(AsRunEvent.start_at >= filters.start_from)
        if filters.start_to is not None:
            query = query.where(AsRunEvent.start_at < filters.start_to)
        if filters.kinds:
            query = query.where(AsRunEvent.kind.in_(filters.kinds))
        if filters.aired_only:
            query = query.where(not_(_RECORDED))
        if filters.projects is not None:
            # Asked row by row, not as a list of channels: the page is then read in order of time, and no further.
            theirs = exists().where(Channel.id == AsRunEvent.channel_id, Channel.project_id.in_(filters.projects))
            query = query.where(theirs)
        if cursor is not None:
            values: list[ColumnElement[object]] = [literal(cursor.start_at, Instant())]
            if filters.channel_id is None:
                values.append(literal(cursor.channel_id))
            seen = tuple_(*values, literal(cursor.run_id), literal(cursor.seq))
            query = query.where(tuple_(*key) < seen if filters.newest_first else tuple_(*key) > seen)
        query = query.order_by(*(column.desc() if filters.newest_first else column.asc() for column in key))
        return (await self._session.scalars(query)).all()

    async def event(self, channel_id: str, run_id: str, seq: int) -> AsRunEvent | None:
        return await self._session.get(AsRunEvent, (channel_id, run_id, seq))

    async def newest(self, channel_id: str) -> AsRunEvent | None:
        """The channel's event that began last."""
        rows = await self.events(EventFilters(channel_id=channel_id), None, 1)
        return rows[0] if rows else None

    async def reaching(self, channel_id: str, at: datetime) -> Sequence[AsRunEvent]:
        """What began before ``at`` and aired then, oldest first: of each run at most one event; few runs overlap."""
        query = (
            select(AsRunEvent)
            .where(AsRunEvent.channel_id == channel_id, AsRunEvent.start_at < at, AsRunEvent.kind != "skipped")
            .order_by(AsRunEvent.start_at.desc(), AsRunEvent.run_id.desc(), AsRunEvent.seq.desc())
            .limit(_OVERLAPPING)
        )
        newest = (await self._session.scalars(query)).all()
        return [event for event in reversed(newest) if event.end_at is None or event.end_at > at]

    async def events_by_seq(self, run: RunKey, first: int, last: int, also: Sequence[int] = ()) -> Sequence[AsRunEvent]:
        """A run's events that records ``first`` to ``last`` began, and those that ``also`` did, in order."""
        query = (
            select(AsRunEvent)
            .where(
                AsRunEvent.channel_id == run.channel_id,
                AsRunEvent.run_id == run.run_id,
                or_(AsRunEvent.seq.between(first, last), AsRunEvent.seq.in_(also)),
            )
            .order_by(AsRunEvent.seq)
        )
        return (await self._session.scalars(query)).all()

    async def records(self, channel_id: str, run_id: str, after: int = 0, limit: int = 1000) -> Sequence[AsRun]:
        """One page of a run's records in order of ``seq``; ``after`` is the last number seen."""
        query = (
            select(AsRun)
            .where(AsRun.channel_id == channel_id, AsRun.run_id == run_id, AsRun.seq > after)
            .order_by(AsRun.seq)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def first_from(self, run: RunKey, seq: int) -> tuple[int, datetime] | None:
        """Number and instant of the run's first record that is not before ``seq``; None after its last."""
        query = select(AsRun.seq, AsRun.at).where(
            AsRun.channel_id == run.channel_id, AsRun.run_id == run.run_id, AsRun.seq >= seq
        )
        row = (await self._session.execute(query.order_by(AsRun.seq).limit(1))).first()
        return None if row is None else (row[0], row[1])

    async def last_of(self, run: RunKey, before: int | None = None, kinds: Sequence[str] = ()) -> int:
        """The number of the run's last record, of one of ``kinds`` and before ``before`` where they are given; else
        0."""
        query = select(AsRun.seq).where(AsRun.channel_id == run.channel_id, AsRun.run_id == run.run_id)
        if before is not None:
            query = query.where(AsRun.seq < before)
        if kinds:
            query = query.where(AsRun.kind.in_(kinds))
        return await self._session.scalar(query.order_by(AsRun.seq.desc()).limit(1)) or 0

    async def extents(self, channel_id: str) -> Sequence[tuple[AsRunRun, datetime | None, datetime | None]]:
        """Every run in order of epoch, with the instants of its first and its last record, None without any."""
        here = (AsRun.channel_id == AsRunRun.channel_id) & (AsRun.run_id == AsRunRun.run_id)
        first = select(AsRun.at).where(here).order_by(AsRun.seq).limit(1).correlate(AsRunRun).scalar_subquery()
        last = select(AsRun.at).where(here).order_by(AsRun.seq.desc()).limit(1).correlate(AsRunRun).scalar_subquery()
        query = select(AsRunRun, first, last).where(AsRunRun.channel_id == channel_id)
        rows = await self._session.execute(query.order_by(AsRunRun.epoch, AsRunRun.run_id))
        return [(row[0], row[1], row[2]) for row in rows.all()]


_OVERLAPPING: Final = 8
_RUN: Final = table_of(AsRunRun)
_THIS: Final = (_RUN.c.channel_id == bindparam("of_channel")) & (_RUN.c.run_id == bindparam("of_run"))
_RECORDED: Final = or_(
    exists().where(Recorder.id == AsRunEvent.channel_id),
    # Of a recorder that was deleted: no channel, and a file in that recorder's own folder that is no asset.
    and_(
        AsRunEvent.asset_id.is_(None),
        func.coalesce(AsRunEvent.path, "").like(literal("%/recordings/").concat(AsRunEvent.channel_id).concat("/%")),
        ~exists().where(Channel.id == AsRunEvent.channel_id),
    ),
)

_COLLECTED: Final = select(_RUN.c.collected_seq).where(_THIS)
_COLLECTED_LOCKED: Final = _COLLECTED.with_for_update()
_COLLECT: Final = update(_RUN).where(_THIS, LEADS).values(collected_seq=bindparam("up_to")).returning(_RUN.c.run_id)
_COMPLETE: Final = update(_RUN).where(_THIS, LEADS).values(complete=True).returning(_RUN.c.run_id)


@cache
def _begin_run(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return upsert_in(dialect, table_of(AsRunRun)).values(collected_seq=0, complete=False).on_conflict_do_nothing()


@cache
def _add_records(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return upsert_in(dialect, table_of(AsRun)).on_conflict_do_nothing()


@cache
def _write_event(dialect: str) -> postgresql.Insert | sqlite.Insert:
    statement = upsert_in(dialect, table_of(AsRunEvent))
    replaced = {
        column.key: statement.excluded[column.key]
        for column in AsRunEvent.__table__.columns
        if not column.primary_key and column.key not in LINK
    }
    return statement.on_conflict_do_update(
        index_elements=[AsRunEvent.channel_id, AsRunEvent.run_id, AsRunEvent.seq], set_=replaced
    )


def _values(row: AsRunRow | AsRunEventRow) -> dict[str, object]:
    """As ``dataclasses.asdict``, which copies deeply what is flat here."""
    return {name: getattr(row, name) for name in row.__slots__}
