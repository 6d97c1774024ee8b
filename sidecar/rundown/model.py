"""The words between the rundown clock and whoever drives it: what is wanted, what is there, what is shown."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sidecar.protocol.asrun import Proof, RecordKind
from sidecar.protocol.channel import Item
from sidecar.protocol.status import Picture


@dataclass(frozen=True, slots=True)
class Airing:
    """One intention to air one item; ``number`` is never given twice in a run, though the item may come again.

    ``first_frame`` channel frames of the item are passed over (a resume, a join in progress).
    """

    number: int
    item: Item
    first_frame: int = 0

    @property
    def planned_frames(self) -> int | None:
        """Channel frames it is to air; None when that is to its source's end."""
        duration = self.item.duration_frames
        return None if duration is None else max(0, duration - self.first_frame)


class Supply(enum.Enum):
    """What an airing's source could give at this instant."""

    OPENING = "opening"
    READY = "ready"  # at least the frame that is due is decoded
    DRY = "dry"  # opened, but the frame that is due is not there: slow or hung
    ENDED = "ended"  # every frame was taken
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceView:
    supply: Supply
    error: str = ""
    frames_ahead: int = 0


Sources: TypeAlias = Callable[[Airing], SourceView]


_TROUBLE = frozenset({"failed", "no data", "too late"})


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the as-run log will say about ``frame``; the journal adds run, number, time and chain."""

    kind: RecordKind
    frame: int
    airing: Airing | None = None
    cause: str = ""
    by: str = ""
    detail: str = ""
    frames: int | None = None
    late: int | None = None
    predicted: int | None = None
    """Of an item's start: the frame at which it was to begin, as it looked when the item before it began."""
    proof: Proof = ""

    @property
    def could_not_air(self) -> bool:
        """An item did not air and somebody may want to know; not where a person, or the list, wanted it so."""
        return self.kind == "item_skipped" and self.cause in _TROUBLE


FrameAction = Literal["source", "repeat", "slate"]
"""Take the next frame of the airing's source, show the last picture again, or show the slate."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What output frame ``frame`` shows: every frame has exactly one."""

    frame: int
    action: FrameAction
    picture: Picture
    airing: Airing | None
    position: int  # channel frames into the airing's item, 0 where there is none
    silent: bool  # no sound of the source goes out with it
    late: bool  # a repeat because nothing new was there in time
    reason: str
    facts: tuple[Fact, ...]
