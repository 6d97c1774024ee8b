"""Time as one simulated machine tells it: a ``supervisor.clock.Clock``."""

import asyncio
from datetime import datetime

from tests.simulation.loop import SimLoop
from tests.simulation.processes import Host


class SimClock:
    """Of ``host``: its clocks stand still while it is paused, and its wall clock may be stepped."""

    def __init__(self, loop: SimLoop, host: Host) -> None:
        self._loop = loop
        self._host = host

    def monotonic(self) -> float:
        return self._host.monotonic(self._loop.now)

    def now(self) -> datetime:
        return self._host.wall_clock(self._loop.now)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
