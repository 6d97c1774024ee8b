"""When a source's frames are on screen: its rate, jumping time stamps, and sample-and-hold. Nothing here does I/O."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")

_COMMON_RATES = tuple(
    Fraction(*rate)
    for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)
_FALLBACK_RATE = Fraction(25)


def source_rate(average: Fraction | None, base: Fraction | None) -> Fraction:
    """The rate at which a source's frames are numbered.

    ``average`` is frames over duration as the container tells; ``base`` the lowest rate that holds all time stamps
    (FFmpeg's ``avg_frame_rate`` and ``r_frame_rate``). A first or last frame of odd length makes an average of
    24.98 out of 25, so the base wins where both nearly agree; a variable rate keeps its average.
    """
    rate = average or base
    if not rate or rate <= 0 or rate > 1000:
        rate = base if base and 0 < base <= 1000 else _FALLBACK_RATE
    if base and 0 < base <= 240 and abs(rate - base) * 100 < base:
        rate = base
    for common in _COMMON_RATES:
        if abs(rate - common) * 10_000 < common:
            return common
    return rate.limit_denominator(100_000)


def grid_time(ticks: int, time_base: Fraction, rate: Fraction) -> Fraction:
    """Seconds after the first frame, put on the exact grid of ``rate`` where rounding to ``time_base`` moved it off.

    Matroska writes milliseconds: frame 1 at 24 frames a second is at 42 ms and not at 1/24 s. One and a half ticks
    are taken for rounding, but never more than a quarter of a frame.
    """
    # In whole numbers, for it is asked for every frame: ticks are numerator / denominator frames of the rate.
    numerator = ticks * time_base.numerator * rate.numerator
    denominator = time_base.denominator * rate.denominator
    nearest = (2 * numerator + denominator) // (2 * denominator)
    off = abs(numerator - nearest * denominator)
    if off * 2 <= 3 * time_base.numerator * rate.numerator and off * 4 <= denominator:
        return Fraction(nearest * rate.denominator, rate.numerator)
    return ticks * time_base


class Continuity:
    """Takes jumps out of a file's time stamps: joined recordings, a clock that wrapped or was set.

    A jump is more than ``backward`` seconds back or ``forward`` ahead of where the stream should go on. All streams
    jump by the same amount but not at the same packet, so each goes on with the known offset that fits it best.
    """

    def __init__(self, backward: float = 1.0, forward: float = 10.0) -> None:
        self._backward = backward
        self._forward = forward
        self._offsets = [0.0]
        self._expected: dict[int, float] = {}

    def reset(self) -> None:
        """After a seek: the next packet of every stream is taken as it comes."""
        self._offsets = [0.0]
        self._expected.clear()

    def offset(self, stream: int, time: float, duration: float) -> float:
        """What to add to the time stamps of a packet that is decoded at ``time``, all in seconds."""
        expected = self._expected.get(stream)
        if expected is None:
            chosen = self._offsets[-1]
        else:
            known = [offset for offset in self._offsets if self._follows(time + offset, expected)]
            if known:
                chosen = min(known, key=lambda offset: abs(time + offset - expected))
            else:
                chosen = expected - time
                self._offsets = [*self._offsets[-3:], chosen]
        self._expected[stream] = time + chosen + duration
        return chosen

    def _follows(self, time: float, expected: float) -> bool:
        return expected - self._backward <= time <= expected + self._forward


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A frame that comes on screen ``position`` output frames after the item's zero."""

    position: Fraction
    frame: T


class SampleAndHold(Generic[T]):
    """Which source frame every output frame shows: the one on screen at ``m / rate`` seconds.

    ``first`` output frames are passed over. The item ends at the output frame nearest to its last frame's end,
    halves up, so that its length is ``sidecar.rundown.rate.converted_frames`` of its source frames.
    """

    def __init__(self, rate: Fraction, first: int) -> None:
        self._rate = rate
        self.index = first
        self.length = 0
        """Output frames up to the end of what was offered so far: at least 1, but 0 if that lies before zero."""
        self._current: Timed[T] | None = None
        self._following: deque[Timed[T]] = deque()
        self._finished = False

    def offer(self, time: Fraction, until: Fraction, frame: T) -> None:
        """``frame`` is on screen from ``time`` to ``until`` or to the next frame; offered in order of time."""
        ends = until * self._rate
        if ends > 0:
            rounded = (2 * ends.numerator + ends.denominator) // (2 * ends.denominator)
            self.length = max(1, self.length, rounded)
        self._following.append(Timed(time * self._rate, frame))
        self._move_up()

    def finish(self) -> None:
        """No frame follows the last one offered."""
        self._finished = True

    @property
    def ended(self) -> bool:
        """The item has no more output frames."""
        return self._finished and self.index >= self.length

    @property
    def decided(self) -> bool:
        """Nothing that may still be offered changes what the next output frame shows."""
        return self.length > self.index and (self._finished or bool(self._following))

    def next(self) -> T | None:
        """What the next output frame shows; None before the first frame was offered."""
        shown = self._current or (self._following[0] if self._following else None)
        self.index += 1
        self._move_up()
        return shown.frame if shown else None

    def _move_up(self) -> None:
        while self._following and self._following[0].position <= self.index:
            self._current = self._following.popleft()
