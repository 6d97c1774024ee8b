"""Layers in ticks: what INFO says is on one, and what truly airs. They differ where a clip is dead."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from tests.doubles.caspar.manners import Manners

ENDLESS_LEFT = 4294967294


@dataclass
class Feed:
    """What sends to an address, from and until which ticks. ``waits``: who opened it before gets what comes, as of
    datagrams and listeners; else it is refused, and broken for good once it falls silent."""

    spans: list[tuple[int, int | None]] = field(default_factory=list[tuple[int, int | None]])
    waits: bool = False

    def begin(self, tick: int) -> None:
        self.spans.append((tick, None))

    def end(self, tick: int) -> None:
        self.spans[-1] = self.spans[-1][0], tick

    def given(self, since: int, now: int) -> int:
        """Ticks of it that somebody got who opened it at ``since``."""
        got = 0
        for first, last in self.spans:
            end = now if last is None else min(last, now)
            if self.waits or first <= since < end:
                got += max(0, end - max(first, since))
        return got


@dataclass(frozen=True)
class Clip:
    """``dead``: a file that opens with 202 and never gives a frame. ``ticks`` at the channel's rate."""

    path: str
    ticks: int = 0
    kind: Literal["file", "dead", "still", "colour", "live"] = "file"
    sound: bool = True
    feed: Feed = field(default_factory=Feed)


@dataclass
class Playing:
    """A clip on one side of a layer; ``at`` is its position in ticks of the file when ``since`` was the tick."""

    clip: Clip
    at: int
    in_: int
    length: int | None
    loop: bool = False
    since: int = 0
    paused: bool = False
    auto: bool = False
    transition: int = 0

    @property
    def end(self) -> int | None:
        """The tick of the file that it stops before; None for what has no end."""
        if self.clip.kind != "file":
            return None
        return self.in_ + (self.clip.ticks - self.in_ if self.length is None else self.length)

    def position(self, now: int) -> int:
        """As ``file/time`` tells it; frozen at the end, wrapped in a loop."""
        if self.clip.kind == "dead":
            return 0
        if self.clip.kind == "live":
            return self.at if self.paused else self.at + self.clip.feed.given(self.since, now)
        moved = self.at if self.paused else self.at + max(0, now - self.since)
        if self.end is None:
            return moved
        if self.loop and self.end > self.in_:
            return self.in_ + (moved - self.in_) % (self.end - self.in_)
        return min(moved, self.end, self.clip.ticks)

    def ends_at(self) -> int | None:
        """The tick of the channel at which it has no frame left; None when that never comes."""
        if self.end is None or self.loop or self.paused or self.end > self.clip.ticks or self.at > self.clip.ticks:
            return None
        return self.since + max(0, self.end - self.at)

    def hold(self, now: int, *, paused: bool) -> None:
        if paused != self.paused:
            self.at, self.since, self.paused = self.position(now), now, paused


@dataclass(frozen=True)
class Aired:
    """From ``tick`` on the screen shows ``path`` from its tick ``at``; an empty path is black."""

    tick: int
    path: str
    at: int


@dataclass
class Layer:
    """``air``: what a receiver would have seen, which is the truth that tests compare with."""

    manners: Manners
    foreground: Playing | None = None
    background: Playing | None = None
    paused_flag: bool = False
    air: list[Aired] = field(default_factory=list[Aired])

    def advance(self, now: int) -> None:
        """Does every AUTO that came due by ``now``."""
        while self.foreground is not None and self.background is not None and self.background.auto:
            due = self.foreground.ends_at()
            if due is None or self.manners.auto_hangs:
                return
            due += self.manners.auto_late_ticks - self.background.transition
            if due > now:
                return
            self._take(due)

    def play(self, now: int, what: Playing | None) -> None:
        """``PLAY``: of ``what``, else of the background, else it only lets go of a pause."""
        self.advance(now)
        if what is not None:
            self.background = what
        if self.background is not None:
            self._take(now)
        self.paused_flag = False
        if self.foreground is not None:
            self.foreground.hold(now, paused=False)

    def load(self, now: int, what: Playing) -> None:
        self.play(now, what)
        assert self.foreground is not None
        self.foreground.at, self.foreground.since = what.at, now
        self.foreground.hold(now, paused=True)

    def cue(self, now: int, what: Playing) -> None:
        """``LOADBG``: on an empty layer, or after the clip's end, an AUTO plays at once."""
        self.advance(now)
        self.background = what
        ended = self.foreground is None or (
            (ends := self.foreground.ends_at()) is not None and ends <= now and not self.manners.auto_hangs
        )
        if what.auto and ended:
            self._take(now)

    def swap(self, now: int, other: "Layer") -> None:
        """Content and background; what the MIXER was told of a layer stays there."""
        for one in (self, other):
            one.advance(now)
        self.foreground, other.foreground = other.foreground, self.foreground
        self.background, other.background = other.background, self.background
        self.paused_flag, other.paused_flag = other.paused_flag, self.paused_flag
        for one in (self, other):
            front = one.foreground
            one.air.append(Aired(now, "", 0) if front is None else Aired(now, front.clip.path, front.position(now)))

    def stop(self, now: int) -> None:
        self.advance(now)
        self.foreground = None
        if self.background is not None:
            self.background.auto = False
        self.air.append(Aired(now, "", 0))

    def ticks_left(self, now: int) -> int | None:
        """``frames_left``, which stands only while an AUTO is pending."""
        if self.foreground is None or self.background is None or not self.background.auto:
            return None
        end = self.foreground.end
        if end is None or self.foreground.loop or self.foreground.clip.kind == "dead":
            return ENDLESS_LEFT
        return max(0, end - self.foreground.position(now))

    def _take(self, tick: int) -> None:
        assert self.background is not None
        late = self.manners.opens_late_ticks if self.foreground is None else 0
        self.foreground, self.background = self.background, None
        self.foreground.since, self.foreground.auto = tick + late, False
        if self.foreground.clip.kind not in ("dead", "live"):  # otherwise the old one simply plays on
            self.air.append(Aired(tick + late, self.foreground.clip.path, self.foreground.at))


Library = Callable[[str], Clip | None]
"""The clip of a name as given in a command; None: 404."""


def seconds(ticks: int, rate: Fraction) -> str:
    """As the server prints a double."""
    return f"{float(ticks / rate):.17g}"
