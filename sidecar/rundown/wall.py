"""The wall clock in output frames: the only way in which the time of day reaches the rundown clock."""

from dataclasses import dataclass
from fractions import Fraction

from sidecar.rundown.rate import due_ns

_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Wall:
    """Frame 0 is due at ``origin_ns``, UTC in nanoseconds."""

    origin_ns: int
    rate: Fraction

    def frame_at(self, instant_ns: int) -> int:
        """The frame that is due nearest to an instant; of two equally near the later. Negative before the origin."""
        return (2 * (instant_ns - self.origin_ns) * self.rate.numerator + self.rate.denominator * _S) // (
            2 * self.rate.denominator * _S
        )

    def instant(self, frame: int) -> int:
        return self.origin_ns + due_ns(frame, self.rate)

    def seen(self, frame: int, wall_ns: int) -> "Wall":
        """``frame`` is due at ``wall_ns`` now: another wall where that is half a frame or more off, so that what the
        clock's own jitter does moves nothing."""
        off = wall_ns - self.instant(frame)
        if 2 * abs(off) * self.rate.numerator < self.rate.denominator * _S:
            return self
        return Wall(self.origin_ns + off, self.rate)
