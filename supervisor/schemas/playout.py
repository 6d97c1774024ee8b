"""How a channel airs beside its list: holds, the off-air ladder, loudness, logo, and what is watched on its output."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from supervisor.schemas.airing import Category, Millis
from supervisor.schemas.base import Schema

HoldFallback = Literal["filler", "next", "slate"]
Rung = Literal["last_frame", "slate", "filler", "live", "next"]
LoudnessProfile = Literal["off", "r128", "a85"]
Seconds = Annotated[int, Field(ge=0, le=3600)]
Ladder = Annotated[tuple[Rung, ...], Field(min_length=1, max_length=8)]

_PROGRAM = r"^(/([^/\x00-\x1f\x7f]+/)*casparcg[^/\x00-\x1f\x7f]*)?$"
"""Nothing else is started by whoever may change a channel."""

Interlaced = Literal["", "PAL", "NTSC", "1080i5000", "1080i5994", "1080i6000"]
"""Video modes of a CasparCG server; a progressive one follows from the channel's format."""

LogoOfCategory = Literal["on", "off"]


class LogoIn(Schema):
    """A PNG on the disk of the channel's node. ``x`` and ``y`` are of its upper left corner in pixels, ``opacity`` is
    in hundredths. For items that inherit, ``categories`` says it by their category, however that is written in large
    and small letters, and ``on`` for all others. An operator's key wins over all of it, and lapses at the next item."""

    path: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^/[^\x00-\x1f\x7f]*$")]
    x: Annotated[int, Field(ge=0, le=7680)] = 0
    y: Annotated[int, Field(ge=0, le=4320)] = 0
    opacity: Annotated[int, Field(ge=0, le=100)] = 100
    on: bool = True
    categories: dict[Annotated[Category, Field(min_length=1)], LogoOfCategory] = Field(
        default_factory=dict[str, Literal["on", "off"]], max_length=50
    )


class CasparIn(Schema):
    """The CasparCG server that plays the channel: which of its channels, and which layer of that.

    ``program``: the server's own program on the channel's node, which is then started, minded and ended with the
    channel. ``mode``: the server's video mode, for an interlaced one (1080i5000). ``media``: the folder of the node
    that is the server's media folder, where its paths are not those of the node, as on Windows.
    """

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5250
    channel: Annotated[int, Field(ge=1, le=64)] = 1
    layer: Annotated[int, Field(ge=0, le=9999)] = 10
    program: Annotated[str, Field(max_length=4096, pattern=_PROGRAM)] = ""
    mode: Interlaced = ""
    media: Annotated[str, Field(max_length=4096, pattern=r"^(/[^\x00-\x1f\x7f]*)?$")] = ""

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.program and not _is_here(self.host):
            raise ValueError("a server that is started is on the channel's own node: host 127.0.0.1")
        return self


def _is_here(host: str) -> bool:
    return host.startswith("127.") or host.lower() == "localhost"


class Playout(Schema):
    """``hold_timeout_ms``: after so long an unattended hold gives way to ``hold_fallback``, with an alarm; 0 never.
    ``ladder``: what airs without programme, its first rung after ``ladder_first_ms``, each next ``ladder_next_ms``
    later. ``black_s``, ``freeze_s``, ``silence_s`` on the output raise an alarm; 0 never.
    """

    hold_timeout_ms: Millis = 300_000
    hold_fallback: HoldFallback = "slate"
    fixed_ends_hold: bool = True
    ladder: Ladder = ("slate", "filler")
    ladder_first_ms: Millis = 3_000
    ladder_next_ms: Millis = 30_000
    loudness_profile: LoudnessProfile = "off"
    logo: LogoIn | None = None
    black_s: Seconds = 8
    freeze_s: Seconds = 30
    silence_s: Seconds = 15
    caspar: CasparIn | None = None
    """For engine ``caspar``; none is channel 1 of a server on the same machine."""


class PlayoutPatch(Schema):
    """Only what is given changes; ``logo`` null takes it away. ``caspar`` takes effect at the next start."""

    hold_timeout_ms: Millis | None = None
    hold_fallback: HoldFallback | None = None
    fixed_ends_hold: bool | None = None
    ladder: Ladder | None = None
    ladder_first_ms: Millis | None = None
    ladder_next_ms: Millis | None = None
    loudness_profile: LoudnessProfile | None = None
    logo: LogoIn | None = None
    black_s: Seconds | None = None
    freeze_s: Seconds | None = None
    silence_s: Seconds | None = None
    caspar: CasparIn | None = None
