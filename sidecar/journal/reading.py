"""A channel's journals as they lie on the disk: this run's and older ones."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.journal.segments import SUFFIX
from sidecar.protocol.asrun import GENESIS, AsRunPage, AsRunRecord, TornLine, chain_hash, decode_line, whole_lines

_NEAR = 8192
"""Bytes of a segment that are read through without looking for the place."""
_RUN_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class JournalOnDisk:
    """``directory`` holds one directory per run. Methods block on the disk and raise OSError.

    What is torn ends its segment; a later segment is read on, as it was begun when the disk had room again.
    """

    directory: Path

    def page(self, run_id: str, after: int, limit: int, *, up_to: int | None = None) -> AsRunPage | None:
        """Up to ``limit`` records without a hole after ``after``, none above ``up_to``; None for an unknown run."""
        if not _RUN_ID.fullmatch(run_id):
            return None
        directory = self.directory / run_id
        if not directory.is_dir():
            return None
        last = self.last_seq(run_id) if up_to is None else up_to
        records: list[AsRunRecord] = []
        if after < last:
            for _, record in self._lines(directory, after + 1):
                if record.seq > last or len(records) == limit:
                    break
                if record.seq == after + len(records) + 1:
                    records.append(record)
        return AsRunPage(run_id, tuple(records), last)

    def last_seq(self, run_id: str) -> int:
        newest = self._last_line(self.directory / run_id)
        return newest[1].seq if newest else 0

    def chain_end(self, without: str) -> str:
        """What the first record of a new run carries as ``prev``; ``without`` is the new run's own id."""
        for run in reversed(self._runs()):
            if run.name == without:
                continue
            newest = self._last_line(run)
            if newest is not None:
                return chain_hash(newest[0])
        return GENESIS

    def _runs(self) -> list[Path]:
        """Oldest first, by epoch and then by the time of their first record; unreadable ones before all."""
        try:
            found = [entry for entry in self.directory.iterdir() if entry.is_dir()]
        except FileNotFoundError:
            return []
        return sorted(found, key=_age)

    def _last_line(self, run: Path) -> tuple[bytes, AsRunRecord] | None:
        newest: tuple[bytes, AsRunRecord] | None = None
        for segment in reversed(_segments(run)):
            with segment.open("rb") as file:
                for line, record in whole_lines(file):
                    if newest is None or record.seq > newest[1].seq:
                        newest = line, record
            if newest is not None:
                return newest
        return None

    def _lines(self, run: Path, first_seq: int) -> Iterator[tuple[bytes, AsRunRecord]]:
        segments = _segments(run)
        begin = 0
        for index, segment in enumerate(segments):
            if int(segment.name.partition(".")[0]) <= first_seq:
                begin = index
        # A segment begun anew after a failed write has the number of the one before it: begin with that.
        while begin > 0 and segments[begin - 1].name.partition(".")[0] == segments[begin].name.partition(".")[0]:
            begin -= 1
        for segment in segments[begin:]:
            with segment.open("rb") as file:
                file.seek(_place(file, first_seq))
                yield from whole_lines(file)


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that is not what was written, or does not follow the one before it."""

    run_id: str
    segment: str
    line: int  # from 1
    what: str


def damages(directory: Path) -> Iterator[Damage]:
    """Follows the chain through every run below ``directory``, a channel's. The verifier of the chain: nothing in the
    sidecar asks for it.

    A torn last line of a segment is no damage. A change of the very last line of all, with its checksum made to fit,
    cannot be seen: nothing follows it.
    """
    runs = sorted((entry for entry in directory.iterdir() if entry.is_dir()), key=_age)
    known = {GENESIS}
    for run in runs:
        known.update(chain_hash(line) for segment in _segments(run) for line in segment.read_bytes().splitlines(True))
    for run in runs:
        previous: str | None = None
        seen = 0
        for segment in _segments(run):
            lines = segment.read_bytes().splitlines(keepends=True)
            for number, line in enumerate(lines, 1):
                try:
                    record = decode_line(line)
                except TornLine as torn:
                    if number < len(lines):
                        yield Damage(run.name, segment.name, number, str(torn))
                    previous = chain_hash(line) if number < len(lines) else previous
                    continue
                if record.seq <= seen:
                    continue
                if record.prev != previous and (previous is not None or record.prev not in known):
                    yield Damage(run.name, segment.name, number, "does not follow the line before it")
                if record.seq != seen + 1:
                    yield Damage(run.name, segment.name, number, f"number {record.seq} follows {seen}")
                previous, seen = chain_hash(line), record.seq


def _place(file: BinaryIO, first_seq: int) -> int:
    """Where in a segment a line begins that is near record ``first_seq``, and not behind it.

    Whoever follows a run asks after every record, and its segment would be read from the beginning each time.
    """
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > _NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()  # the rest of a line
        begin = file.tell()
        try:
            seq = decode_line(file.readline()).seq
        except TornLine:
            high = middle  # nothing behind it is read
            continue
        low, high = (begin, high) if seq <= first_seq else (low, middle)
    return low


def _segments(run: Path) -> list[Path]:
    return sorted(entry for entry in run.glob(f"*{SUFFIX}") if entry.name.partition(".")[0].isdigit())


def _age(run: Path) -> tuple[int, int, str]:
    # An old run's may be taken away for its age at this moment.
    with contextlib.suppress(FileNotFoundError):
        for segment in _segments(run):
            with segment.open("rb") as file:
                for _, record in whole_lines(file.readline()):
                    return record.epoch, record.wall_ns, run.name
    return 0, 0, run.name
