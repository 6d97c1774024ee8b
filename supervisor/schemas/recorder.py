"""Recorders: what records an input, and what is seen of it."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Line, Name, RateText, Schema
from supervisor.schemas.channel import Desired, Phase

RecorderInputKind = Literal["test", "srt", "rtmp", "udp", "hls", "decklink"]
RecordingState = Literal["waiting", "recording", "no_signal", "no_room", "failed"]
RecorderObserved = Literal["recording", "late", "dark", "hung", "silent", "gone", "unknown"]
Template = Annotated[str, Field(min_length=1, max_length=200, examples=["{title}/{date}_{time}_{segment}"])]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
KeepDays = Annotated[int, Field(ge=0, le=36_500)]
KeepGib = Annotated[int, Field(ge=0, le=1 << 20)]
InputUrl = Annotated[Line, Field(max_length=500)]
DeviceIndex = Annotated[int, Field(ge=1, le=64)]


class RecorderInput(Schema):
    """``url`` is of srt, rtmp, udp and hls; ``device_index`` of a DeckLink port, counted from 1."""

    kind: RecorderInputKind
    url: InputUrl = ""
    device_index: DeviceIndex | None = None


class RecorderIn(Schema):
    """A recorder to be made. A DeckLink input needs the node that has the card.

    ``template`` names its files by ``{recorder} {title} {date} {time} {segment} {epoch}``; ``segment_s`` 0 never begins
    a new file; nothing is written while the disk has less than ``floor_mb`` MiB left. Finished files are taken away,
    the oldest first, when they are older than ``keep_days`` days, and while all of them on one node take more than
    ``keep_gib`` GiB; 0 takes none away. A file that is an asset stays.
    """

    name: Name
    input: RecorderInput
    project_id: Id | None = None
    node_id: Id | None = None
    template: Template = "{recorder}_{date}_{time}"
    segment_s: Seconds = 0
    floor_mb: Annotated[int, Field(ge=0, le=1 << 30)] = 1024
    time_zone: str = "UTC"
    keep_days: KeepDays = 0
    keep_gib: KeepGib = 0


class RecorderPatch(Schema):
    """Only what is given changes; it holds from the next start, and for how long files are kept at once."""

    name: Name | None = None
    input: RecorderInput | None = None
    project_id: Id | None = None
    node_id: Id | None = None
    template: Template | None = None
    segment_s: Seconds | None = None
    floor_mb: Annotated[int | None, Field(ge=0, le=1 << 30)] = None
    time_zone: str | None = None
    keep_days: KeepDays | None = None
    keep_gib: KeepGib | None = None


class RecorderLive(Schema):
    """What is seen of a recorder now. ``rate`` is the input's; ``lost_frames`` did not come, in ``gaps`` places."""

    desired: Desired = "off"
    phase: Phase = "off"
    observed: RecorderObserved | None = None
    epoch: int = 0
    node_id: Id | None = None
    node_name: str | None = None
    decision: str = ""
    state: RecordingState | None = None
    detail: str = ""
    title: str = ""
    path: str = ""
    rate: RateText | None = None
    file_frames: int = 0
    file_bytes: int = 0
    files: int = 0
    frames: int = 0
    gaps: int = 0
    lost_frames: int = 0
    free_mb: int | None = None
    heartbeat_age_ms: int | None = None
    alarms: int = 0


class Recorder(Schema):
    """``node_id`` is where people want it; where it is now is in ``live``. ``wanted_by``: who wants it on.
    ``held_until``: schedules leave it off until then, because somebody stopped it. ``notice`` says what is known
    beforehand to go wrong; empty where nothing is."""

    id: Id
    name: Name
    project_id: Id | None
    node_id: Id | None
    input: RecorderInput
    template: str
    segment_s: int
    floor_mb: int
    time_zone: str
    keep_days: int = 0
    keep_gib: int = 0
    desired: Desired
    wanted_by: Literal["person", "schedule"]
    held_until: Instant | None
    created_at: Instant
    rev: int
    notice: str = ""
    live: RecorderLive = RecorderLive()


class RecorderSeen(Schema):
    """``live`` as an event, whenever anything but its figures changes."""

    recorder_id: Id
    live: RecorderLive


class RecorderDeleted(Schema):
    recorder_id: Id


class Gap(Schema):
    """``frames`` pictures that did not come, from ``frame`` on, counted from the file's first."""

    frame: int
    frames: int
    at: Instant


class RecordedFile(Schema):
    """One file by the as-recorded log. ``frames`` are its places for pictures, those lost included.

    ``end_at`` null: it is being written, or was cut short and nobody has looked at it since. ``lost_before``: frames
    between the file before it, of an earlier run, and this one, by the wall clock of whoever recorded; null where this
    is not known, or no run ended between the two. ``path`` is one of the node's.
    """

    recorder_id: Id
    run_id: str
    seq: int
    epoch: int
    title: str
    path: str
    rate: RateText
    start_at: Instant
    end_at: Instant | None
    frames: int | None
    lost_frames: int
    gaps: tuple[Gap, ...]
    cause: str
    end_cause: str | None
    sha256: str | None
    bytes: int | None
    lost_before: int | None = None
    node_id: Id | None = None
