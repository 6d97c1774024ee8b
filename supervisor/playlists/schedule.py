"""A schedule as a list says it, whoever wrote the list: neutral, exact, and not yet bound to clips or to a channel.

Lengths and places in a clip stay as they were written (a label, frames, seconds) until the clip's rate is known, so
that nothing is rounded twice. Times stay as they were written until a channel's zone and day are known.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

from sidecar.rundown.rate import parse_rate
from supervisor.errors import Invalid
from supervisor.schemas.timecode import is_drop_frame, parse_timecode

LONGEST_CATEGORY: Final = 40
"""Characters."""
MOST: Final = 5000
"""Events of one list."""

_DROPPING: Final = "30000/1001"
"""What a label that drops is counted at where nothing says more: other rates have none."""

Kind = Literal["clip", "live", "slate", "comment"]
StartMode = Literal["follow", "hold", "fixed"]


@dataclass(frozen=True, slots=True)
class Frames:
    """Whole frames at ``rate`` (``"25"``, ``"30000/1001"``); None: at the clip's own."""

    count: int
    rate: str | None = None


@dataclass(frozen=True, slots=True)
class Seconds:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Timecode:
    """An ST 12 label as it was written, ``HH:MM:SS:FF`` or with ``;``, counted at ``rate``; None: at the clip's own."""

    label: str
    rate: str | None = None


Extent = Frames | Seconds | Timecode
"""A length, or a place in a clip counted from its first frame."""


@dataclass(frozen=True, slots=True)
class DayTime:
    """A wall-clock time without a zone, hours to 29. ``day`` None: the list goes on from what stands before it.

    ``frames`` count whole labels of the second at the list's or the channel's rate; ``fraction`` is of a second.
    """

    hours: int
    minutes: int
    seconds: int
    frames: int = 0
    fraction: Fraction = Fraction(0)
    day: date | None = None

    def __str__(self) -> str:
        tail = f":{self.frames:02}" if self.frames else ""
        day = f"{self.day} " if self.day else ""
        return f"{day}{self.hours:02}:{self.minutes:02}:{self.seconds:02}{tail}"


Planned = DayTime | datetime
"""A start as it is planned: a time of a broadcast day, or an aware instant."""


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """One line of a schedule. ``line`` says where in the list it stands, for messages.

    ``traffic_id`` is the traffic system's own id of this airing; ``house_id`` names the clip, ``path`` its file where
    the list knows one. ``end`` is exclusive; with a ``length`` and no ``end`` the clip ends that long after ``begin``.
    ``source`` is what a live event comes from, as the list names it. ``joins_late``: of a fixed start that comes late;
    ``ends_by_take``: whatever its length is. ``after``: the id of the event that it is to follow.
    """

    line: str
    kind: Kind = "clip"
    traffic_id: str | None = None
    house_id: str | None = None
    path: Path | None = None
    source: str | None = None
    title: str | None = None
    planned: Planned | None = None
    start_mode: StartMode = "follow"
    begin: Extent | None = None
    end: Extent | None = None
    length: Extent | None = None
    expendable: bool = False
    category: str = ""
    joins_late: bool = False
    ends_by_take: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """An event that a list of changes takes away."""

    line: str
    traffic_id: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a list holds, in its order. ``refused`` says of everything that is no event why; ``remarks`` of everything
    that is used in part what is not. ``time_zone`` (IANA) and ``day`` are what the list says of its times, if it does.
    ``changes_only``: it is no whole list, and what it does not name stays; only such a list has ``removed``.
    ``ends`` is up to when a whole one holds, by the calendar; None: to the end of its last broadcast day.
    """

    events: tuple[ScheduledEvent, ...]
    refused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    time_zone: str | None = None
    day: date | None = None
    changes_only: bool = False
    removed: tuple[Removed, ...] = ()
    ends: Planned | None = None


@dataclass(slots=True)
class Collecting:
    """What a reader gathers on its way through a list."""

    events: list[ScheduledEvent] = field(default_factory=list[ScheduledEvent])
    refused: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])
    removed: list[Removed] = field(default_factory=list[Removed])
    changes_only: bool = False

    def schedule(self, *, time_zone: str | None = None, day: date | None = None) -> Schedule:
        """Raises Invalid when there is more than one playlist takes."""
        if len(self.events) > MOST:
            raise Invalid(f"{len(self.events)} events are more than the {MOST} a playlist is imported with at once")
        if len(self.removed) > MOST:
            raise Invalid(f"{len(self.removed)} events to remove are more than the {MOST} that a list may hold")
        return Schedule(
            tuple(self.events), tuple(self.refused), tuple(self.remarks), time_zone, day,
            self.changes_only, tuple(self.removed),
        )  # fmt: skip


def frames_at(extent: Extent, rate: Fraction) -> int:
    """The extent as frames at ``rate``: the nearest boundary, halves up. Raises Invalid for a label that is none."""
    match extent:
        case Frames(count, counted):
            return count if counted is None else nearest_frame(Fraction(count) / parse_rate(counted), rate)
        case Seconds(value):
            return nearest_frame(value, rate)
        case Timecode(label, counted):
            own = counted or str(rate)
            if ";" in label and not is_drop_frame(own):
                own = _DROPPING
            try:
                frames = parse_timecode(label, own)
            except ValueError as error:
                raise Invalid(str(error)) from None
            return frames if parse_rate(own) == rate else nearest_frame(Fraction(frames) / parse_rate(own), rate)


def nearest_frame(seconds: Fraction, rate: Fraction) -> int:
    """The frame boundary nearest to ``seconds``, halves up."""
    exact = seconds * rate + Fraction(1, 2)
    return exact.numerator // exact.denominator
