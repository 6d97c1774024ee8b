"""From the as-recorded log to files with their gaps. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sidecar.protocol.asrun import AsRunRecord
from supervisor.schemas.recorder import Gap, RecordedFile

_FILE: Final = re.compile(r"([0-9]+) bytes, sha256 ([0-9a-f]{64})$")


def files_of(records: Iterable[AsRunRecord]) -> list[RecordedFile]:
    """In the order in which they began; ``records`` are of whole runs, each in order."""
    files: dict[tuple[str, int], RecordedFile] = {}
    starts: dict[tuple[str, int], int] = {}
    for record in records:
        if record.airing is None:
            continue
        key = (record.run_id, record.airing)
        at = datetime.fromtimestamp(record.wall_ns / 1e9, UTC)
        if record.kind == "item_start":
            starts[key] = record.frame
            files[key] = RecordedFile(
                recorder_id=record.channel_id, run_id=record.run_id, seq=record.seq, epoch=record.epoch,
                title=record.title or "", path=record.path or "", rate=record.rate, start_at=at, end_at=None,
                frames=None, lost_frames=0, gaps=(), cause=record.cause, end_cause=None, sha256=None, bytes=None,
            )  # fmt: skip
        elif key in files:
            files[key] = files[key].model_copy(update=_said(record, files[key], starts[key], at))
    return list(files.values())


def _said(record: AsRunRecord, file: RecordedFile, first: int, at: datetime) -> dict[str, object]:
    lost = record.frames or 0
    match record.kind:
        case "live_back" if lost:
            gap = Gap(frame=record.frame - lost - first, frames=lost, at=at)
            return {"gaps": (*file.gaps, gap), "lost_frames": file.lost_frames + lost}
        case "item_end":
            return {"end_at": at, "frames": record.frames, "end_cause": record.cause}
        case "decision" if record.cause == "file" and (match := _FILE.search(record.detail)):
            return {"bytes": int(match[1]), "sha256": match[2]}
        case _:
            return {}
