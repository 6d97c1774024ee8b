"""A sidecar's journal without its thread: facts wait in memory, and are told of when they are on the disk."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.protocol.asrun import GENESIS, AsRunPage, AsRunRecord, RecordKind, chain_hash, encode_line
from sidecar.protocol.status import JournalStatus


@dataclass(eq=False, slots=True)
class Disk:
    """A node's disk. ``full``: nothing can be written. ``chains``: by channel, what the next record must carry.

    ``runs``: every line that was ever flushed, by (channel, run); the truth that the store is compared with. A run
    that was on a disk which is gone is in ``lost``.
    """

    root: Path
    full: bool = False
    chains: dict[str, str] = field(default_factory=dict[str, str])
    runs: dict[tuple[str, str], list[bytes]] = field(default_factory=dict[tuple[str, str], list[bytes]])
    lost: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    flushed_at: dict[tuple[str, str], list[float]] = field(default_factory=dict[tuple[str, str], list[float]])
    """By run, when each line was flushed, in the world's time."""


@dataclass(eq=False, slots=True)
class SimJournal:
    """Of one run. Numbers are given when a record is flushed, as in ``sidecar.journal``."""

    disk: Disk
    directory: Path
    channel_id: str
    run_id: str
    epoch: int
    rate: str
    waiting: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    flushed: list[AsRunRecord] = field(default_factory=list[AsRunRecord])

    def write(self, kind: RecordKind, frame: int, wall_ns: int, **more: Any) -> None:
        self.waiting.append({"kind": kind, "frame": frame, "wall_ns": wall_ns, **more})

    def flush(self, now: float) -> bool:
        """Everything that waits; False while the disk is full."""
        if self.disk.full:
            return not self.waiting
        lines: list[bytes] = []
        for fact in self.waiting:
            chain = self.disk.chains.get(self.channel_id, GENESIS)
            record = self._record(fact, len(self.flushed) + 1, chain)
            line = encode_line(record)
            self.disk.chains[self.channel_id] = chain_hash(line)
            self.flushed.append(record)
            lines.append(line)
        self.waiting.clear()
        if lines:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / "000001.jsonl").open("ab") as file:
                file.writelines(lines)
            self.disk.runs.setdefault((self.channel_id, self.run_id), []).extend(lines)
            times = self.disk.flushed_at.setdefault((self.channel_id, self.run_id), [])
            times.extend(now for _ in lines)
        return True

    def _record(self, fact: dict[str, Any], seq: int, prev: str) -> AsRunRecord:
        return AsRunRecord(
            channel_id=self.channel_id,
            run_id=self.run_id,
            epoch=self.epoch,
            seq=seq,
            rate=self.rate,
            prev=prev,
            **fact,
        )

    def told(self) -> list[AsRunRecord]:
        """What readers may see: flushed records only."""
        return self.flushed

    def page(self, after: int, limit: int) -> AsRunPage:
        told = self.told()
        return AsRunPage(self.run_id, tuple(told[after : after + limit]), len(told))

    def status(self) -> JournalStatus:
        degraded = "the journal cannot be written: no space left on device" if self.disk.full and self.waiting else None
        return JournalStatus(self.run_id, len(self.told()), degraded)
