"""What was loaded on the server's layer, and what its INFO then tells of it. Pure; frames are the channel's.

The server has a foreground and one place behind it. INFO says at which position of its file the foreground stands, and
nothing about how it came there: which of our loadings that is, and how many of its frames went out, is found here.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sidecar.caspar.info import Layer, Side
from sidecar.rundown.model import Airing

_FALLS_BACK: Final = 3
"""Frames; INFO's decimals may fall back by one."""


@dataclass(slots=True)
class Loaded:
    """One loading of a clip, or of a card where ``airing`` is None. ``start``: the file's frame that it begins with.

    ``first`` and ``length`` are its trim, None to the file's end. ``played``: how many of its frames the rundown knows.
    """

    airing: Airing | None
    path: str
    start: int = 0
    first: int = 0
    length: int | None = None
    played: int = 0
    file_end: int | None = None
    """As the server or the list says, once one does."""
    alive: bool = False
    """A frame of it was seen to be there."""
    last: int = -1
    """The last position seen."""
    over: bool = False
    """Its last frame stands, or it goes round."""
    live: bool = False
    """A live input: its positions are its own, and it has no end."""

    @property
    def end(self) -> int | None:
        """The file's frame before which it ends; None while nobody knows."""
        own = None if self.length is None else self.first + self.length
        if own is None or self.file_end is None:
            return own if own is not None else self.file_end
        return min(own, self.file_end)

    @property
    def total(self) -> int | None:
        """Frames that it has."""
        return None if self.end is None else max(0, self.end - self.start)

    @property
    def left(self) -> int | None:
        """Frames of it that the rundown does not know yet."""
        return None if self.total is None else max(0, self.total - self.played)


class Sight(Enum):
    """How the foreground looks."""

    MOVING = "moving"
    ENDED = "ended"  # its last frame stands, or it goes round although it should not
    OPENING = "opening"  # named, and nothing of it there; for good where the file is broken
    STILL = "still"  # a card, a picture, a live input: it has no time of the item's
    BLANK = "blank"  # nothing is on the layer
    FOREIGN = "foreign"  # what we did not load


@dataclass(frozen=True, slots=True)
class Reading:
    """``shown``: how many of the foreground's frames went out. ``left``: what it followed, where it did since the last
    look, by itself. ``woke``: its first frame came since then. ``paused`` as the server says."""

    sight: Sight
    shown: int = 0
    left: Loaded | None = None
    woke: bool = False
    paused: bool = False


class Deck:
    """``front`` is what INFO names, or should. ``under`` is what truly airs while that has no frame yet."""

    def __init__(self) -> None:
        self.front: Loaded | None = None
        self.back: Loaded | None = None
        self.back_follows = False
        """AUTO: the server goes on with it by itself."""
        self.back_is_seen = False
        """The last look showed it, as far as the server tells."""
        self.under: Loaded | None = None

    def took(self, loaded: Loaded) -> None:
        """A PLAY of it was done, or was to be."""
        if self.front is not None and self.front.alive:
            self.under = self.front
        self.front = loaded
        self.back, self.back_follows = None, False

    def cued(self, loaded: Loaded | None, *, follows: bool) -> None:
        """A LOADBG was done; None: the place behind is empty."""
        self.back, self.back_follows, self.back_is_seen = loaded, follows, False

    def follow(self) -> Loaded | None:
        """What was cued to follow is taken to have followed: the server says nothing. What it followed."""
        left = self.front
        self.front, self.back, self.back_follows = self.back, None, False
        self.under = None
        return left

    def read(self, layer: Layer | None, per_frame: int) -> Reading:
        """``per_frame``: the server's ticks a frame, two where its format is interlaced."""
        if layer is None or layer.foreground.producer == "empty":
            return Reading(Sight.BLANK)
        side = layer.foreground
        left = self.follow() if self._has_followed(layer) else None
        front, behind = self.front, layer.background
        self.back_is_seen = (
            self.back is not None and behind.producer != "empty" and (not behind.path or _same(behind, self.back.path))
        )
        if front is None:
            return Reading(Sight.FOREIGN, paused=side.paused)
        if front.airing is None:
            return self._card(front, side)
        if front.live:
            return self._live(front, side)
        if not _same(side, front.path):
            return Reading(Sight.FOREIGN, paused=side.paused)
        woke = self._wake(front, side, per_frame)
        if not front.alive:
            return Reading(Sight.OPENING, front.played, left, paused=side.paused)
        return self._moving(front, side, per_frame, left, woke=woke)

    def _has_followed(self, layer: Layer) -> bool:
        back = self.back
        if back is None or not self.back_follows or layer.background.producer != "empty":
            return False
        return _same(layer.foreground, back.path)

    def _card(self, front: Loaded, side: Side) -> Reading:
        is_card = side.producer not in ("ffmpeg", "empty") and (side.producer == "transition" or not side.clip_length)
        if not is_card:
            return Reading(Sight.FOREIGN, paused=side.paused)
        woke, front.alive = not front.alive, True
        return Reading(Sight.STILL, woke=woke, paused=side.paused)

    def _live(self, front: Loaded, side: Side) -> Reading:
        """Whether its pictures still come is not asked here."""
        if side.path != front.path:
            return Reading(Sight.FOREIGN, paused=side.paused)
        woke, front.alive = not front.alive, True
        return Reading(Sight.STILL, woke=woke, paused=side.paused)

    def _wake(self, front: Loaded, side: Side, per_frame: int) -> bool:
        if side.file_length:
            front.file_end = -(-side.file_length // per_frame)
        if front.alive or side.is_dead or side.position is None:
            return False
        front.alive = True
        return True

    def _moving(self, front: Loaded, side: Side, per_frame: int, left: Loaded | None, *, woke: bool) -> Reading:
        position = (side.position or 0) // per_frame
        if front.last >= 0 and position < front.last - _FALLS_BACK:
            if side.loop:
                front.over = True
            else:  # somebody sought back: its frames are counted on from here
                front.start -= front.last - position
        front.last = position
        if front.over or (front.end is not None and position >= front.end):
            front.over = True
            shown = front.played if front.total is None else front.total
            return Reading(Sight.ENDED, shown, left, woke, side.paused)
        return Reading(Sight.MOVING, max(0, position - front.start + 1), left, woke, side.paused)


def _same(side: Side, path: str) -> bool:
    """The server may tell a path below another root, of another system, and in another case."""
    return side.path == path or _last(side.path) == _last(path)


def _last(path: str) -> str:
    return path.rpartition("/")[2].rpartition("\\")[2].casefold()
