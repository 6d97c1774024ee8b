"""How long the event loop was held up: the drift of a timer on the monotonic clock."""

import asyncio
from collections import deque
from typing import Final

import structlog

EVERY_S: Final = 0.25
WINDOW: Final = 40
"""Measurements that the exported figure is the worst of: the last ten seconds."""
ALLOWED_MS: Final = 50.0

_log = structlog.get_logger(__name__)


class LoopLag:
    """``run`` measures until cancelled."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=WINDOW)
        self.held_up = 0
        """How often it was longer than what is allowed."""

    @property
    def worst_ms(self) -> float:
        """The longest hold-up of the last ten seconds, in milliseconds."""
        return round(max(self._last, default=0.0), 1)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            late_ms = max(0.0, (loop.time() - due) * 1000)
            self._last.append(late_ms)
            if late_ms > ALLOWED_MS:
                self.held_up += 1
                _log.warning("the loop was held up", ms=round(late_ms, 1), allowed_ms=ALLOWED_MS)
