"""What aired: events with a start and an end, and the journal records they are made from."""

from typing import Literal

from supervisor.schemas.base import Id, Instant, RateText, Schema

AsRunStatus = Literal["on air", "aired", "aired short", "cut", "skipped", "unknown end"]

BxfStatus = Literal[
    "Aired Without Discrepancy",
    "Technical Difficulty",
    "Did not air",
    "Aired with Duration Discrepancy",
    "Aired with Content Discrepancy",
    "Preempted",
    "Joined in Progress",
    "Inserted by Operator",
    "Unknown",
    "Missing Content",
]
"""In the words of SMPTE ST 2021."""


class Segment(Schema):
    """Which event."""

    run_id: str
    seq: int


class AsRunEvent(Schema):
    """What aired, from its first frame to its last: a projection of the journal's records.

    All times are of the frame leaving the playout clock; what an output adds to it is that output's own `delay_ms`.

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
    statuses: tuple[BxfStatus, ...] = ()
    """None while it is on air."""
    traffic_id: str | None = None
    """The traffic system's own id of this airing."""
    source: str | None = None
    """The file that aired, and its content as it was probed."""
    fingerprint: str | None = None
    in_frames: int | None = None
    """Channel frames of the item that were passed over when it began: a resume, a join in progress."""
    source_rate: RateText | None = None
    source_in: int | None = None
    """The first frame of the file that was due, from 0, and one past the last, at `source_rate`."""
    source_out: int | None = None
    planned_at: Instant | None = None
    planned_end_at: Instant | None = None
    predicted_at: Instant | None = None
    """When it was to begin by what was known when the event before it began."""
    predicted_end_at: Instant | None = None
    """When it was to end by what was known when it began."""
    inserted: bool = False
    """A person put it into a list that traffic made."""
    start_proof: Literal["confirmed"] = "confirmed"
    """Every start is a record of the engine's own; an end that the engine could not write is inferred."""
    end_proof: Literal["confirmed", "inferred"] | None = None
    continues: Segment | None = None
    """The segment of the same event before a failover or a restart."""
    lost_frames: int | None = None
    """Channel frames between that segment's proven end and this start, in which it did not air."""


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
