"""What a sidecar is told to play: format, outputs and playlist."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Rate = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,6}(/[1-9][0-9]{0,6})?$")]
"""Frames a second as a rational: ``"25"`` or ``"30000/1001"``."""

Epoch = Annotated[int, Meta(ge=1)]
FrameCount = Annotated[int, Meta(ge=0)]


class ChannelFormat(Struct, frozen=True, forbid_unknown_fields=True):
    """The one format a channel's programme has. Always progressive 4:2:0 8 bit, BT.709, video range."""

    width: Annotated[int, Meta(ge=64, le=7680)]
    height: Annotated[int, Meta(ge=64, le=4320)]
    rate: Rate
    sample_rate: Literal[48000] = 48000
    audio_channels: Literal[2] = 2


class Encoding(Struct, frozen=True, forbid_unknown_fields=True):
    """How the programme is encoded; the defaults are what the benchmarks measure."""

    preset: str = "superfast"
    tune: str = "zerolatency"
    video_bit_rate: Annotated[int, Meta(ge=100_000)] = 3_000_000  # bits a second
    audio_bit_rate: Annotated[int, Meta(ge=32_000)] = 128_000  # bits a second
    gop_ms: Annotated[int, Meta(ge=200, le=10_000)] = 2_000


OutputKind = Literal["hls", "udp", "rtmp", "decklink", "file"]
OutputRole = Literal["programme", "preview"]


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """One place the programme goes to. ``on air`` means that a *programme* output moves.

    ``url`` is empty for ``hls`` (its place follows from channel and epoch), ``udp://host:port[?ttl=..&localaddr=..]``
    for ``udp``, ``rtmp://host[:port]/app/key`` for ``rtmp`` and ``decklink://index[?key=index]`` for ``decklink``:
    cards are counted from 1.
    """

    id: str
    kind: OutputKind
    url: str = ""
    role: OutputRole = "programme"
    lease_stop: bool = False
    """Send only while the lease lives. For ``udp`` alone, where nothing else keeps an old epoch off the air: HLS has a
    directory an epoch, RTMP keeps its session and never connects without a lease, a card never stops by itself."""


ItemKind = Literal["clip", "slate"]
StartMode = Literal["follow", "hold"]
"""``follow`` starts when the item before it ends; ``hold`` waits for a take, the last frame standing."""


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a playlist.

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


AfterLast = Literal["loop", "filler", "hold"]
"""What airs after the last item: the list again, filler, or the last frame until a take."""


class Playlist(Struct, frozen=True, forbid_unknown_fields=True):
    """The rundown as the sidecar holds it. ``revision`` only grows."""

    revision: Annotated[int, Meta(ge=0)]
    items: tuple[Item, ...] = ()
    after_last: AfterLast = "filler"


class ResumePoint(Struct, frozen=True, forbid_unknown_fields=True):
    """Where in the playlist the air begins: ``frame`` channel frames into the item."""

    item_id: str
    frame: FrameCount = 0


class SidecarDocument(Struct, frozen=True, forbid_unknown_fields=True):
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
