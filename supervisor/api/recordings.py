"""From the as-recorded log to files with their gaps. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from sidecar.protocol.asrun import AsRunRecord
from supervisor.schemas.recorder import Gap, RecordedFile

_FILE: Final = re.compile(r"(.*): ([0-9]+) bytes, sha256 ([0-9a-f]{64})$", re.DOTALL)
_EARLY: Final = re.compile(r"([0-9]+) frames before this$")


def files_of(records: Iterable[AsRunRecord]) -> list[RecordedFile]:
    """In the order in which they began; ``records`` are of whole runs, each in order."""
    files: dict[tuple[str, int], RecordedFile] = {}
    starts: dict[tuple[str, int], int] = {}
    mended: dict[str, AsRunRecord] = {}
    for record in records:
        if record.airing is None:
            if record.kind == "decision" and record.cause == "file" and (match := _FILE.match(record.detail)):
                mended[match[1]] = record
            continue
        key = (record.run_id, record.airing)
        at = datetime.fromtimestamp(record.wall_ns / 1e9, UTC)
        if record.kind == "item_start":
            starts[key] = record.frame
            if match := _EARLY.match(record.detail):
                at -= _length(int(match[1]), record.rate)
            files[key] = RecordedFile(
                recorder_id=record.channel_id, run_id=record.run_id, seq=record.seq, epoch=record.epoch,
                title=record.title or "", path=record.path or "", rate=record.rate, start_at=at, end_at=None,
                frames=None, lost_frames=0, gaps=(), cause=record.cause, end_cause=None, sha256=None, bytes=None,
            )  # fmt: skip
        elif key in files:
            files[key] = files[key].model_copy(update=_said(record, files[key], starts[key], at))
    return list(_with_losses(_of_mended(file, mended.get(file.path)) for file in files.values()))


def _of_mended(file: RecordedFile, record: AsRunRecord | None) -> RecordedFile:
    """It was cut short, and a later run found out how much there is of it."""
    match = None if record is None else _FILE.match(record.detail)
    if record is None or match is None or file.end_at is not None or record.run_id == file.run_id:
        return file
    # Pictures that did not come within it have their place in it, too.
    frames = (record.frames or 0) + file.lost_frames
    end_at = file.start_at + _length(frames, file.rate)
    said = {"end_at": end_at, "end_cause": "cut short", "frames": frames, "bytes": int(match[2]), "sha256": match[3]}
    return file.model_copy(update=said)


def _with_losses(files: Iterable[RecordedFile]) -> Iterator[RecordedFile]:
    """Each with the frames of its rate between the end of the run before it and its own beginning."""
    last: RecordedFile | None = None
    end: datetime | None = None
    for file in files:
        lost: int | None = None
        if last is not None and last.run_id != file.run_id and end is not None and last.end_at is not None:
            missing = Fraction((file.start_at - end) // timedelta(microseconds=1), 1_000_000) * Fraction(file.rate)
            lost = max(0, round(missing))
            if lost and last.end_cause == "stop":
                lost = None  # it was begun anew
        yield file.model_copy(update={"lost_before": lost})
        last = file
        if file.end_at is not None:
            end = file.end_at if end is None else max(end, file.end_at)


def _length(frames: int, rate: str) -> timedelta:
    return timedelta(microseconds=round(frames / Fraction(rate) * 1_000_000))


def _said(record: AsRunRecord, file: RecordedFile, first: int, at: datetime) -> dict[str, object]:
    lost = record.frames or 0
    match record.kind:
        case "live_back" if lost:
            gap = Gap(frame=record.frame - lost - first, frames=lost, at=at)
            return {"gaps": (*file.gaps, gap), "lost_frames": file.lost_frames + lost}
        case "item_end":
            return {"end_at": at, "frames": record.frames, "end_cause": record.cause}
        case "decision" if record.cause == "file" and (match := _FILE.match(record.detail)):
            return {"bytes": int(match[2]), "sha256": match[3]}
        case _:
            return {}
