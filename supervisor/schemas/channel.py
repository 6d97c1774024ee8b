"""Channels: what people decide (spec), what the supervisor is doing (phase) and what is seen (live)."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.airing import Kind, StartMode
from supervisor.schemas.base import Id, Instant, Name, RateText, Schema
from supervisor.schemas.control import Control
from supervisor.schemas.playout import Playout, PlayoutPatch

Desired = Literal["off", "on"]
Phase = Literal["off", "placing", "fencing", "starting", "running", "stopping", "blocked"]
Observed = Literal["on_air", "late", "dark", "hung", "silent", "gone", "unknown"]
ResumePolicy = Literal["continue", "schedule"]
"""``continue`` from the last reported frame, or ``schedule``: join in progress what should be on air now."""
Engine = Literal["ffmpeg", "caspar"]
AfterLast = Literal["loop", "filler", "hold"]
OutputKind = Literal["hls", "udp", "srt", "rtmp", "decklink", "file"]


class ChannelFormat(Schema):
    """For example 1920x1080 at ``25``; ``label`` (``1080p25``) is made from it."""

    width: Annotated[int, Field(ge=64, le=7680, multiple_of=2)]
    height: Annotated[int, Field(ge=64, le=4320, multiple_of=2)]
    rate: RateText


Pid = Annotated[int, Field(ge=0x20, le=0x1FFE)]
Id16 = Annotated[int, Field(ge=1, le=0xFFFF)]


class TransportStream(Schema):
    """What the tables of an MPEG transport stream say, for udp, srt and file. Without a service name it is the
    channel's. ``mux_rate`` in bits a second is held with null packets; 0: as much as there is to send.
    """

    service_id: Id16 = 1
    service_name: Annotated[str, Field(max_length=60)] = ""
    provider: Annotated[str, Field(max_length=60)] = "MCR Console"
    transport_stream_id: Id16 = 1
    original_network_id: Id16 = 0xFF01
    pmt_pid: Pid = 0x1000
    video_pid: Pid = 0x100
    audio_pid: Pid = 0x101
    mux_rate: Annotated[int, Field(ge=0, le=200_000_000)] = 0


class Encoding(Schema):
    """An output's own encode, in bits a second; H.264 in closed groups of ``gop_ms`` without B pictures, and AAC."""

    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = "superfast"
    video_bit_rate: Annotated[int, Field(ge=100_000, le=100_000_000)] = 3_000_000
    audio_bit_rate: Annotated[int, Field(ge=32_000, le=512_000)] = 128_000
    gop_ms: Annotated[int, Field(ge=200, le=10_000)] = 2_000


class OutputIn(Schema):
    """`url` is empty for hls, `udp://host:port[?ttl=..&localaddr=..]` for udp,
    `srt://host:port[?mode=caller|listener&latency=MS&passphrase=..&pbkeylen=..&streamid=..]` for srt,
    `rtmp://host[:port]/app/key` (or rtmps) for rtmp, `decklink://<index>[?key=<index>]` for decklink (cards are counted
    from 1), and `file:NAME.ts` for a recording below `<media root>/recordings/<channel id>/`.
    """

    kind: OutputKind
    url: Annotated[str, Field(max_length=500)] = ""
    lease_stop: bool = False
    """For udp alone: it stops sending when its lease ends, 6 s after the last word of a supervisor, so that the channel
    can be moved. False: it sends on whatever happens, and a channel whose node is unreachable is not moved."""
    transport: TransportStream | None = None
    """For udp, srt and file; the usual one when left out."""
    encoding: Encoding | None = None
    """Its own encode, which costs a core's share of its own; the programme's when left out."""


class Output(OutputIn):
    id: Id


class ChannelIn(Playout):
    name: Name
    number: Annotated[int, Field(ge=1, le=9999)] | None = None
    """The key and the order on the wall; the next free one when left out."""
    project_id: Id | None = None
    format: ChannelFormat = ChannelFormat(width=1280, height=720, rate="25")
    outputs: Annotated[tuple[OutputIn, ...], Field(min_length=1, max_length=8)] = (OutputIn(kind="hls"),)
    playlist_id: Id | None = None
    after_last: AfterLast = "filler"
    resume_policy: ResumePolicy = "continue"
    node_id: Id | None = None
    """Where it is to play; the supervisor's own choice when left out."""
    engine: Engine = "ffmpeg"
    time_zone: str = "UTC"
    day_start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "06:00"
    """Start of the broadcast day in the channel's zone."""
    filler_playlist_id: Id | None = None
    """What fills gaps; none is the slate."""
    standby_asset_id: Id | None = None
    """The clip that STANDBY cuts to; none is the slate."""
    is_test: bool = False
    """There to be tried: a drill may take it off air."""


class ChannelPatch(PlayoutPatch):
    """Only what is given changes. What takes effect at the next start alone, the answer names."""

    name: Name | None = None
    number: Annotated[int, Field(ge=1, le=9999)] | None = None
    project_id: Id | None = None
    format: ChannelFormat | None = None
    outputs: Annotated[tuple[OutputIn, ...], Field(min_length=1, max_length=8)] | None = None
    playlist_id: Id | None = None
    after_last: AfterLast | None = None
    resume_policy: ResumePolicy | None = None
    node_id: Id | None = None
    time_zone: str | None = None
    day_start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None
    filler_playlist_id: Id | None = None
    standby_asset_id: Id | None = None
    is_test: bool | None = None


class LinkLive(Schema):
    """How an SRT session goes, by the sender's count; ``loss_percent`` of the last ten seconds.
    ``fault``: why nobody else can call though those who are there go on."""

    receivers: int
    round_trip_ms: float | None
    loss_percent: float
    packets_sent: int
    packets_lost: int
    packets_sent_again: int
    packets_dropped: int
    rate_kbps: int
    latency_ms: int
    fault: str = ""


class OutputLive(Schema):
    id: str
    kind: str
    role: Literal["programme", "preview"]
    state: Literal["starting", "up", "stalled", "down", "stopped"]
    detail: str
    frames_dropped: int
    link: LinkLive | None = None
    delay_ms: int | None = None
    """From a frame's leaving the playout clock until it was handed on (to the network, a file, or as part of a public
    segment): the worst of the last seconds, measured."""


class LiveInput(Schema):
    """A live item's input. ``idle``: it is too early to connect; ``lost``: pictures came once, and none come now.
    ``detail`` says why it is not ready, without anything secret."""

    state: Literal["idle", "connecting", "ready", "lost"]
    detail: str = ""


class ItemLive(Schema):
    """``position_frames`` holds at the status' ``as_of``; a client adds the time that has passed since."""

    item_id: str
    title: str
    position_frames: int
    duration_frames: int | None
    started_at: Instant
    live: LiveInput | None = None


class NextLive(Schema):
    item_id: str
    title: str
    cued: bool
    ready: bool
    in_frames_left: int | None
    live: LiveInput | None = None


class LoudnessLive(Schema):
    momentary_lufs: float | None
    short_term_lufs: float | None
    peak_dbfs: float | None
    integrated_lufs: float | None = None
    """Of the item on air, since it began; the true peak as well."""
    true_peak_dbtp: float | None = None


class FaultsLive(Schema):
    """For how long what leaves has been black, still or silent; 0: it is not, or that is meant so.

    ``raised`` names those that last longer than the channel allows.
    """

    black_ms: int
    freeze_ms: int
    silence_ms: int
    raised: tuple[Literal["black", "freeze", "silence"], ...]


class LogoLive(Schema):
    """``override`` is an operator's, until the next item; ``fault`` says why the logo cannot be shown."""

    shown: bool
    override: Literal["auto", "on", "off"]
    fault: str


class EngineLive(Schema):
    """A CasparCG server that the sidecar drives. ``moves``: its channel's time does; ``detail`` says what is wrong."""

    version: str
    answers: bool
    moves: bool
    detail: str


class ChannelLive(Schema):
    """Everything a tile shows, in one value. ``version`` grows with every change of it, over all channels."""

    channel_id: Id
    version: int
    as_of: Instant
    """When the sidecar spoke; ``heartbeat_age_ms`` counts from its arrival to the sending of this."""
    desired: Desired
    phase: Phase
    observed: Observed | None
    epoch: int
    node_id: Id | None
    node_name: str | None
    picture: Literal["item", "filler", "standby", "hold", "freeze"] | None
    reason: str
    """Why the picture is not an item."""
    decision: str
    """One sentence: what the supervisor decided in its last pass, and why."""
    item: ItemLive | None
    next: NextLive | None
    hold: bool
    outputs: tuple[OutputLive, ...]
    loudness: LoudnessLive | None
    heartbeat_age_ms: int | None
    heartbeat_ms: tuple[int, ...]
    """Round trips of the last 30 polls in milliseconds, oldest first; -1 is a miss."""
    frame: int
    frames_late: int
    frames_skipped: int
    off_air_since: Instant | None
    """Set while it should be on air and is not."""
    playlist_revision: int
    alarms: int
    """Alarms of this channel that are not cleared."""
    faults: FaultsLive | None = None
    logo: LogoLive | None = None
    """None for a channel without a logo."""
    engine: EngineLive | None = None
    """None where the sidecar plays by itself."""
    control: Control | None = None
    """Whose air commands are done; None: nobody's alone. Only the leader knows."""
    dropped: tuple[str, ...] = ()
    """Items of its list that an operator dropped on air: they do not air while this run lasts."""


class Channel(Playout):
    id: Id
    name: str
    number: int
    project_id: Id | None
    format: ChannelFormat
    outputs: tuple[Output, ...]
    playlist_id: Id | None
    after_last: AfterLast
    resume_policy: ResumePolicy
    node_id: Id | None
    engine: Engine
    time_zone: str
    day_start: str
    filler_playlist_id: Id | None = None
    standby_asset_id: Id | None = None
    hold_failover: bool = False
    """An operator's veto: the channel is not moved to another node. It is still started again where it is."""
    hold_failover_by: str | None = None
    is_test: bool = False
    """There to be tried: a drill may take it off air."""
    desired: Desired
    rev: int
    created_at: Instant
    live: ChannelLive
    from_next_start: tuple[str, ...] = ()
    """In the answer to a change: what of it a channel that plays takes on only when it is started again."""


class CommandIn(Schema):
    """Body of every transport command; empty is fine.

    ``command_id`` makes a repeat harmless. ``expect_item_id`` and ``expect_epoch`` fix the target at the key press.
    """

    command_id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    expect_item_id: str | None = None
    expect_epoch: int | None = None


class CueIn(CommandIn):
    item_id: str | None
    """None clears the cue."""


class AdjustIn(CommandIn):
    ms: Annotated[int, Field(ge=-3_600_000, le=3_600_000)]
    """By how many milliseconds the item on air becomes longer; negative: shorter."""


class DropIn(CommandIn):
    item_id: str


class LogoIn(CommandIn):
    show: Literal["auto", "on", "off"]
    """Lapses at the next item; ``auto``: as item, category and channel say."""


class MoveIn(Schema):
    """``node_id`` None: the best node. ``expect_epoch`` refuses a channel that was restarted or moved meanwhile."""

    node_id: Id | None = None
    expect_epoch: int | None = None


class CommandDone(Schema):
    """``frame``: the output frame that first showed it; ``took_ms``: arrival at the API to that frame encoded."""

    command_id: str
    channel_id: Id
    done: str
    frame: int | None
    item_id: str | None
    took_ms: float


class RundownRow(Schema):
    """One line of a rundown with computed times. ``state`` is the operator's word for it."""

    item_id: str
    position: int
    title: str
    kind: Kind
    start_mode: StartMode
    start_at: Instant | None
    """Predicted (or, once aired, actual) start; None when a hold before it makes it unknowable."""
    planned_at: Instant | None = None
    """When the list means it to start: its own plan, else the end of what stands above."""
    fixed_at: Instant | None = None
    duration_frames: int | None
    duration_ms: int | None
    asset_duration_ms: int | None
    state: Literal["aired", "on_air", "next", "planned", "missing", "dropped"]
    note: str = ""
    over_under_frames: int | None = None
    """At a fixed start: by how much what stands before it is too long, or with a minus too short."""
    overlap_frames: int | None = None
    """By how much the list plans it over what stands above, or with a minus how long it plans nothing there."""
    cut_frames: int = 0
    """How much of it a fixed start will cut."""
    gap_frames: int = 0
    """How long filler will air before it."""


class Rundown(Schema):
    """``rate`` and ``time_zone`` are what rows are to be shown in. ``next_action`` says what somebody has to do next,
    and ``next_action_at`` when; ``ends_at`` is when the list ends. None where nobody can tell, or there is nothing."""

    channel_id: Id | None
    playlist_id: Id | None
    revision: int
    rate: RateText
    time_zone: str
    rows: tuple[RundownRow, ...]
    next_fixed_item_id: str | None = None
    next_action_at: Instant | None = None
    next_action_item_id: str | None = None
    next_action: str = ""
    ends_at: Instant | None = None
