"""What aired: events with a start and an end, and the journal records they are made from."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Line, RateText, Schema

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

    All times are of the frame leaving the playout clock; what an output adds to it is not in them.

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
    """When it was to begin by the rundown's own arithmetic, as it stood when the item before it began."""
    predicted_end_at: Instant | None = None
    """When it was to end by what was known when it began."""
    inserted: bool = False
    """A person put it into a list that traffic made."""
    start_proof: Literal["confirmed", "inferred"] = "confirmed"
    """Inferred: the engine drives a server that told nothing of it then, and went on by the time that passed; or no
    record has the end."""
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


class OutputDelay(Schema):
    """What an output adds to the log's times, as it is now. ``set_ms`` is what its own settings hold it for, None where
    that is not known; ``measured_ms`` from the frame's leaving the playout clock until it was handed on, the worst of
    the last seconds, None while it does not run; ``total_ms`` both, as far as they are known."""

    output_id: Id
    kind: str
    place: str
    measured_ms: int | None
    set_ms: int | None
    total_ms: int | None
    note: str


ExportFormat = Literal["csv", "jsonl", "report", "bxf"]


class AsRunNoteIn(Schema):
    """A note of one event (`run_id` and `seq`), or of the channel at `at`. A correction names the `field` that is wrong
    in the log and the `value` that is right; the event stays as the engine wrote it."""

    run_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    seq: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    at: Instant | None = None
    text: Annotated[Line, Field(min_length=1, max_length=2000)]
    field: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    value: Annotated[Line, Field(max_length=500)] | None = None


class AsRunNote(Schema):
    id: int
    channel_id: Id
    run_id: str | None
    seq: int | None
    at: Instant
    kind: Literal["note", "correction"]
    field: str | None
    value: str | None
    text: str
    by: str
    written_at: Instant


GapWhy = Literal["not started", "stopped", "failover", "moved", "failed", "stalled"]


class OffAir(Schema):
    """Nothing aired for ``frames`` frame times from ``at`` on."""

    at: Instant
    frames: int
    seconds: float
    why: GapWhy


class AsRunProof(Schema):
    """Whether every frame of a span is accounted for, the journals' chain of hashes is whole, and the events are what
    their records say. All frames are of the span's ``rate``."""

    channel_id: Id
    day: date | None
    start_at: Instant
    end_at: Instant
    until: Instant
    """Up to where anything is known: the end of the span, or now."""
    rate: RateText
    holds: bool
    sentence: str
    span_frames: int
    aired_frames: int
    filler_frames: int
    off_air_frames: int
    unaccounted_frames: int
    twice_frames: int
    """More than one run aired: counted once above."""
    inferred_frames: int
    """Aired or filler whose end no record proves."""
    by_time_frames: int = 0
    """Aired or filler of events whose start or end the engine took from the time that passed: the server that it drives
    told nothing of it. None of them are in `inferred_frames`."""
    runs: int
    records: int
    events: int
    faulty: int
    faults: tuple[str, ...]
    """The first of them."""
    off_air: tuple[OffAir, ...]


class ServiceReport(Schema):
    """How a channel served its viewers on a broadcast day, up to ``until``."""

    channel_id: Id
    day: date
    start_at: Instant
    end_at: Instant
    until: Instant
    on_air_percent: float
    """Of the span up to ``until``, rounded down: 100 says that no frame was missing."""
    off_air_seconds: float
    unintended_seconds: float
    """Of these, what nobody ordered: not before the first start and not after a stop."""
    filler_seconds: float
    standby_seconds: float
    held_seconds: float
    items: int
    without_discrepancy: int
    technical_difficulties: int
    did_not_air: int
    late_starts: int
    """Items that began more than a second after their planned start."""
    worst_late_ms: int
    repeated_frames: int
    failovers: tuple[OffAir, ...]
    """Every time the channel went on in another run, with how long nothing aired."""


class AsRunIssueIn(Schema):
    """Issues the log of a broadcast day again."""

    day: date


class AsRunIssue(Schema):
    """One issue of a day's log; ``number`` counts from 1 a day."""

    channel_id: Id
    day: date
    number: int
    state: Literal["waiting", "delivered"]
    asked_by: str
    asked_at: Instant
    delivered_at: Instant | None
    attempts: int
    events: int | None
    verdict: str
    fault: str
    """Why the last attempt failed; it is tried again."""
    why: str | None = None
    """What changed of the day since it was delivered; a later issue has it."""


class AsRunRebuilt(Schema):
    """What was made again. Runs that still come in are left: they make their own."""

    channel_id: Id
    runs: int
    runs_left: int
    records: int
    events: int
