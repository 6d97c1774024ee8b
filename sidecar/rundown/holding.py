"""A list that waits for a take: since when, and what becomes of it when nobody takes."""

from fractions import Fraction

from sidecar.protocol.channel import HoldShow, Item, Rules
from sidecar.rundown.rate import frames_in


class Holding:
    """Frames are output frames. A wait ends with ``end``; its time-out comes once."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._since: int | None = None
        self._has_timed_out = False

    @property
    def has_timed_out(self) -> bool:
        return self._has_timed_out

    @property
    def is_on(self) -> bool:
        return self._since is not None

    def begin(self, frame: int) -> None:
        """The list waits, at least from now on."""
        if self._since is None:
            self._since = frame

    def end(self) -> None:
        self._since, self._has_timed_out = None, False

    def left(self, item: Item | None, rules: Rules, frame: int) -> int | None:
        """Frames until the time-out, for which ``item``, what waits, may have its own; None: there is none."""
        own = item.hold_timeout_ms if item is not None else None
        timeout = rules.hold_timeout_ms if own is None else own
        if self._since is None or timeout == 0:
            return None
        return max(0, self._since + frames_in(Fraction(timeout, 1000), self._rate) - frame)

    def times_out(self, item: Item | None, rules: Rules, frame: int) -> bool:
        """True once, at the frame at which it has waited too long."""
        if self._has_timed_out or self.left(item, rules, frame) != 0:
            return False
        self._has_timed_out = True
        return True


def shown_in(item: Item | None) -> HoldShow:
    """What is shown while ``item`` waits for its take."""
    return "last_frame" if item is None else item.hold_show
