"""The journal as its callers see it: a bounded queue in, flushed numbers out, a thread of its own between."""

import contextlib
import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from sidecar.journal.reading import JournalOnDisk
from sidecar.journal.segments import Ballast, SegmentWriter
from sidecar.protocol.asrun import GENESIS, AsRunPage, AsRunRecord, chain_hash, encode_line
from sidecar.rundown.model import Fact
from sidecar.rundown.rate import due_ns, parse_rate

log = logging.getLogger(__name__)

SPOOL = 50_000
"""Facts that may wait in memory while the disk fails: months of a calm channel, a day of a very busy one."""
BATCH = 256
"""Lines that share one flush at most."""
RETRY_S = 1.0
HUNG_S = 5.0
"""A disk that takes longer for anything is told as faulty."""
BALLAST_RETRY_S = 60.0
"""Room that could not be set aside, or was given back, is tried for again after this."""


@dataclass(slots=True)
class _Waiting:
    fact: Fact
    wall_ns: int
    rate: str
    lost_after: int = 0  # facts dropped behind it, for want of room


class Journal:
    """Append-only segments below ``<directory>/<run id>/``.

    ``directory`` is the channel's: older runs lie beside this one. No method but ``close`` waits for the disk of this
    run; ``page`` reads files, and is for a worker thread. A fact gets its number when it is first
    written, and a number is told only when its line is flushed. While the disk fails, facts wait in memory; are there
    too many, the newest are dropped before they have a number, and the record before them says how many.
    """

    def __init__(self, directory: Path, channel_id: str, run_id: str, epoch: int, rate: str) -> None:
        self.run_id = run_id
        self._channel_id, self._epoch, self._rate = channel_id, epoch, rate
        self._disk = JournalOnDisk(directory)
        self._segments = SegmentWriter(directory / run_id)
        self._ballast = Ballast(directory / "ballast")
        self._changed = threading.Condition()
        self._facts: deque[_Waiting] = deque()
        self._lost = 0
        self._give_up_at: float | None = None  # monotonic seconds; set when the journal is being closed
        self._last_seq = 0
        self._fault: str | None = None
        self._at_disk_since: float | None = None
        self._ballast_due: float | None = 0.0  # monotonic seconds; None while it is set aside
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Starts the thread, which first finds the chain's end in older runs. Raises nothing for a failing disk."""
        self._thread.start()

    def count_at(self, rate: str) -> None:
        """What is written from now on counts frames at ``rate``."""
        with self._changed:
            self._rate = rate

    def write(self, fact: Fact, wall_ns: int) -> None:
        """Hands a fact over; never blocks. ``wall_ns``: UTC in nanoseconds of the frame's due time."""
        with self._changed:
            if len(self._facts) >= SPOOL:
                self._facts[-1].lost_after += 1
                self._lost += 1
                return
            self._facts.append(_Waiting(fact, wall_ns, self._rate))
            self._changed.notify()

    def page(self, run_id: str, after: int, limit: int) -> AsRunPage | None:
        """Flushed records with ``seq > after``; None for a run that is not on this disk. Raises OSError."""
        if run_id == self.run_id:
            last = self._last_seq
            return self._disk.page(run_id, after, limit, up_to=last) or AsRunPage(run_id, (), last)
        return self._disk.page(run_id, after, limit)

    def close(self, timeout: float) -> bool:
        """Flushes and ends the thread; False when the disk did not take everything within ``timeout`` seconds."""
        with self._changed:
            self._give_up_at = time.monotonic() + timeout
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive() and self.degraded is None

    @property
    def last_seq(self) -> int:
        """The highest number that is on disk; 0 before the first."""
        return self._last_seq

    @property
    def degraded(self) -> str | None:
        """Why records are only in memory; None when all is well."""
        since = self._at_disk_since
        if since is not None and (waits := time.monotonic() - since) > HUNG_S:
            return f"the disk has not answered for {waits:.0f} s; {len(self._facts)} records wait in memory"
        fault = self._fault
        if fault is None:
            return None
        lost = f", {self._lost} lost" if self._lost else ""
        return f"{fault}; {len(self._facts)} records wait in memory{lost}"

    # --- the journal's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as error:
            log.exception("the journal's thread failed")
            self._fault = f"the journal's thread failed: {error!r}"

    def _write_all(self) -> None:
        with self._at_disk():
            chain = self._chain_end()
        self._keep_ballast()
        seq = 0
        lines: list[bytes] = []
        while True:
            for waiting in self._next_facts(BATCH - len(lines), wait=not lines):
                line = encode_line(self._record(waiting, seq + 1, chain))
                seq, chain = seq + 1, chain_hash(line)
                lines.append(line)
            if lines and self._flush(lines, seq - len(lines) + 1):
                self._last_seq = seq
                lines = []
            elif lines and not self._pause():
                return
            if not lines and self._is_done():
                self._close_segments()
                return

    def _next_facts(self, limit: int, *, wait: bool) -> list[_Waiting]:
        with self._changed:
            while wait and not self._facts and self._give_up_at is None:
                self._changed.wait()
            return [self._facts.popleft() for _ in range(min(limit, len(self._facts)))]

    def _record(self, waiting: _Waiting, seq: int, prev: str) -> AsRunRecord:
        fact, lost = waiting.fact, waiting.lost_after
        airing = fact.airing
        item = airing.item if airing else None
        source = item if fact.kind in {"item_start", "item_skipped"} else None
        detail = fact.detail
        if lost:
            detail = f"{detail}; " if detail else ""
            detail += f"{lost} records after this one were lost: the disk failed for too long"
        return AsRunRecord(
            channel_id=self._channel_id,
            run_id=self.run_id,
            epoch=self._epoch,
            seq=seq,
            kind=fact.kind,
            frame=fact.frame,
            wall_ns=waiting.wall_ns,
            rate=waiting.rate,
            prev=prev,
            cause=fact.cause,
            by=fact.by,
            detail=detail,
            airing=airing.number if airing else None,
            item_id=item.id if item else None,
            asset_id=item.asset_id if item else None,
            house_id=item.house_id if item else None,
            title=item.title if item else None,
            path=item.path if item else None,
            in_frames=airing.first_frame if airing else None,
            planned_frames=airing.planned_frames if airing and fact.kind == "item_start" else None,
            frames=fact.frames,
            late=fact.late,
            traffic_id=item.traffic_id if item else None,
            fingerprint=source.fingerprint if source else None,
            source_in=source.in_frames if source else None,
            source_rate=source.source_rate if source else None,
            planned_at_ns=source.planned_at_ns if source else None,
            predicted_at_ns=self._predicted(fact, waiting.wall_ns),
            inserted=source.inserted if source else False,
            proof=fact.proof,
            predicts=fact.kind == "run_start",
        )

    def _predicted(self, fact: Fact, wall_ns: int) -> int | None:
        if fact.predicted is None:
            return None
        rate = parse_rate(self._rate)
        return wall_ns + due_ns(fact.predicted, rate) - due_ns(fact.frame, rate)

    def _flush(self, lines: list[bytes], first_seq: int) -> bool:
        """Whether ``lines`` are on the disk now. A full disk gets the ballast's room for a second try."""
        while True:
            try:
                with self._at_disk():
                    self._segments.append(lines, first_seq)
            except OSError as error:
                if error.errno == errno.ENOSPC and self._give_ballast():
                    continue
                if self._fault is None:
                    log.warning("the journal cannot be written, records wait in memory: %s", error)
                self._fault = f"the journal cannot be written: {error.strerror or error}"
                return False
            if self._fault is not None:
                log.info("the journal is written again")
                self._fault = None
                self._ballast_due = time.monotonic()
            self._keep_ballast()
            return True

    @contextlib.contextmanager
    def _at_disk(self) -> Generator[None]:
        """While this lasts too long, ``degraded`` says that the disk does not answer."""
        self._at_disk_since = time.monotonic()
        try:
            yield
        finally:
            self._at_disk_since = None

    def _pause(self) -> bool:
        """Waits before the next try; False when the journal is being closed and there is no time for another."""
        with self._changed:
            if self._give_up_at is None:
                self._changed.wait(RETRY_S)
                return True
            left = self._give_up_at - time.monotonic()
            if left > 0:
                self._changed.wait(min(left, RETRY_S / 5))
            return left > 0

    def _is_done(self) -> bool:
        with self._changed:
            return self._give_up_at is not None and not self._facts

    def _chain_end(self) -> str:
        try:
            return self._disk.chain_end(self.run_id)
        except OSError as error:
            log.warning("older journals cannot be read, this run begins a chain of its own: %s", error)
            return GENESIS

    def _keep_ballast(self) -> None:
        if self._ballast_due is None or time.monotonic() < self._ballast_due:
            return
        try:
            with self._at_disk():
                self._ballast.set_aside()
        except OSError as error:
            log.warning("no room can be set aside for the journal: %s", error)
            self._ballast_due = time.monotonic() + BALLAST_RETRY_S
        else:
            self._ballast_due = None

    def _give_ballast(self) -> bool:
        with self._at_disk():
            given = self._ballast.release()
        if given:
            log.warning("the journal's disk is full; the room set aside for the journal is being used")
            self._ballast_due = time.monotonic() + BALLAST_RETRY_S
        return given

    def _close_segments(self) -> None:
        try:
            self._segments.close()
        except OSError as error:
            log.warning("the journal's file did not close well: %s", error)
