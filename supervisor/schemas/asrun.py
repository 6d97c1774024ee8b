"""What aired: events with a start and an end, and the journal records they are made from."""

from typing import Literal

from supervisor.schemas.base import Id, Instant, RateText, Schema

AsRunStatus = Literal["on air", "aired", "aired short", "cut", "skipped", "unknown end"]


class AsRunEvent(Schema):
    """What aired, from its first frame to its last: a projection of the journal's records.

    ``start_frame`` counts output frames of ``run_id`` since arming. ``end_at`` and ``frames`` are None while on air.
    """

    channel_id: Id
    run_id: str
    epoch: int
    seq: int
    kind: Literal["item", "filler", "skipped"]
    item_id: str | None
    asset_id: str | None
    house_id: str | None
    title: str
    start_at: Instant
    end_at: Instant | None
    start_frame: int
    frames: int | None
    planned_frames: int | None
    rate: RateText
    start_cause: str
    end_cause: str | None
    by: str
    status: AsRunStatus
    detail: str
    late: int
    """Frames of it that were repeated because nothing new was there in time."""


class AsRunRecordOut(Schema):
    """One record as the sidecar's journal has it, byte for byte in ``line``."""

    channel_id: Id
    run_id: str
    epoch: int
    seq: int
    kind: str
    at: Instant
    frame: int
    line: str
