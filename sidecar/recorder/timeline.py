"""Frame numbers of a recording: one for every picture that came, and for every one that should have. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MOST_SKIPPED: Final = Fraction(10)
"""Seconds: a larger step of an input's clock is another clock, and says nothing about time."""


@dataclass(frozen=True, slots=True)
class Placed:
    """``frame`` is the picture's number since the recording began, ``missed`` how many are missing before it,
    ``shift`` what is added to the input's own time to get the recording's, in seconds."""

    frame: int
    missed: int
    shift: Fraction


class Timeline:
    """``rate`` is the input's. What it calls ``now`` is seconds on a clock of this machine that never steps."""

    def __init__(self, rate: Fraction) -> None:
        self.rate = rate
        self._next = 0
        self._dts: Fraction | None = None
        """Of the last picture, on the input's clock; None when the next one begins another."""
        self._shift = Fraction(0)
        self._end: Fraction | None = None
        """Recording time at which the next picture is due; None before the first."""
        self._came = 0.0

    @property
    def next_frame(self) -> int:
        return self._next

    def restart(self, rate: Fraction) -> None:
        """Another connection: another clock, and perhaps another rate."""
        self._dts = None
        self.rate = rate

    def place(self, dts: Fraction, now: float) -> Placed:
        """The next picture, decoded in this order."""
        step = None if self._dts is None else dts - self._dts
        if step is not None and (step <= 0 or step > MOST_SKIPPED):
            step = None
        if self._end is None:
            # The first of all: the recording's time is the input's.
            missed, self._end = 0, dts
        elif step is not None:
            missed = max(0, round(step * self.rate) - 1)
        else:
            # Another clock: what is missing is what our own says.
            missed = max(0, round(Fraction(now - self._came) * self.rate) - 1)
        if step is None:
            self._shift = self._end + missed / self.rate - dts
        frame = self._next + missed
        self._next, self._dts, self._came = frame + 1, dts, now
        self._end = dts + self._shift + 1 / self.rate
        return Placed(frame, missed, self._shift)

    def missing(self, now: float) -> int:
        """How many pictures should have come by now and did not."""
        return 0 if self._end is None else max(0, round(Fraction(now - self._came) * self.rate) - 1)

    def pass_over(self, frames: int, now: float) -> None:
        """They are counted as lost: the next picture comes after them."""
        self._next += frames
        if self._end is not None:
            self._end += frames / self.rate
        self._dts, self._came = None, now
