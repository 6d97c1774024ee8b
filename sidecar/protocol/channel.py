"""What a sidecar is told to play: format, outputs and playlist."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from sidecar.protocol.recording import Recording

Rate = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,6}(/[1-9][0-9]{0,6})?$")]
"""Frames a second as a rational: ``"25"`` or ``"30000/1001"``."""

Epoch = Annotated[int, Meta(ge=1)]
FrameCount = Annotated[int, Meta(ge=0)]


class Sparse(Struct, frozen=True, omit_defaults=True):
    """A struct of which only what is not at its default is sent, so that an older sidecar takes what it knows, and a
    digest stays what it was when a field is added. msgspec alone leaves out what is the very object that the default
    is, which a large number that was read is not."""

    def __post_init__(self) -> None:
        for one in structs.fields(self):
            value = getattr(self, one.name)
            if value is not one.default and value == one.default:
                structs.force_setattr(self, one.name, one.default)


class ChannelFormat(Struct, frozen=True, forbid_unknown_fields=True):
    """The one format a channel's programme has. Always progressive 4:2:0 8 bit, BT.709, video range."""

    width: Annotated[int, Meta(ge=64, le=7680)]
    height: Annotated[int, Meta(ge=64, le=4320)]
    rate: Rate
    sample_rate: Literal[48000] = 48000
    audio_channels: Literal[2] = 2


class Encoding(Sparse, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the programme is encoded; the defaults are what the benchmarks measure."""

    preset: str = "superfast"
    tune: str = "zerolatency"
    video_bit_rate: Annotated[int, Meta(ge=100_000)] = 3_000_000  # bits a second
    audio_bit_rate: Annotated[int, Meta(ge=32_000)] = 128_000  # bits a second
    gop_ms: Annotated[int, Meta(ge=200, le=10_000)] = 2_000


OutputKind = Literal["hls", "udp", "srt", "rtmp", "decklink", "file"]
OutputRole = Literal["programme", "preview"]

Pid = Annotated[int, Meta(ge=0x20, le=0x1FFE)]
Id16 = Annotated[int, Meta(ge=1, le=0xFFFF)]


class TransportStream(Sparse, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a headend expects of an MPEG transport stream (ISO/IEC 13818-1, EN 300 468); for udp, srt and file.

    The clock reference is on the picture's PID, at most 40 ms apart. ``mux_rate`` in bits a second is held to the
    packet with null packets; 0: as much as there is to send.
    """

    service_id: Id16 = 1
    service_name: Annotated[str, Meta(max_length=60)] = ""  # empty: the channel's name
    provider: Annotated[str, Meta(max_length=60)] = "MCR Console"
    transport_stream_id: Id16 = 1
    original_network_id: Id16 = 0xFF01  # the first of those for private use
    pmt_pid: Pid = 0x1000
    video_pid: Pid = 0x100
    audio_pid: Pid = 0x101
    mux_rate: Annotated[int, Meta(ge=0, le=200_000_000)] = 0


class Output(Sparse, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place the programme goes to. ``on air`` means that a *programme* output moves.

    ``url`` is empty for ``hls`` (its place follows from channel and epoch), ``udp://host:port[?ttl=..&localaddr=..]``
    for ``udp``, ``srt://host:port[?mode=..&latency=..&passphrase=..&streamid=..]`` for ``srt`` (see
    ``sidecar.outputs.srt_address``), ``rtmp://host[:port]/app/key`` for ``rtmp``, ``decklink://index[?key=index]`` for
    ``decklink`` (cards are counted from 1), and for ``file`` an absolute path, or a name that lies below the channel's
    folder of recordings.
    """

    id: str
    kind: OutputKind
    url: str = ""
    role: OutputRole = "programme"
    lease_stop: bool = False
    """Send only while the lease lives. For ``udp`` alone, where nothing else keeps an old epoch off the air: HLS has a
    directory an epoch, RTMP and SRT keep their session and never connect without a lease, a card never stops by
    itself."""
    transport: TransportStream = TransportStream()
    encoding: Encoding | None = None
    """Its own encode, on a thread of its own; None: the programme's, which costs nothing more."""


ItemKind = Literal["clip", "live", "slate", "comment"]
"""A ``live`` input's source never ends by itself; a ``comment`` never airs and takes no time."""
StartMode = Literal["follow", "hold", "fixed"]
"""``follow`` starts when the item before it ends; ``hold`` waits for a take, as ``hold_show`` says; ``fixed`` starts at
``fixed_at_ns``. A fixed start without a time, or behind a later one in the list, follows."""
FixedKind = Literal["hard", "soft"]
"""``hard`` cuts what is on air, ``soft`` waits for its end."""
LatePolicy = Literal["now", "join", "drop"]
"""A fixed start later than ``late_limit_ms``: from its beginning all the same, at the frame due by then, or not."""
EndMode = Literal["duration", "at", "take"]
"""``at``: at ``end_at_ns``, or with its duration where that is over sooner; ``take``: open end."""
BeforeFixed = Literal["truncate", "drop", "run_on"]
"""What an item does in whose way a hard fixed start stands. ``drop``: expendable items before the fixed start are
dropped so that it need not be cut; where that is not enough, it is."""
HoldShow = Literal["last_frame", "slate", "loop"]
"""What is shown while the list waits for this item's take; ``loop``: the item before it, again and again."""
Meant = Literal["black", "freeze", "silence"]
LogoUse = Literal["inherit", "on", "off"]
LogoOverride = Literal["auto", "on", "off"]
"""An operator's, until the next item; ``auto``: none."""
Instant = Annotated[int, Meta(ge=0)]
"""UTC in nanoseconds since 1970."""
Ms = Annotated[int, Meta(ge=0, le=7 * 86_400_000)]


class Item(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a playlist. What is at its default is not sent, so that an older sidecar takes what it knows.

    ``in_frames`` counts frames of the *source* (at ``source_rate``) from its first; ``duration_frames``
    counts frames of the *channel*. Without a duration the item airs to its source's end.
    ``asset_duration_ms`` is the whole asset's length in milliseconds, for display and for peers only.
    """

    id: str
    title: str
    kind: ItemKind = "clip"
    path: str | None = None
    source_rate: Rate | None = None
    in_frames: FrameCount = 0
    duration_frames: Annotated[int, Meta(ge=1)] | None = None
    asset_duration_ms: FrameCount | None = None
    start_mode: StartMode = "follow"
    asset_id: str | None = None
    house_id: str | None = None
    traffic_id: str | None = None
    """The traffic system's own id of this airing, which comes back in the as-run."""
    fixed_at_ns: Instant | None = None
    fixed_kind: FixedKind = "hard"
    late_policy: LatePolicy = "now"
    late_limit_ms: Ms = 0
    """Up to this late a fixed start is as one in time."""
    end_mode: EndMode = "duration"
    end_at_ns: Instant | None = None
    before_fixed: BeforeFixed = "truncate"
    expendable: bool = False
    hold_show: HoldShow = "last_frame"
    hold_timeout_ms: Ms | None = None
    """How long the list waits for this item's take; None: as the channel's rules say, 0: for ever."""
    repeat: Annotated[int, Meta(ge=0, le=100_000)] = 1
    """How often it airs in a row; 0: until a take."""
    block: str | None = None
    """Consecutive items of the same block air in turn, again and again, until ``block_until_ns`` of its first."""
    block_until_ns: Instant | None = None
    url: str | None = None
    """Where a live input comes from."""
    gain_mb: Annotated[int, Meta(ge=-10_000, le=2_000)] = 0
    """Gain on its sound in hundredths of a decibel."""
    meant: tuple[Meant, ...] = ()
    """Faults of picture or sound that are meant so in this item: no alarm."""
    logo: LogoUse = "inherit"
    captions: bool = True
    planned_at_ns: Instant | None = None
    """When its list meant it to start; only for the as-run."""
    dropped: bool = False
    """It is passed over when its turn comes, until an operator says otherwise."""
    fingerprint: str | None = None
    """Of the file's content, as it was probed; for the as-run."""
    inserted: bool = False
    """A person put it into a list that traffic made."""


AfterLast = Literal["loop", "filler", "hold"]
"""What airs after the last item: the list again, filler, or the last frame until a take."""
HoldFallback = Literal["filler", "next", "slate"]
Rung = Literal["last_frame", "slate", "filler", "live", "next"]
"""What is shown while nothing of the list can be: the last picture, the slate, the filler's clips, the filler's live
input, or what comes next although it waits for a take or a time."""


class Rules(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a channel's rundown behaves where no item says otherwise; they change on air with the list.

    ``ladder``: ``ladder_first_ms`` after the last picture that was due its first rung is shown, and ``ladder_next_ms``
    later the next, to the last. A rung that has nothing to show is as the slate.
    """

    hold_timeout_ms: Ms = 300_000  # 0: for ever
    hold_fallback: HoldFallback = "slate"
    fixed_ends_hold: bool = True
    ladder: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=8)] = ("slate", "filler")
    ladder_first_ms: Ms = 3_000
    ladder_next_ms: Ms = 30_000
    filler: Annotated[tuple[Item, ...], Meta(max_length=200)] = ()
    """What pads gaps, in turn; none: the slate."""
    standby: Item | None = None
    """The emergency clip, kept open; none, or while it cannot be played: the slate."""


class Playlist(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rundown as the sidecar holds it. ``revision`` only grows."""

    revision: Annotated[int, Meta(ge=0)]
    items: tuple[Item, ...] = ()
    after_last: AfterLast = "filler"
    rules: Rules = Rules()


LoudnessProfile = Literal["off", "r128", "a85"]
"""EBU R128: -23 LUFS, -1 dBTP; ATSC A/85: -24 LKFS, -2 dBTP."""


class Logo(Struct, frozen=True, forbid_unknown_fields=True):
    """A PNG on the picture: ``x`` and ``y`` of its upper left corner in pixels, ``opacity`` in hundredths."""

    path: str
    x: Annotated[int, Meta(ge=0, le=7680)] = 0
    y: Annotated[int, Meta(ge=0, le=4320)] = 0
    opacity: Annotated[int, Meta(ge=0, le=100)] = 100
    on: bool = True
    """For items that inherit."""


class WatchThresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds of black, a still picture, or silence on the output after which an alarm is raised; 0: never."""

    black_s: Annotated[int, Meta(ge=0, le=3600)] = 8
    freeze_s: Annotated[int, Meta(ge=0, le=3600)] = 30
    silence_s: Annotated[int, Meta(ge=0, le=3600)] = 15


class Look(Struct, frozen=True, forbid_unknown_fields=True):
    """What is put on the picture, and what is watched of it; both change on air.

    All of it is told, so that its digest is the same whoever made it."""

    logo: Logo | None = None
    watch: WatchThresholds = WatchThresholds()


class ResumePoint(Struct, frozen=True, forbid_unknown_fields=True):
    """Where in the playlist the air begins: ``frame`` channel frames into the item."""

    item_id: str
    frame: FrameCount = 0


class CasparServer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The CasparCG server that plays a channel: which of its channels, and which layer of that.

    ``program``: the server's own program on this node, which the sidecar then starts, minds and ends; empty: the server
    is there. ``mode``: the server's video mode by its name, for an interlaced one; empty: as the channel's format says.
    ``media``: the folder on this node that is the server's media folder, where its paths are not those of this node, as
    on Windows: clips are then named from there.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 5250
    channel: Annotated[int, Meta(ge=1, le=64)] = 1
    layer: Annotated[int, Meta(ge=0, le=9999)] = 10
    program: Annotated[str, Meta(max_length=4096)] = ""
    mode: Annotated[str, Meta(max_length=32)] = ""
    media: Annotated[str, Meta(max_length=4096)] = ""


class SidecarDocument(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The one JSON document a sidecar is started with (see ``sidecar.configuration`` for the environment)."""

    channel_id: str
    name: str
    format: ChannelFormat
    outputs: tuple[Output, ...]
    playlist: Playlist
    encoding: Encoding = Encoding()
    resume: ResumePoint | None = None
    leased: bool = False
    """Whether leases are given to this start: only then may their lack stop an output or keep it from connecting.
    False for a channel that cannot be moved anywhere: it is never fenced."""
    time_zone: str = "UTC"
    """IANA name; the slate's clock shows this zone."""
    loudness_profile: LoudnessProfile = "off"
    logo: Logo | None = None
    watch: WatchThresholds = WatchThresholds()
    recording: Recording | None = None
    """Set: this is a recorder, see ``protocol.recording``."""
    caspar: CasparServer | None = None
    """None: the sidecar decodes and encodes itself."""
