"""One answer to ``GET /metrics``: read in the event loop, written in a thread."""

from collections.abc import Callable
from typing import Final

from supervisor.errors import Unavailable
from supervisor.events import Events
from supervisor.lag import LoopLag
from supervisor.loops.supervision import Supervision
from supervisor.metrics.exposition import exposition
from supervisor.metrics.reading import read
from supervisor.tally import Tally
from supervisor.threads import Threads

WRITE_S: Final = 8.0
"""A scrape is given up by Prometheus after ten seconds unless it is told otherwise."""


class Metrics:
    """``clock`` is monotonic. Belongs to one event loop."""

    def __init__(
        self, supervision: Supervision, events: Events, lag: LoopLag, threads: Threads, clock: Callable[[], float]
    ) -> None:
        self._supervision = supervision
        self._events = events
        self._lag = lag
        self._threads = threads
        self.clock: Final = clock

    @property
    def tally(self) -> Tally:
        """Where calls of the API are counted."""
        return self._supervision.tally

    async def exposition(self) -> bytes:
        """Raises Unavailable when so many scrape that it cannot be written in time."""
        reading = read(self._supervision, self._events, self._lag)
        try:
            return await self._threads.run(WRITE_S, exposition, reading)
        except TimeoutError:
            raise Unavailable(f"the metrics were not written within {WRITE_S:.0f} s") from None
