"""When frames leave: time as the playout knows it, and the table of due instants."""

import time
from datetime import UTC, datetime
from fractions import Fraction
from typing import Protocol

from sidecar.rundown.rate import due_ns

NS = 1_000_000_000


class PlayoutTime(Protocol):
    """All in nanoseconds. ``monotonic_ns`` never steps; ``wall_ns`` is UTC and may."""

    def monotonic_ns(self) -> int: ...

    def wall_ns(self) -> int: ...

    def sleep_until(self, monotonic_ns: int) -> None:
        """Returns at once when that instant has passed."""
        ...


def instant(wall_ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    text = datetime.fromtimestamp(wall_ns // NS, UTC).replace(microsecond=wall_ns % NS // 1000)
    return text.isoformat(timespec="microseconds").replace("+00:00", "Z")


class SystemTime:
    """The machine's clocks. Sleeping is ``clock_nanosleep``, good to some 0.1 ms."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns()

    def sleep_until(self, monotonic_ns: int) -> None:
        left = monotonic_ns - time.monotonic_ns()
        if left > 0:
            time.sleep(left / NS)  # this is the clock that every frame leaves by


class Timetable:
    """Frame n is due at ``start + (n + skipped) / rate``, in integers: no drift however long it runs.

    A short delay is caught up at once, every frame leaving; ``is_late`` tells which were late by it. After one of more
    than ``patience_ns`` (the process was stopped, the machine slept) whole frame times are passed over, on the same
    grid, instead of racing after the clock.
    """

    def __init__(self, start_ns: int, rate: Fraction, patience_ns: int = NS // 2) -> None:
        self._start_ns = start_ns
        self._rate = rate
        self._patience_ns = patience_ns
        self.skipped = 0
        """Frame times passed over since the start."""

    def due(self, frame: int) -> int:
        """On the monotonic clock, in nanoseconds."""
        return self._start_ns + due_ns(frame + self.skipped, self._rate)

    def is_late(self, frame: int, now_ns: int) -> bool:
        """Whether ``now_ns`` is more than one frame time after ``frame`` was due."""
        return self.due(frame + 1) < now_ns

    def pass_over(self, frame: int, now_ns: int) -> int:
        """Moves ``frame`` to the last due instant before ``now_ns`` when it is overdue beyond patience.

        Returns how many frame times were passed over by this.
        """
        if now_ns - self.due(frame) <= self._patience_ns:
            return 0
        elapsed = now_ns - self._start_ns
        current = elapsed * self._rate.numerator // (self._rate.denominator * NS)
        passed = max(0, current - (frame + self.skipped))
        self.skipped += passed
        return passed
