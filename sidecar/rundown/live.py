"""When a live input on air counts as lost and as back. Pure; counted in channel frames."""

import enum
from collections import deque
from fractions import Fraction

from sidecar.rundown.rate import frames_in

LOST_S = Fraction(3, 2)
"""Without a new picture for so long, the input is lost. Until then its last picture stands."""
BACK_S = 5
"""It is back when it could have given every frame for so long."""
RETURNS = 2
WITHIN_S = 60
"""It comes back by itself at most so often in so many seconds; lost once more, it waits for an operator."""
PRECONNECT_S = 30
"""It is connected so long before it is to start."""


class LiveFrame(enum.Enum):
    """What to show of the input in this frame."""

    SHOW = "show"
    STAND = "stand"  # its last picture, for it may come at once
    AWAY = "away"


class LiveWatch:
    """One airing of a live input. ``step`` is asked once for every frame of it.

    An input that was not there when its airing began counts as lost from the first frame, and as back with its first
    picture: nothing was seen of it that could be unstable.
    """

    def __init__(self, rate: Fraction) -> None:
        self._lost_after = frames_in(LOST_S, rate)
        self._back_after = frames_in(BACK_S, rate)
        self._within = frames_in(WITHIN_S, rate)
        self._is_seen = False
        self._missing = 0  # frames in a row that it did not give
        self._stable = 0  # frames in a row that it could have given while lost
        self._returns: deque[int] = deque(maxlen=RETURNS)
        self.is_lost = False
        self.waits = False
        """Lost too often: only ``release`` brings it back."""

    def step(self, frame: int, *, is_ready: bool) -> LiveFrame:
        """``frame`` is the output frame; ``is_ready`` whether the input can give its picture."""
        if self.is_lost:
            self._stable = self._stable + 1 if is_ready else 0
            is_back = self._stable > (self._back_after if self._is_seen else 0)
            if self.waits or not is_back:
                return LiveFrame.AWAY
            if self._is_seen:
                self._returns.append(frame)
            self.is_lost = False
        if is_ready:
            self._is_seen, self._missing = True, 0
            return LiveFrame.SHOW
        self._missing += 1
        if self._is_seen and self._missing <= self._lost_after:
            return LiveFrame.STAND
        self.is_lost, self._stable = True, 0
        self.waits = len(self._returns) == RETURNS and frame - self._returns[0] < self._within
        return LiveFrame.AWAY

    def release(self) -> None:
        """An operator wants it back: with its next picture."""
        self.waits, self._is_seen = False, False
        self._returns.clear()
