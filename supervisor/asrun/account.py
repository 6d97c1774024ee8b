"""Where every frame of a span went: aired, filler, or off air. Pure, and in one pass however long the span.

A frame's place in the span is counted on a grid of frame times from the span's start. Within a run the engine's own
frame numbers count, and not the clock; between runs, and where a run stood still, the clock is all there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from db.models import AsRunEvent
from sidecar.rundown.rate import parse_rate

GAPS_KEPT: Final = 1000
_RUNS_KEPT: Final = 64
_ROUNDING: Final = 1
"""Frames by which a clock's instant and a count of frames may differ and still mean the same."""

Why = Literal["not started", "stopped", "failover", "moved", "failed", "stalled"]
"""Why nothing aired: before the first run; an operator stopped it; the sidecar was lost and the channel went on
elsewhere or anew; it was moved; it was lost and did not go on with what it aired; it stood still."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What accounting takes of an event. ``frames`` and ``end_at`` None: it is on air."""

    run_id: str
    kind: str
    start_at: datetime
    end_at: datetime | None
    start_frame: int
    frames: int | None
    rate: str
    start_cause: str = "follow"
    end_cause: str | None = None
    status: str = "aired"
    title: str = ""
    is_by_time: bool = False
    """Its engine inferred its start or its end."""

    @classmethod
    def of(cls, event: AsRunEvent) -> "Piece":
        return cls(
            event.run_id,
            event.kind,
            event.start_at,
            event.end_at,
            event.start_frame,
            event.frames,
            event.rate,
            event.start_cause,
            event.end_cause,
            event.status,
            event.title,
            "inferred" in (event.start_proof, event.end_proof),
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """``frames`` frame times from ``at`` on in which nothing aired."""

    at: datetime
    frames: int
    why: Why


@dataclass(slots=True)
class Totals:
    """All in frames of the span's rate. ``span`` is ``aired + filler + off_air + unaccounted``, always.

    ``unaccounted``: frames of a run that are in no event. ``twice``: frames in which more than one event aired, counted
    once above. ``stepped``: frames by which the clock was set back while a run aired. ``standby`` and ``held`` are
    parts of ``filler``. ``proven`` is what of ``aired`` and ``filler`` the engine itself ended in its records, and
    ``by_time`` what it ended there too, though it was not told of all of it.
    """

    span: int = 0
    aired: int = 0
    filler: int = 0
    standby: int = 0
    held: int = 0
    off_air: int = 0
    unaccounted: int = 0
    twice: int = 0
    stepped: int = 0
    proven: int = 0
    by_time: int = 0
    events: int = 0
    gaps: list[Gap] = field(default_factory=list[Gap])
    """The first of them, at most ``GAPS_KEPT``."""
    off_air_by: dict[Why, int] = field(default_factory=dict[Why, int])

    @property
    def inferred(self) -> int:
        """What aired or was filler by an event whose end no record has."""
        return self.aired + self.filler - self.proven - self.by_time

    @property
    def adds_up(self) -> bool:
        return self.span == self.aired + self.filler + self.off_air + self.unaccounted


@dataclass(slots=True)
class _Run:
    frame: int
    """One past the last frame that is accounted for."""
    grid: int
    """Where that is in the span."""
    back: int = 0
    """Frames by which the clock was set back since it began."""


class Account:
    """Feed it every event that touches the span, in order of start, then ``close``.

    ``until``: now, for a span that is still running: what comes after it is not counted at all, aired or off air.
    """

    def __init__(self, start: datetime, end: datetime, rate: str, until: datetime | None = None) -> None:
        self._start, self._rate, self._rate_text = start, parse_rate(rate), rate
        self._size = max(0, self._grid(end if until is None else min(until, end)))
        self._cursor = 0
        self._runs: dict[str, _Run] = {}
        self._last: Piece | None = None
        self._open: Piece | None = None
        self._totals = Totals(span=self._size)

    def add(self, piece: Piece) -> None:
        if piece.kind == "skipped":
            return
        self._settle(self._grid(piece.start_at))
        if piece.end_at is None:
            self._open = piece
            return
        self._add(piece, None)

    def close(self) -> Totals:
        self._settle(self._size)
        self._gap(self._size, self._why(None))
        return self._totals

    def _settle(self, at: int) -> None:
        """What has no end aired until something else began; of a lost journal nobody knows more."""
        piece, self._open = self._open, None
        if piece is not None:
            self._add(piece, at)

    def _add(self, piece: Piece, open_until: int | None) -> None:
        run = self._runs.pop(piece.run_id, None)
        at = self._grid(piece.start_at)
        if run is None:
            run = _Run(piece.start_frame, at)
        elif piece.rate == self._rate_text:
            at = self._go_on(piece, run, at)
        frames = self._frames(piece, at, open_until)
        self._count(piece, at, at + frames)
        over = at + frames
        if piece.end_at is not None and piece.rate == self._rate_text:
            over = self._stood(run, self._grid(piece.end_at), over)
        number = piece.start_frame + (piece.frames if piece.frames is not None else frames)
        self._runs[piece.run_id] = _Run(number, over, run.back)
        if len(self._runs) > _RUNS_KEPT:
            del self._runs[next(iter(self._runs))]
        self._last = piece

    def _go_on(self, piece: Piece, run: _Run, clock: int) -> int:
        """Where a run's next event begins, after what is between it and the one before."""
        hole = piece.start_frame - run.frame
        at = run.grid + hole
        if hole > 0:
            begin = max(run.grid, self._cursor)
            self._gap(begin, self._why(piece))
            lost = max(0, min(at, self._size) - max(begin, 0))
            self._totals.unaccounted += lost
            self._cursor = max(self._cursor, min(at, self._size))
        return self._stood(run, clock, at)

    def _stood(self, run: _Run, clock: int, count: int) -> int:
        """The later of what the clock and what the frames say, if they differ by more than rounding."""
        clock += run.back
        if clock > count + _ROUNDING:
            self._gap(clock, "stalled")
            return clock
        if clock < count - _ROUNDING:
            self._totals.stepped += count - clock
            run.back += count - clock
        return count

    def _frames(self, piece: Piece, at: int, open_until: int | None) -> int:
        if open_until is not None or piece.end_at is None:
            return max(0, (self._size if open_until is None else open_until) - at)
        if piece.frames is not None and piece.rate == self._rate_text:
            return piece.frames
        return max(0, self._grid(piece.end_at) - at)

    def _count(self, piece: Piece, begin: int, end: int) -> None:
        begin, end = max(0, min(begin, self._size)), max(0, min(end, self._size))
        self._gap(begin, self._why(piece))
        totals = self._totals
        totals.events += 1
        totals.twice += max(0, min(end, self._cursor) - begin)
        frames = max(0, end - max(begin, self._cursor))
        self._cursor = max(self._cursor, end)
        if piece.kind == "item":
            totals.aired += frames
        else:
            totals.filler += frames
        if piece.start_cause == "standby":
            totals.standby += frames
        elif piece.start_cause == "hold":
            totals.held += frames
        if piece.end_at is not None and piece.status != "unknown end":
            totals.by_time += frames if piece.is_by_time else 0
            totals.proven += 0 if piece.is_by_time else frames

    def _gap(self, until: int, why: Why) -> None:
        """Nothing aired from where everything is accounted for up to ``until``."""
        until = max(0, min(until, self._size))
        frames = until - self._cursor
        if frames <= 0:
            return
        totals = self._totals
        totals.off_air += frames
        totals.off_air_by[why] = totals.off_air_by.get(why, 0) + frames
        if len(totals.gaps) < GAPS_KEPT:
            totals.gaps.append(Gap(self._start + self._span(self._cursor), frames, why))
        self._cursor = until

    def _why(self, following: Piece | None) -> Why:
        last = self._last
        if last is None:
            return "not started"
        lost = last.status == "unknown end" or last.end_at is None
        if following is not None and following.start_cause == "resume":
            return "failover" if lost else "moved"
        return "failed" if lost else "stopped"

    def _grid(self, at: datetime) -> int:
        microseconds = (at - self._start) // timedelta(microseconds=1)
        return round(Fraction(microseconds, 1_000_000) * self._rate)

    def _span(self, frames: int) -> timedelta:
        return timedelta(microseconds=round(Fraction(frames * 1_000_000) / self._rate))


def account(
    pieces: Iterable[Piece], start: datetime, end: datetime, rate: str, until: datetime | None = None
) -> Totals:
    """All at once."""
    counting = Account(start, end, rate, until)
    for piece in pieces:
        counting.add(piece)
    return counting.close()
