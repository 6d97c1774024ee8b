"""Clips that are not of the list: filler, the ladder's live input, the standby clip. One after the other, for ever."""

from collections.abc import Callable
from fractions import Fraction

from sidecar.protocol.channel import Item
from sidecar.rundown.model import Airing, Sources, Supply
from sidecar.rundown.rate import frames_in

_PAUSE_S = 2
"""A clip that could not be played is not followed by the next at once."""
_PATIENCE_S = 10
"""A clip that gives nothing for so long counts as one that cannot be played."""


class Reel:
    """Shows one clip while the next is open. Frames are output frames."""

    def __init__(self, rate: Fraction, number: Callable[[], int]) -> None:
        """``number`` gives an airing's number, never twice."""
        self._number = number
        self._pause = frames_in(_PAUSE_S, rate)
        self._patience = frames_in(_PATIENCE_S, rate)
        self._items: tuple[Item, ...] = ()
        self._place = 0
        self._position = 0  # frames shown of ``now``
        self._opens_at = 0
        self._dry = 0  # frames in a row that ``now`` did not give
        self._ahead_since = 0
        self._wanted_at = 0
        self.now: Airing | None = None
        self._ahead: Airing | None = None

    def load(self, items: tuple[Item, ...]) -> None:
        """Other clips, from the next on. Those already in it play on."""
        if items == self._items:
            return
        self._items, self._place, self._ahead = items, 0, None
        if self.now is not None and self.now.item not in items:
            self.now = None

    @property
    def is_empty(self) -> bool:
        return not self._items

    def wanted(self, frame: int) -> tuple[Airing, ...]:
        """Whose source is to be open so that there is something to show."""
        if frame > self._wanted_at + 1:  # nobody wanted it meanwhile, and its source is opened anew
            self._ahead_since = frame
        self._wanted_at = frame
        if self._ahead is None and self._items and frame >= self._opens_at:
            self._ahead = Airing(self._number(), self._items[self._place % len(self._items)])
            self._ahead_since = frame
            self._place += 1
        return tuple(airing for airing in (self.now, self._ahead) if airing is not None)

    def frame(self, sources: Sources, frame: int) -> Airing | None:
        """The airing whose next frame is shown; None: it has nothing now. To be asked once for each frame shown."""
        self.wanted(frame)
        self._watch_ahead(sources, frame)
        if self.now is not None and self._is_over(self.now, sources):
            self.now = None
        if self.now is None:
            self._begin(sources)
        if self.now is None:
            return None
        if sources(self.now).supply is not Supply.READY:
            self._dry += 1
            return None
        self._dry = 0
        self._position += 1
        return self.now

    @property
    def position(self) -> int:
        """Which frame of ``now`` was shown last."""
        return max(0, self._position - 1)

    def leave(self) -> None:
        """What it shows is over; the next time it goes on with the next clip."""
        self.now = None

    def _begin(self, sources: Sources) -> None:
        ahead = self._ahead
        if ahead is not None and sources(ahead).supply is Supply.READY:
            self.now, self._ahead, self._position, self._dry = ahead, None, 0, 0

    def _watch_ahead(self, sources: Sources, frame: int) -> None:
        """What cannot be played gives way to the next clip, already while another is shown."""
        if self._ahead is None:
            return
        supply = sources(self._ahead).supply
        # A live input connects again and again by itself: it is left only for another.
        may_hang = len(self._items) == 1 and self._ahead.item.kind == "live"
        is_hung = supply is not Supply.READY and not may_hang and frame - self._ahead_since >= self._patience
        if is_hung or supply in (Supply.FAILED, Supply.ENDED):
            self._ahead, self._opens_at = None, frame + self._pause

    def _is_over(self, airing: Airing, sources: Sources) -> bool:
        length = airing.item.duration_frames
        if length is not None and self._position >= length:
            return True
        if self._dry >= self._patience:
            return True
        return sources(airing).supply in (Supply.ENDED, Supply.FAILED)


def clips_of(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """What pads a gap."""
    return tuple(item for item in items if item.kind == "clip" and not item.dropped)


def lives_of(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(item for item in items if item.kind == "live" and not item.dropped)
