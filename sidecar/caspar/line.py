"""Where in time the frames of a server are, which tells no number of them: the earliest line through all looks at it.

Pure. Nanoseconds are of the monotonic clock.
"""

from fractions import Fraction
from typing import Final

from sidecar.rundown.rate import due_ns

_NS: Final = 1_000_000_000
_CREEP_NS: Final = 1_000_000
"""So much the line gives at every look that finds the server behind it by less than two frames: two clocks never agree,
and a look is a little late itself."""


class Line:
    """Frame n is due at ``base + n / rate``."""

    def __init__(self, rate: Fraction, base_ns: int) -> None:
        self._rate = rate
        self._base_ns = base_ns

    def due(self, frame: int) -> int:
        return self._base_ns + due_ns(frame, self._rate)

    def frames_at(self, now_ns: int) -> int:
        """How many frames have begun by then."""
        passed = now_ns - self._base_ns
        return passed * self._rate.numerator // (self._rate.denominator * _NS) + 1

    def seen(self, frames: int, now_ns: int) -> None:
        """``frames`` had gone out by then, as the server told."""
        ahead = frames - self.frames_at(now_ns)
        if ahead > 0:
            self._base_ns -= due_ns(ahead, self._rate)
        elif ahead < 0:
            self._base_ns += min(_CREEP_NS, due_ns(-ahead, self._rate))

    def pass_over(self, frames: int) -> None:
        """The server stood still for so long."""
        self._base_ns += due_ns(frames, self._rate)
