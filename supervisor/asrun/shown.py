"""An event of the store as people and programs are shown it."""

from datetime import datetime
from fractions import Fraction
from typing import Final

from db.models import AsRunEvent as Stored
from db.repositories.as_run import AsRunEventRow
from sidecar.rundown.rate import parse_rate
from supervisor.asrun.projection import frames_as_time
from supervisor.asrun.statuses import statuses_of
from supervisor.schemas.asrun import AsRunEvent, Segment

_AS_STORED: Final = (
    "seq", "kind", "item_id", "asset_id", "house_id", "title", "start_at", "end_at", "start_frame", "frames",
    "planned_frames", "rate", "start_cause", "end_cause", "by", "status", "detail", "late", "traffic_id",
    "fingerprint", "in_frames", "source_rate", "planned_at", "predicted_at", "lost_frames",
)  # fmt: skip


def shown(event: Stored) -> AsRunEvent:
    """A row of the store, with all that follows from it."""
    return shown_of_run(event, event.channel_id, event.run_id, event.epoch)


def shown_of_run(event: AsRunEventRow | Stored, channel_id: str, run_id: str, epoch: int) -> AsRunEvent:
    values: dict[str, object] = {name: getattr(event, name) for name in _AS_STORED}
    values |= {"channel_id": channel_id, "run_id": run_id, "epoch": epoch, "source": event.path}
    values["statuses"] = statuses_of(event)
    values["inserted"] = bool(event.inserted)
    values["source_in"], values["source_out"] = source_span(event)
    values["planned_end_at"] = _planned_end(event)
    if event.kind == "item" and event.planned_frames is not None:
        values["predicted_end_at"] = event.start_at + frames_as_time(event.planned_frames, event.rate)
    values["start_proof"] = "inferred" if event.start_proof == "inferred" else "confirmed"
    if event.end_at is not None:
        is_inferred = event.status == "unknown end" or event.end_proof == "inferred"
        values["end_proof"] = "inferred" if is_inferred else "confirmed"
    if event.continues_run_id is not None and event.continues_seq is not None:
        values["continues"] = Segment(run_id=event.continues_run_id, seq=event.continues_seq)
    return AsRunEvent.model_validate(values)


def source_span(event: AsRunEventRow | Stored) -> tuple[int | None, int | None]:
    """First frame of the file that was due and one past the last, at its own rate; None where that is not known.

    Channel frame m of an item shows source frame floor(m * source / channel), counted from its trim.
    """
    if event.source_in is None or event.source_rate is None or event.kind != "item":
        return event.source_in, None
    ratio = parse_rate(event.source_rate) / parse_rate(event.rate)
    began = event.in_frames or 0
    first = event.source_in + _floor(began * ratio)
    if event.frames is None:
        return first, None
    due = event.frames if event.planned_frames is None else min(event.frames, event.planned_frames)
    return first, event.source_in + _ceil((began + due) * ratio)


def _planned_end(event: AsRunEventRow | Stored) -> datetime | None:
    """Of the whole item, also where it was joined in progress."""
    if event.planned_at is None or event.planned_frames is None:
        return None
    return event.planned_at + frames_as_time((event.in_frames or 0) + event.planned_frames, event.rate)


def _floor(frames: Fraction) -> int:
    return frames.numerator // frames.denominator


def _ceil(frames: Fraction) -> int:
    return -(-frames.numerator // frames.denominator)
