"""Journals of sidecars that are gone, read from this node's disk."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from sidecar.protocol.asrun import TornLine, decode_line, whole_lines
from sidecar.rundown.output import NO_DATA
from supervisor.agent.interface import JournalLine, Left

log = structlog.get_logger(__name__)

ID: Final = re.compile(r"[0-9a-f]{32}")
"""What channels and runs are named by; whatever else lies there is nobody's journal."""
_SETTLED_NS: Final = 2_000_000_000
"""A directory changed less than this long ago may change again without a newer stamp."""

_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LINE: Final = 1 << 20
"""Bytes that no record reaches."""


class Journals:
    """``<journal>/<channel>/<run>/*.jsonl``. Methods block on the disk and raise OSError.

    Remembers what it listed and which epoch a run has, so that a look costs by what is new and not by what there is.
    """

    def __init__(self, journal_dir: Path) -> None:
        self._root = journal_dir
        self._listed: dict[Path, tuple[int, frozenset[str]]] = {}
        self._epochs: dict[tuple[str, str], int] = {}

    def runs(self, known: Mapping[str, Set[str]]) -> tuple[tuple[str, str, int], ...]:
        """(channel id, run id, epoch) of every run but those in ``known``, by channel and epoch.

        A channel whose directory cannot be read is left out and logged; it hides no other's.
        """
        found: list[tuple[str, str, int]] = []
        for channel in self._ids(self._root):
            try:
                new = self._ids(self._root / channel) - known.get(channel, frozenset())
                found.extend((channel, run, self._epoch(channel, run)) for run in new)
            except OSError as error:
                log.warning("the journals of a channel cannot be read", channel=channel, why=str(error))
        self._epochs = {(channel, run): epoch for channel, run, epoch in found if epoch}
        return tuple(sorted(found, key=lambda run: (run[0], run[2], run[1])))

    def page(self, channel_id: str, run_id: str, after: int, limit: int) -> tuple[tuple[JournalLine, ...], int] | None:
        """Up to ``limit`` records without a hole after ``after``, and the highest number that can be read at all.

        None for a run that is not here.
        """
        directory = self._root / channel_id / run_id
        if not directory.is_dir():
            return None
        lines: list[JournalLine] = []
        last = 0
        due = after + 1
        for line in _lines(directory):
            last = max(last, line.record.seq)
            if line.record.seq == due and len(lines) < limit:
                lines.append(line)
                due += 1
        return tuple(lines), last

    def last_place(self, channel_id: str, run_id: str) -> str | Left | None:
        """The item that was on air at the end of the run, started and not ended; or where a stop left it."""
        place: str | Left | None = None
        passed = 0  # channel frames of the item
        for line in _lines(self._root / channel_id / run_id):
            record = line.record
            match record.kind:
                case "item_start":
                    place, passed = record.item_id, record.in_frames or 0
                case "late" if record.cause == NO_DATA:
                    passed -= record.frames or 0
                case "freeze_end":
                    passed -= record.frames or 0
                case "item_end" if record.cause == "stop" and record.item_id is not None:
                    at = _UNIX + timedelta(microseconds=record.wall_ns // 1_000)
                    place = Left(record.item_id, max(0, passed + (record.frames or 0)), at, record.rate)
                case "item_end":
                    place = None
                case _:
                    continue
        return place

    def _epoch(self, channel_id: str, run_id: str) -> int:
        known = self._epochs.get((channel_id, run_id))
        if known is not None:
            return known
        try:
            return first_epoch(self._root / channel_id / run_id)
        except OSError:
            # Whoever reads the run is told; here it must not hide the others.
            return 0

    def _ids(self, directory: Path) -> frozenset[str]:
        """The directories in it that are named by an id; none where it is not there."""
        try:
            stamp = directory.stat().st_mtime_ns
        except FileNotFoundError:
            self._listed.pop(directory, None)
            return frozenset()
        listed = self._listed.get(directory)
        if listed is not None and listed[0] == stamp:
            return listed[1]
        now = time.time_ns()
        with os.scandir(directory) as entries:
            ids = frozenset(entry.name for entry in entries if ID.fullmatch(entry.name) and entry.is_dir())
        if stamp < now - _SETTLED_NS:
            self._listed[directory] = (stamp, ids)
        return ids


def first_epoch(run: Path) -> int:
    """Of the run whose directory this is; 0 while there is no whole record."""
    for segment in sorted(run.glob("*.jsonl")):
        with segment.open("rb") as file:
            try:
                return decode_line(file.readline(_LINE)).epoch
            except TornLine:
                continue
    return 0


def _lines(directory: Path) -> Iterator[JournalLine]:
    # A torn line ends its segment; a later segment, written after the disk had room again, is read on.
    for segment in sorted(directory.glob("*.jsonl")):
        with segment.open("rb") as file:
            for line, record in whole_lines(file):
                yield JournalLine(line, record)
