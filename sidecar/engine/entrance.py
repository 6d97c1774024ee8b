"""The way onto the air: the place in the list that an arm names is found before the first frame leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from sidecar.engine.pacing import NS, PlayoutTime
from sidecar.engine.source_pool import SourcePool
from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.forecast import advance
from sidecar.rundown.rate import frames_in
from sidecar.rundown.wall import Wall

PATIENCE_NS = NS
"""How long the first frame waits for its picture; then the air begins without, and filler says why."""
_REACH_S = 1
"""So much decoding is sooner done than opening the same clip anew."""
_PASS_NS = 5_000_000


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where the air begins: with ``point``, or, ``at_ns`` (UTC) given, with what the list has come to from there.

    ``at_ns`` is the instant at which the frame at ``point`` is due. An instant still to come counts as now.
    """

    point: ResumePoint
    at_ns: int | None = None

    def target(self, playlist: Playlist, rate: Fraction, wall_ns: int) -> ResumePoint | None:
        """The frame that is due at ``wall_ns``; ``point`` itself where the list's arithmetic cannot tell.

        None when ``point`` is in no item of the list, or behind the end of one that nothing follows by itself.
        """
        passed = 0 if self.at_ns is None else max(0, wall_ns - self.at_ns)
        frames = passed * rate.numerator // (rate.denominator * NS)
        wall = None if self.at_ns is None else Wall(self.at_ns, rate)
        return advance(playlist, self.point, frames, wall=wall) or advance(playlist, self.point, 0)


class Entering:
    """One entrance, in the playout thread. Frames that are decoded and not wanted are dropped; farther off, or behind,
    the source is opened anew."""

    def __init__(
        self, entrance: Entrance, rundown: RundownClock, pool: SourcePool, rate: Fraction, time: PlayoutTime
    ) -> None:
        self._entrance = entrance
        self._rundown = rundown
        self._pool = pool
        self._rate = rate
        self._time = time
        self._aimed: int | None = None  # the number of the airing that is to be the first
        self._is_given_up = False

    def run(self, is_cancelled: Callable[[], bool]) -> int:
        """Blocks until the air can begin, at most ``PATIENCE_NS``; the instant at which frame 0 is due, monotonic."""
        until = self._time.monotonic_ns() + PATIENCE_NS
        while True:
            now_ns, wall_ns = self._time.monotonic_ns(), self._time.wall_ns()
            self._rundown.prepare(self._pool.view, wall_ns)
            is_there = self._aim(wall_ns)
            self._pool.sync(self._rundown.wanted())
            if (is_there and self._is_ready()) or now_ns >= until or is_cancelled():
                return now_ns
            self._time.sleep_until(now_ns + _PASS_NS)

    def _is_ready(self) -> bool:
        coming = self._rundown.next_item(self._pool.view)
        return coming is None or coming.ready

    def _aim(self, wall_ns: int) -> bool:
        """Brings the first airing nearer to what is due at ``wall_ns``; whether it begins with that very frame."""
        if self._is_given_up or self._rundown.is_cued:
            return True
        first = self._rundown.first
        if self._aimed is not None and (first is None or first.number != self._aimed):
            self._is_given_up = True  # it cannot be played, and was passed over
            return True
        target = self._entrance.target(self._rundown.playlist, self._rate, wall_ns)
        if target is None:
            self._rundown.begin_with(self._entrance.point)
            self._is_given_up = True
            return True
        ahead = None if first is None or first.item.id != target.item_id else target.frame - first.first_frame
        if first is None or ahead is None or not 0 <= ahead <= self._reach():
            self._rundown.begin_with(target)
            first = self._rundown.first
            self._aimed = None if first is None else first.number
            return True
        self._aimed = first.number
        dropped = ahead if first.item.kind in ("slate", "live") else self._pool.drop(first, ahead, self._rate)
        self._rundown.begin_later(dropped)
        return dropped == ahead

    def _reach(self) -> int:
        first = self._rundown.first
        ahead = 0 if first is None else self._pool.view(first).frames_ahead
        return ahead + frames_in(_REACH_S, self._rate)
