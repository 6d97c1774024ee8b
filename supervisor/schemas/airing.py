"""How an item airs: its start, its end, and what happens in between. The same words on every way in and out."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Instant, Line, Schema

Kind = Literal["clip", "live", "slate", "comment"]
"""A comment takes no time and never airs."""
StartMode = Literal["follow", "hold", "fixed"]
"""``follow`` starts when the item before it ends, ``hold`` waits for a take, ``fixed`` starts at ``fixed_at``."""
FixedKind = Literal["hard", "soft"]
LatePolicy = Literal["now", "join", "drop"]
EndMode = Literal["duration", "at", "take"]
BeforeFixed = Literal["truncate", "drop", "run_on"]
HoldShow = Literal["last_frame", "slate", "loop"]
Logo = Literal["inherit", "on", "off"]
Meant = Literal["black", "freeze", "silence"]
Category = Annotated[Line, Field(max_length=40)]
"""A traffic system's or the station's own word for a sort of items, such as ``commercial``; empty: none."""

Millis = Annotated[int, Field(ge=0, le=7 * 86_400_000)]
Repeat = Annotated[int, Field(ge=0, le=100_000)]
Gain = Annotated[int, Field(ge=-10_000, le=2_000)]
Block = Annotated[Line, Field(min_length=1, max_length=80)]
DayTimeText = Annotated[str, Field(max_length=40, examples=["20:15:00", "25:30:00", "2026-03-29 02:30:00"])]


class Airing(Schema):
    """``fixed_kind``: hard cuts, soft waits for what is on air to end. A fixed start that comes later than
    ``late_limit_ms`` starts ``now``, is ``join``ed where it would be by then, or is ``drop``ped. ``end_mode``: after
    its duration, ``at`` the instant ``end_at``, or by a ``take``. ``before_fixed``: what this item does when a fixed
    start stands in its way. ``repeat``: how often it airs, 0 until taken. ``gain_mb``: hundredths of a dB.
    ``hold_timeout_ms`` null is the channel's. ``logo``: ``inherit`` is as the channel's logo says of the item's
    ``category``, else of all items.
    """

    fixed_kind: FixedKind = "hard"
    late_policy: LatePolicy = "now"
    late_limit_ms: Millis = 0
    end_mode: EndMode = "duration"
    before_fixed: BeforeFixed = "truncate"
    expendable: bool = False
    hold_show: HoldShow = "last_frame"
    hold_timeout_ms: Millis | None = None
    repeat: Repeat = 1
    gain_mb: Gain = 0
    meant: tuple[Meant, ...] = ()
    logo: Logo = "inherit"
    category: Category = ""
    captions: bool = True


class AiringPatch(Schema):
    """Only what is given changes."""

    fixed_kind: FixedKind | None = None
    late_policy: LatePolicy | None = None
    late_limit_ms: Millis | None = None
    end_mode: EndMode | None = None
    before_fixed: BeforeFixed | None = None
    expendable: bool | None = None
    hold_show: HoldShow | None = None
    hold_timeout_ms: Millis | None = None
    repeat: Repeat | None = None
    gain_mb: Gain | None = None
    meant: tuple[Meant, ...] | None = None
    logo: Logo | None = None
    category: Category | None = None
    captions: bool | None = None


class Times(Schema):
    """The instants of an item. As ``*_time`` they are given as a time of the broadcast day of the channel that plays
    the list: ``HH:MM:SS`` or ``HH:MM:SS:FF``, hours to 29, after what stands above it."""

    fixed_at: Instant | None = None
    fixed_time: DayTimeText | None = None
    end_at: Instant | None = None
    end_time: DayTimeText | None = None
    block: Block | None = None
    block_until: Instant | None = None
    block_until_time: DayTimeText | None = None
