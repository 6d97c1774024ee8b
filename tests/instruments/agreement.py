"""Does a decoded output show what the as-run log says, frame by frame?

The log is taken as it is exported: one mapping a record, by the names of its columns. What each output frame must show
follows from the records alone; what it does show is read from the cells of numbered clips. Imports nothing of ours.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from tests.instruments.frame_cells import Seen

Record = Mapping[str, object]
Kind = Literal["item", "filler", "freeze", "lost"]
EDGES: Mapping[str, tuple[Kind, bool]] = {
    "item_start": ("item", True),
    "item_end": ("item", False),
    "filler_start": ("filler", True),
    "filler_end": ("filler", False),
    "freeze_start": ("freeze", True),
    "freeze_end": ("freeze", False),
    "live_lost": ("lost", True),
    "live_back": ("lost", False),
}
"""Which records begin or end what."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """What airs under a title. ``in_frames``: frames of the source its trim leaves out. ``live``: its numbers grow, but
    where it was joined nobody can know."""

    clip: int
    rate: Fraction
    in_frames: int = 0
    live: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Output frames ``start`` up to ``end``; ``first`` is how many frames of the item come before them."""

    kind: Kind
    start: int
    end: int
    title: str = ""
    first: int = 0


@dataclass(slots=True)
class Agreement:
    frames: int = 0
    by_kind: dict[str, int] = field(default_factory=dict[str, int])
    disagreements: int = 0
    faults: list[str] = field(default_factory=list[str])
    """The first fifty disagreements."""

    def fault(self, text: str) -> None:
        self.disagreements += 1
        if len(self.faults) < 50:
            self.faults.append(text)


def spans_of(records: Iterable[Record]) -> list[Span]:
    """One run's records, in order, as spans without a gap. Raises ValueError where the log leaves a frame unowned.

    A freeze, or the time in which a live input is lost, lies within an item, or after one; what it covers is its own.
    """
    spans: list[Span] = []
    begun: dict[Kind, Record] = {}
    for record in records:
        edge = EDGES.get(str(record["kind"]))
        if edge is None:
            continue
        kind, begins = edge
        if begins:
            begun[kind] = record
            continue
        began = begun.pop(kind, None)
        if began is None:
            raise ValueError(f"an end without a start: {record}")
        spans += _span(kind, began, _int(record["frame"]))
    spans.sort(key=lambda span: (span.start, span.end))
    return _flat(spans)


def _span(kind: Kind, began: Record, end: int) -> list[Span]:
    start = _int(began["frame"])
    if end <= start:
        return []
    return [Span(kind, start, end, str(began.get("title") or ""), _int(began.get("in_frames") or 0))]


def _flat(spans: Sequence[Span]) -> list[Span]:
    """Freezes cut out of the items they lie in: the item goes on after it where it stood."""
    freezes = [span for span in spans if span.kind in ("freeze", "lost")]
    flat: list[Span] = []
    for span in spans:
        if span in freezes:
            flat.append(span)
            continue
        at, first = span.start, span.first
        for freeze in freezes:
            if freeze.end <= at or freeze.start >= span.end:
                continue
            if freeze.start > at:
                flat.append(Span(span.kind, at, freeze.start, span.title, first))
                first += freeze.start - at
            at = freeze.end
        if at < span.end:
            flat.append(Span(span.kind, at, span.end, span.title, first))
    flat.sort(key=lambda span: span.start)
    for before, after in itertools.pairwise(flat):
        if before.end != after.start:
            raise ValueError(f"between {before} and {after} frames have no owner, or two")
    return flat


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"not a number of frames: {value!r}")
    return value


def agree(
    seen: Iterable[tuple[int, Seen]], spans: Sequence[Span], known: Mapping[str, Numbered], rate: Fraction
) -> Agreement:
    """``seen`` are (output frame, what it shows) in order; frames beyond the last span are not judged.

    A title that is not ``known`` is a picture without cells: a still, a slate.
    """
    result = Agreement()
    at = 0
    last: Seen | None = None
    live_number = -1
    for frame, shown in seen:
        while at < len(spans) and spans[at].end <= frame:
            at, live_number = at + 1, -1
        if at == len(spans):
            break
        span = spans[at]
        if frame < span.start:
            continue
        result.frames += 1
        result.by_kind[span.kind] = result.by_kind.get(span.kind, 0) + 1
        numbered = known.get(span.title)
        if span.kind == "freeze":
            if last is not None and (shown.clip, shown.number) != (last.clip, last.number):
                result.fault(f"frame {frame}: frozen, but shows {_told(shown)} after {_told(last)}")
        elif span.kind == "lost":
            if shown.clip is not None and last is not None and (shown.clip, shown.number) != (last.clip, last.number):
                result.fault(f"frame {frame}: its input is lost, but shows {_told(shown)} after {_told(last)}")
        elif numbered is None:
            if shown.clip is not None:
                result.fault(f"frame {frame}: {span.kind} {span.title!r}, but shows {_told(shown)}")
        elif numbered.live:
            if shown.clip != numbered.clip or shown.number is None or shown.number < live_number:
                result.fault(f"frame {frame}: live {span.title!r}, but shows {_told(shown)} after {live_number}")
            live_number = shown.number if shown.number is not None else live_number
        else:
            into = span.first + frame - span.start
            due = numbered.in_frames + int(into * numbered.rate / rate)
            if (shown.clip, shown.number) != (numbered.clip, due):
                result.fault(f"frame {frame}: {span.title!r} frame {due}, but shows {_told(shown)}")
        if span.kind != "lost" or shown.clip is not None:
            last = shown
    return result


def _told(shown: Seen) -> str:
    return "no cells" if shown.clip is None else f"clip {shown.clip} frame {shown.number}"
