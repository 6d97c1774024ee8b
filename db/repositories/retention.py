"""What is old enough to go, in steps that end within a transaction's deadline. What is open or owed is never old."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import Alarm, AsRun, AsRunEvent, AsRunIssue, AsRunNote, AsRunRun, Audit
from db.repositories.as_run import RunKey

AT_ONCE: Final = 1_000
"""Rows that one step takes away at most; call it again while it answers as many."""


class Retention:
    """Each answers how many rows went, the oldest first."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def alarms(self, before: datetime) -> int:
        """Those that were cleared before; one that is open stays, however old."""
        old = select(Alarm.id).where(Alarm.cleared_at < before).order_by(Alarm.cleared_at).limit(AT_ONCE)
        gone = await self._session.scalars(
            delete(Alarm).where(Alarm.id.in_(old)).returning(Alarm.id).execution_options(synchronize_session=False)
        )
        return len(gone.all())

    async def audit(self, before: datetime) -> int:
        """The database itself refuses those of the last 90 days: ``Inconsistent``."""
        old = select(Audit.id).where(Audit.at < before).order_by(Audit.id).limit(AT_ONCE)
        gone = await self._session.scalars(
            delete(Audit).where(Audit.id.in_(old)).returning(Audit.id).execution_options(synchronize_session=False)
        )
        return len(gone.all())

    async def old_runs(self, before: datetime, limit: int) -> Sequence[RunKey]:
        """Whole runs of the as-run that ended before and of which all is here; none of a channel that still owes its
        log of a day until then, and none after one that ended later: epochs only grow, so that its node's clock was
        behind and nobody knows how old it is."""
        kept = exists().where(
            AsRun.channel_id == AsRunRun.channel_id, AsRun.run_id == AsRunRun.run_id, AsRun.at >= before
        )
        there = exists().where(AsRun.channel_id == AsRunRun.channel_id, AsRun.run_id == AsRunRun.run_id)
        owed = exists().where(
            AsRunIssue.channel_id == AsRunRun.channel_id,
            or_(AsRunIssue.state == "waiting", AsRunIssue.changes > AsRunIssue.included),
            or_(AsRunIssue.start_at.is_(None), AsRunIssue.start_at < before),
        )
        earlier = aliased(AsRunRun)
        end = (
            select(AsRun.at)
            .where(AsRun.channel_id == earlier.channel_id, AsRun.run_id == earlier.run_id)
            .order_by(AsRun.seq.desc())
            .limit(1)
            .correlate(earlier)
            .scalar_subquery()
        )
        behind = exists().where(
            earlier.channel_id == AsRunRun.channel_id, earlier.epoch < AsRunRun.epoch, end >= before
        )
        found = await self._session.execute(
            select(AsRunRun.channel_id, AsRunRun.run_id)
            .where(AsRunRun.complete, there, ~kept, ~owed, ~behind)
            .order_by(AsRunRun.channel_id, AsRunRun.epoch)
            .limit(limit)
        )
        return [RunKey(row[0], row[1]) for row in found.all()]

    async def run(self, run: RunKey, hash_of: Callable[[str], str]) -> int:
        """Its events and notes at once, so that nothing is left that has no records, then its records by steps.

        What says how far it was collected stays: its node may have the journal still. So does the hash of its last
        line, which the run after it names.
        """
        await self._note_end(run, hash_of)
        for table in (AsRunEvent, AsRunNote):
            await self._session.execute(
                delete(table)
                .where(table.channel_id == run.channel_id, table.run_id == run.run_id)
                .execution_options(synchronize_session=False)
            )
        mine = (AsRun.channel_id == run.channel_id, AsRun.run_id == run.run_id)
        first = await self._session.scalar(select(func.min(AsRun.seq)).where(*mine))
        if first is None:
            return 0
        gone = await self._session.scalars(
            delete(AsRun)
            .where(*mine, AsRun.seq < first + AT_ONCE)
            .returning(AsRun.seq)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())

    async def old_journals(
        self, node_id: str, before: datetime, limit: int, after: tuple[str, int] = ("", 0)
    ) -> Sequence[AsRunRun]:
        """Runs whose journals lie on this node and are needed no more: all of them is here, or was, they ended before,
        and a later run of the channel there is here, too. By channel and epoch, from ``after`` on."""
        mine = (AsRun.channel_id == AsRunRun.channel_id) & (AsRun.run_id == AsRunRun.run_id)
        last = select(AsRun.at).where(mine).order_by(AsRun.seq.desc()).limit(1).correlate(AsRunRun).scalar_subquery()
        later = aliased(AsRunRun)
        followed = exists().where(
            later.channel_id == AsRunRun.channel_id, later.node_id == node_id, later.epoch > AsRunRun.epoch
        )
        found = await self._session.scalars(
            select(AsRunRun)
            .where(
                AsRunRun.node_id == node_id,
                AsRunRun.complete,
                AsRunRun.collected_seq > 0,
                AsRunRun.journal_gone_at.is_(None),
                tuple_(AsRunRun.channel_id, AsRunRun.epoch) > after,
                func.coalesce(last, AsRunRun.taken_to) < before,
                followed,
            )
            .order_by(AsRunRun.channel_id, AsRunRun.epoch)
            .limit(limit)
        )
        return found.all()

    async def journals_gone(self, runs: Collection[RunKey], now: datetime) -> None:
        """They are on their node no more."""
        await self._session.execute(
            update(AsRunRun)
            .where(tuple_(AsRunRun.channel_id, AsRunRun.run_id).in_(list(runs)))
            .values(journal_gone_at=now)
            .execution_options(synchronize_session=False)
        )

    async def _note_end(self, run: RunKey, hash_of: Callable[[str], str]) -> None:
        """Once: of what is taken away by steps the first record is another one afterwards."""
        mine = (AsRun.channel_id == run.channel_id, AsRun.run_id == run.run_id)
        first = await self._session.scalar(select(AsRun.at).where(*mine).order_by(AsRun.seq).limit(1))
        last = await self._session.scalar(select(AsRun).where(*mine).order_by(AsRun.seq.desc()).limit(1))
        if first is None or last is None:
            return
        await self._session.execute(
            update(AsRunRun)
            .where(AsRunRun.channel_id == run.channel_id, AsRunRun.run_id == run.run_id, AsRunRun.taken_hash.is_(None))
            .values(taken_hash=hash_of(last.line), taken_from=first, taken_to=last.at)
            .execution_options(synchronize_session=False)
        )
