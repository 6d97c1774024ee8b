"""Time, handed in: monotonic for deadlines and ages, aware UTC for instants."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the shell may ask about time; a simulation answers with its own."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """Aware UTC, for what people read and what is stored."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """This machine's own."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
