"""Whether ages by this machine's clock may decide what is taken away: not for a day after it has jumped."""

from datetime import timedelta
from typing import Final

import structlog

from supervisor.clock import Clock

log = structlog.get_logger(__name__)

_JUMP: Final = timedelta(days=1)
"""What is less takes away what is old by a day too early, or is a laptop that slept."""
_DAY_S: Final = 86_400.0
"""Of a right clock, before it is believed again: who set it, or its time server, has so long to be found out."""


class Steadiness:
    """Compares what the wall clock says has passed with what has. Ask it every round: it judges from one question to
    the next, and knows of nothing before it was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = clock.monotonic(), clock.now()
        self._jumped_at: float | None = None

    def is_steady(self) -> bool:
        """False for a day after a jump by more than one."""
        before, (passed, shown) = self._seen, (self._clock.monotonic(), self._clock.now())
        self._seen = passed, shown
        jump = shown - before[1] - timedelta(seconds=passed - before[0])
        if abs(jump) > _JUMP:
            self._jumped_at = passed
            log.warning(
                "this machine's clock has jumped; nothing is taken away for its age before it was steady for a day",
                days=round(jump / _JUMP, 1),
                now=shown.isoformat(),
            )
        elif self._jumped_at is not None and passed - self._jumped_at > _DAY_S:
            self._jumped_at = None
        return self._jumped_at is None
