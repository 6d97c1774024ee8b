"""Journals of sidecars that are gone, read from this node's disk."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from sidecar.protocol.asrun import whole_lines
from supervisor.agent.interface import JournalLine


class Journals:
    """``<journal>/<channel>/<run>/*.jsonl``. Methods block on the disk and raise OSError."""

    def __init__(self, journal_dir: Path) -> None:
        self._root = journal_dir

    def runs(self, known: Mapping[str, frozenset[str]]) -> tuple[tuple[str, str, int], ...]:
        """(channel id, run id, epoch) of every run but those in ``known``, by channel and epoch."""
        found: list[tuple[str, str, int]] = []
        for channel in _directories(self._root):
            skip = known.get(channel.name, frozenset[str]())
            found.extend(
                (channel.name, run.name, self._epoch(run)) for run in _directories(channel) if run.name not in skip
            )
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

    def last_item(self, channel_id: str, run_id: str) -> str | None:
        """The item that was on air at the end of the run: started, and not ended."""
        item_id: str | None = None
        for line in _lines(self._root / channel_id / run_id):
            match line.record.kind:
                case "item_start":
                    item_id = line.record.item_id
                case "item_end":
                    item_id = None
                case _:
                    continue
        return item_id

    def _epoch(self, run: Path) -> int:
        first = next(islice(_lines(run), 1), None)
        return first.record.epoch if first else 0


def _lines(directory: Path) -> Iterator[JournalLine]:
    # A torn line ends its segment; a later segment, written after the disk had room again, is read on.
    for segment in sorted(directory.glob("*.jsonl")):
        for line, record in whole_lines(segment.read_bytes()):
            yield JournalLine(line, record)


def _directories(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []
