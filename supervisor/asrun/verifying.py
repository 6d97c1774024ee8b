"""Proof of a span: every frame accounted for, the chain of hashes whole, and the events what their records make."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final

from db.models import AsRun, AsRunEvent
from db.repositories.as_run import AsRunEventRow, RunKey
from db.store import Store
from sidecar.protocol.asrun import GENESIS, AsRunRecord, TornLine, chain_hash, decode_line
from supervisor.asrun.account import Account, Piece, Totals
from supervisor.asrun.projection import Projection
from supervisor.asrun.reach import Reach, reaches_of
from supervisor.asrun.spans import PAGE, Span, events_of
from supervisor.threads import Threads

MOST_FAULTS: Final = 50
"""Named; the others are only counted."""
_READ_S: Final = 10.0
_PAGE_S: Final = 20.0
_NOT_OF_RECORDS: Final = frozenset({"predicted_at", "continues_run_id", "continues_seq", "lost_frames"})
"""What follows from other events, or from another run."""
_OF_END: Final = frozenset({"end_at", "frames", "status", "detail", "end_cause", "late", "end_proof"})
_COMPARED: Final = tuple(field.name for field in fields(AsRunEventRow) if field.name not in _NOT_OF_RECORDS)
_NEW: Final = frozenset(
    {"path", "fingerprint", "in_frames", "source_in", "source_rate", "planned_at", "inserted", "traffic_id"}
)
"""Columns that an event which an older version wrote has not."""
_LOST: Final = "records after this one were lost"


@dataclass(slots=True)
class Proof:
    """``faults`` says of everything that is not as it should be what and where; ``faulty`` how many there are."""

    totals: Totals
    runs: int = 0
    records: int = 0
    compared: int = 0
    faulty: int = 0
    faults: list[str] = field(default_factory=list[str])

    def fault(self, text: str) -> None:
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)

    @property
    def holds(self) -> bool:
        return not self.faulty and not self.totals.unaccounted and self.totals.adds_up


class Verifying:
    """Reads everything page by page; the work on a page is done on ``threads``."""

    def __init__(self, store: Store, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def verify(self, span: Span, now: datetime) -> Proof:
        """Of what is on air now, up to ``now``."""
        counting = Account(span.start, span.end, span.rate, now)
        seen: dict[str, Reach] = {}
        async for event in events_of(self._store, span, begun_before=True):
            counting.add(Piece.of(event))
            reach = seen.setdefault(event.run_id, Reach(event.seq, event.seq, event.epoch))
            reach.first, reach.last = min(reach.first, event.seq), max(reach.last, event.seq)
        proof = Proof(counting.close())
        reaches = await reaches_of(self._store, span, seen, proof.fault)
        proof.runs = len(reaches)
        for run_id, reach in reaches.items():
            await self._replay(RunKey(span.channel_id, run_id), reach, proof, span.end)
        return proof

    async def _replay(self, run: RunKey, reach: Reach, proof: Proof, until: datetime) -> None:
        """The records from the one that began what the span has of the run first to the end of what it has last."""
        replay = _Replay(run, reach, proof, until)
        replay.before = await self._hash_before(run, reach, proof)
        after, first = reach.first - 1, True
        while True:
            async with self._store.read(timeout=_READ_S) as tx:
                rows = await tx.as_run.records(*run, after, PAGE)
                stored = await tx.as_run.events_by_seq(run, after + 1, rows[-1].seq, replay.open_seqs) if rows else ()
                collected = await tx.as_run.collected_seq(*run)
            if first and not rows:
                proof.fault(f"run {run.run_id}: its events have no records")
            if not rows:
                if after < collected:
                    proof.fault(f"run {run.run_id}: records {after + 1} to {collected} are gone")
                break
            await self._threads.run(_PAGE_S, replay.page, rows, stored)
            after, first = rows[-1].seq, False
            if after >= reach.last and not replay.has_open:
                return
        replay.over()

    async def _hash_before(self, run: RunKey, reach: Reach, proof: Proof) -> str | None:
        """Of what the first record must follow: of a run's first one the end of the run before it on its node, though
        its records were taken away since.

        None where it is not here, or not known, as not all of that run is here.
        """
        async with self._store.read(timeout=_READ_S) as tx:
            if reach.first > 1:
                rows = await tx.as_run.records(*run, reach.first - 2, 1)
                if rows and rows[0].seq == reach.first - 1:
                    return chain_hash(_line(rows[0]))
                if rows:
                    proof.fault(f"run {run.run_id}: record {reach.first - 1} is missing")
                return None
            rows = await tx.as_run.records(*run, 0, 1)
            runs = await tx.as_run.runs(run.channel_id)
            node = next((row.node_id for row in runs if row.run_id == run.run_id), None)
            if node is None:
                proof.fault(f"run {run.run_id} is not among the runs that were collected")
            older = [row for row in runs if row.epoch < reach.epoch and row.node_id == node and row.collected_seq]
            before = [row for row in older if row.epoch == older[-1].epoch]
            ends = [
                (row.complete, chain_hash(_line(end)))
                for row in before
                for end in await tx.as_run.records(row.channel_id, row.run_id, row.collected_seq - 1, 1)
            ]
            ends += [(row.complete, row.taken_hash) for row in before if row.taken_hash is not None]
        try:
            prev = decode_line(_line(rows[0])).prev if rows else GENESIS
        except TornLine:
            return None
        told = [end for complete, end in ends if complete or end == prev]
        return prev if prev in told else told[0] if told else None


def _line(row: AsRun) -> bytes:
    return row.line.encode() + b"\n"


class _Replay:
    """One run, page by page: the chain goes on, and the records make the events that are in the store."""

    def __init__(self, run: RunKey, reach: Reach, proof: Proof, until: datetime) -> None:
        self.before: str | None = None
        """The hash that the next record is to name."""
        self._run, self._reach, self._proof, self._until = run, reach, proof, until
        self._projection = Projection()
        self._seq = reach.first - 1
        self._open: dict[int, tuple[AsRunEventRow, AsRunEvent | None]] = {}

    @property
    def has_open(self) -> bool:
        return bool(self._open)

    @property
    def open_seqs(self) -> tuple[int, ...]:
        """Events whose end is on a later page; they are read again with it."""
        return tuple(self._open)

    def page(self, rows: Sequence[AsRun], stored: Sequence[AsRunEvent]) -> None:
        records = [record for row in rows if (record := self._record(row)) is not None]
        there = {event.seq: event for event in stored}
        # As they are at the page's end: an event of which only the start is here waits for its end.
        changed = self._projection.add(records)
        for made in changed:
            if made.seq > self._reach.last and made.start_at >= self._until:
                continue
            self._open.pop(made.seq, None)
            event = there.get(made.seq)
            if made.end_at is None:
                self._open[made.seq] = (made, event)
            else:
                self._compare(made, event)
        begun = {made.seq for made in changed}
        for seq, event in there.items():
            if seq in self._page(rows) and seq not in begun and seq <= self._reach.last:
                self._proof.fault(f"run {self._run.run_id}: event {event.seq} has no record that began it")

    def over(self) -> None:
        """There are no more records: what is open has no end in them."""
        for made, event in self._open.values():
            self._compare(made, event, of_start=True)
        self._open.clear()

    @staticmethod
    def _page(rows: Sequence[AsRun]) -> range:
        return range(rows[0].seq, rows[-1].seq + 1)

    def _record(self, row: AsRun) -> AsRunRecord | None:
        proof, where = self._proof, f"run {self._run.run_id}: record {row.seq}"
        proof.records += 1
        line = _line(row)
        if row.seq != self._seq + 1:
            proof.fault(f"run {self._run.run_id}: records {self._seq + 1} to {row.seq - 1} are missing")
            self.before = None
        self._seq = row.seq
        try:
            record = decode_line(line)
        except TornLine as error:
            proof.fault(f"{where} was changed: {error}")
            self.before = chain_hash(line)
            return None
        if (record.seq, record.kind, record.frame, record.run_id) != (row.seq, row.kind, row.frame, row.run_id):
            proof.fault(f"{where} was changed: its columns are not what its line says")
        if self.before is not None and record.prev != self.before and not self._begins_anew(record):
            proof.fault(f"{where} does not follow from the one before it: one of them was changed, or is another")
        if self.before is None and record.seq == 1 and record.prev != GENESIS:
            proof.fault(f"{where} follows one that is not in the log: a run before it is not there, or not whole")
        if _LOST in record.detail:
            proof.fault(f"{where}: {record.detail}")
        self.before = chain_hash(line)
        return record

    @staticmethod
    def _begins_anew(record: AsRunRecord) -> bool:
        """Its node had no older journal any more, and said so."""
        return record.seq == 1 and record.prev == GENESIS

    def _compare(self, made: AsRunEventRow, event: AsRunEvent | None, *, of_start: bool = False) -> None:
        where = f"run {self._run.run_id}: event {made.seq} ({made.title})"
        if event is None:
            self._proof.fault(f"{where} is not in the log")
            return
        self._proof.compared += 1
        unlike = [
            name
            for name in _COMPARED
            if getattr(made, name) != getattr(event, name)
            and not (of_start and name in _OF_END)
            and not (name in _NEW and getattr(event, name) is None)
        ]
        if unlike:
            said = ", ".join(f"{name} {getattr(event, name)!s} and not {getattr(made, name)!s}" for name in unlike)
            self._proof.fault(f"{where} is not what its records say: {said}"[:500])
