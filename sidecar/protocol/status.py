"""What ``GET /status`` answers: the sidecar's own view of its air, never a promise about anyone else's."""

from typing import Literal

from msgspec import Struct

from sidecar.protocol.channel import AfterLast, Epoch, LogoOverride, Meant, OutputKind, OutputRole
from sidecar.protocol.fencing import Fencing
from sidecar.protocol.recording import RecordingStatus

SidecarState = Literal["muted", "on_air", "stopping"]
Picture = Literal["item", "filler", "standby", "hold", "freeze"]
"""What the output shows: an item, filler, the emergency slate, a held last frame, or a stopped picture."""


LiveState = Literal["idle", "connecting", "ready", "lost"]
"""``idle``: it is too early to connect. ``lost``: pictures came once, and none come now."""


class LiveStatus(Struct, frozen=True):
    """A live input. ``detail`` says why it is not ready, without anything secret; empty where nobody knows."""

    state: LiveState
    detail: str = ""


class ItemOnAir(Struct, frozen=True):
    """``airing`` numbers the times anything went to air in this run; the same item twice has two."""

    item_id: str
    title: str
    airing: int
    position_frames: int
    duration_frames: int | None
    started_frame: int
    started_at: str  # UTC, RFC 3339 with microseconds
    asset_id: str | None = None
    live: LiveStatus | None = None  # of a live item


class ItemNext(Struct, frozen=True):
    """What airs after the current item; ``cued`` when an operator chose it. ``ready`` when a cut costs nothing."""

    item_id: str
    title: str
    cued: bool
    ready: bool
    in_frames_left: int | None  # channel frames until it follows on; None when it waits for a take
    live: LiveStatus | None = None  # of a live item


OutputState = Literal["starting", "up", "stalled", "down", "stopped"]


class Link(Struct, frozen=True):
    """How an SRT session goes, by libsrt's own count; of all receivers of a listener together, the worst of them where
    there is one figure. ``loss_percent`` is of the last ten seconds, packets are of this session. Lost packets are
    mostly sent again in time: what a receiver missed for good is in ``packets_dropped``, as far as the sender knows.
    ``fault``: why nobody else can call though those who are there go on; empty where nothing is wrong."""

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


class OutputStatus(Struct, frozen=True):
    id: str
    kind: OutputKind
    role: OutputRole
    state: OutputState
    detail: str
    bytes_sent: int
    frames_sent: int
    frames_dropped: int
    segments: int = 0  # whole HLS segments of this epoch; the agent moves the link at the first
    fencing: Fencing | None = None  # what a lost lease does to it, where the channel is leased
    link: Link | None = None  # of an open SRT session
    delay_ms: int | None = (
        None  # from a frame's leaving the playout clock until it was handed on; worst of some seconds
    )


class Loudness(Struct, frozen=True):
    """EBU R128 of the programme as it leaves: momentary and short-term in LUFS, the last second's sample peak in dBFS.

    Integrated loudness and true peak are those of the item on air, since it began.
    """

    momentary_lufs: float | None
    short_term_lufs: float | None
    peak_dbfs: float | None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None


class OutputFaults(Struct, frozen=True):
    """For how long the programme has been black, still or silent; 0: it is not, or that is meant so.

    ``raised`` names those that last longer than the channel allows.
    """

    black_ms: int = 0
    freeze_ms: int = 0
    silence_ms: int = 0
    raised: tuple[Meant, ...] = ()


class LogoStatus(Struct, frozen=True):
    """``override`` is an operator's, until the next item; ``fault`` says why the logo cannot be shown."""

    shown: bool
    override: LogoOverride = "auto"
    fault: str = ""


class EngineHealth(Struct, frozen=True):
    """A server that the sidecar drives. ``answers``: to commands; ``moves``: its channel's time does."""

    version: str
    answers: bool
    moves: bool
    detail: str = ""
    """What is wrong, empty while nothing is."""
    reached: bool = True
    """There is a connection to it: what it was told last may play on, whether it answers or not."""
    wrong_ms: int = 0
    """For how long it has not answered, or its time has not moved."""


class JournalStatus(Struct, frozen=True):
    run_id: str
    last_seq: int
    degraded: str | None  # why records are only in memory, e.g. a full disk


class SkippedItem(Struct, frozen=True):
    """An item that could not air, and why, newest last; the list is bounded."""

    item_id: str
    title: str
    reason: str
    at: str


class LiveFault(Struct, frozen=True):
    """A live input that is due within two hours was tried, and does not connect; ``detail`` says why."""

    item_id: str
    detail: str


class Status(Struct, frozen=True):
    channel_id: str
    epoch: Epoch
    run_id: str
    pid: int
    state: SidecarState
    nonce: str
    """Names this answer for ``/arm`` and ``/lease``; good for 6 s."""
    rate: str
    frame: int
    """Frames that left since arming; a heartbeat in which it stands still is a miss."""
    frames_late: int
    """Frames since arming that were not what was due at their time, each counted once: the last picture stood for
    longer, because none was there (``no data``) or the encoder was behind (``encoder``), or the frame left more than
    one frame time after it was due and was caught up (``stall``). The as-run's ``late`` records, which carry that
    cause, add up to the same."""
    frames_skipped: int
    """Frame times passed over after a stall of the whole process."""
    picture: Picture
    reason: str
    """Why the picture is not an item, in an operator's words; empty while an item airs."""
    item: ItemOnAir | None
    next: ItemNext | None
    hold: bool
    playlist_revision: int
    after_last: AfterLast
    outputs: tuple[OutputStatus, ...]
    loudness: Loudness
    lease_left_ms: int | None
    journal: JournalStatus
    skipped: tuple[SkippedItem, ...]
    at: str  # UTC, RFC 3339: when this was read
    outputs_digest: str = ""
    """Of the outputs that it was last told (``protocol.outputs``)."""
    leased: bool = False
    """Whether outputs of this start stop or wait for want of a lease, each as its ``fencing`` says."""
    faults: OutputFaults = OutputFaults()
    logo: LogoStatus | None = None
    """None for a channel without a logo."""
    hold_left_ms: int | None = None
    """While the list waits for a take: how long until its time-out, 0 after it; None: it does not wait, or for ever."""
    dropped: tuple[str, ...] = ()
    """Items that an operator dropped in this run."""
    live_faults: tuple[LiveFault, ...] = ()
    recording: RecordingStatus | None = None
    """Of a recorder; None for a channel."""
    look_digest: str = ""
    """Of the logo and the thresholds that hold (``protocol.outputs``); empty: they hold until its next start."""
    engine: EngineHealth | None = None
    """None where the sidecar plays by itself."""
    since_frame: int | None = None
    """The frame of the as-run record with which what is on the output began: an item, a clip of filler, the slate, a
    held picture, a live input's loss or return. None while muted, and of a sidecar that does not tell it."""

    def is_before(self, other: "Status") -> bool:
        """Told by the same run at an earlier frame, whichever came first."""
        return self.run_id == other.run_id and self.frame < other.frame
