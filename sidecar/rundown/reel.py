"""Clips that are not of the list: filler, the ladder's live input, the standby clip. One after the other, for ever."""

from collections.abc import Callable
from fractions import Fraction

from sidecar.protocol.channel import Item
from sidecar.rundown.model import Airing, Sources, Supply
from sidecar.rundown.rate import frames_in

_PAUSE_S = 2
"""A clip that could not be played is not followed by the next at once."""


class Reel:
    """Shows one clip while the next is open. Frames are output frames."""

    def __init__(self, rate: Fraction, number: Callable[[], int]) -> None:
        """``number`` gives an airing's number, never twice."""
        self._number = number
        self._pause = frames_in(_PAUSE_S, rate)
        self._items: tuple[Item, ...] = ()
        self._place = 0
        self._position = 0  # frames shown of ``now``
        self._opens_at = 0
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
        if self._ahead is None and self._items and frame >= self._opens_at:
            self._ahead = Airing(self._number(), self._items[self._place % len(self._items)])
            self._place += 1
        return tuple(airing for airing in (self.now, self._ahead) if airing is not None)

    def frame(self, sources: Sources, frame: int) -> Airing | None:
        """The airing whose next frame is shown; None: it has nothing now."""
        self.wanted(frame)
        if self.now is not None and self._is_over(self.now, sources):
            self.now = None
        if self.now is None:
            self._begin(sources, frame)
        if self.now is None or sources(self.now).supply is not Supply.READY:
            return None
        self._position += 1
        return self.now

    @property
    def position(self) -> int:
        """Which frame of ``now`` was shown last."""
        return max(0, self._position - 1)

    def leave(self) -> None:
        """What it shows is over; the next time it goes on with the next clip."""
        self.now = None

    def _begin(self, sources: Sources, frame: int) -> None:
        ahead = self._ahead
        if ahead is None:
            return
        match sources(ahead).supply:
            case Supply.READY:
                self.now, self._ahead, self._position = ahead, None, 0
            case Supply.FAILED | Supply.ENDED:
                self._ahead, self._opens_at = None, frame + self._pause
            case Supply.OPENING | Supply.DRY:
                pass

    def _is_over(self, airing: Airing, sources: Sources) -> bool:
        length = airing.item.duration_frames
        if length is not None and self._position >= length:
            return True
        return sources(airing).supply in (Supply.ENDED, Supply.FAILED)


def clips_of(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """What pads a gap."""
    return tuple(item for item in items if item.kind == "clip" and not item.dropped)


def lives_of(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(item for item in items if item.kind == "live" and not item.dropped)
