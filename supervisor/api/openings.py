"""One snapshot for all streams that begin together: after a restart every console comes back within a moment.

A snapshot costs the loop ten milliseconds for a hundred channels. One for each of two hundred consoles would hold up
every take for seconds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from supervisor.api.snapshot import Taken
from supervisor.events import Event, Events, Place
from supervisor.schemas.event import Reset

SHARE: Final = 4.0
"""A snapshot is followed by a pause of so many times what it took: whoever comes meanwhile shares the next one."""
LONGEST_PAUSE_S: Final = 0.5
"""A console gives a silent stream up after three seconds, and a store that hangs takes one of them."""

TOGETHER: Final = 8
"""Streams that begin in one turn of the loop: each is half a millisecond's work, ten times that for who sees a part."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What streams begin with. ``place``: where the events go on that the snapshot may not have."""

    reset: Reset
    place: Place
    _events: Events
    _whole: list[Event] = field(default_factory=list[Event], init=False, repr=False, compare=False)

    def event(self, seen: Reset) -> Event:
        """The reset with what a reader sees; written once for all who see the whole."""
        if seen is not self.reset:
            return self._written(seen)
        if not self._whole:
            self._whole.append(self._written(seen))
        return self._whole[0]

    def _written(self, seen: Reset) -> Event:
        return self._events.reset_at(self.place, seen.model_dump_json())


class Openings:
    """``take`` makes a snapshot. Belongs to one event loop; nothing is kept while nobody waits."""

    def __init__(self, events: Events, take: Callable[[], Awaitable[Taken]]) -> None:
        self._events = events
        self._take = take
        self._waiting: deque[asyncio.Future[Opening]] = deque()
        self._making: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    async def next(self) -> Opening:
        """A snapshot that is begun now or later, never before: what the caller did shows in it. Raises what ``take``
        raises. Only a few callers have it in the same turn of the loop."""
        mine: asyncio.Future[Opening] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if self._making is None:
            self._making = asyncio.create_task(self._make_for_all(), name="snapshots")
        return await mine

    async def _make_for_all(self) -> None:
        """Ends once nobody waits any more."""
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))
                await self._make()
        finally:
            self._making = None
            for left in self._waiting:  # none, but where the program ends
                left.cancel()
            self._waiting.clear()

    async def _make(self) -> None:
        clock = asyncio.get_running_loop().time
        began, place, served = clock(), self._events.place, len(self._waiting)
        opening, fault = None, None
        try:
            taken = await self._take()
            opening = Opening(taken.reset, place, self._events)
            if not taken.is_read:
                served = len(self._waiting)  # what is remembered is what was known at the end
        except Exception as error:
            fault = error
        self._rests_until = clock() + min(SHARE * (clock() - began), LONGEST_PAUSE_S)
        for number in range(served):
            if number and number % TOGETHER == 0:
                await asyncio.sleep(0)
            waiter = self._waiting.popleft()
            if waiter.done():
                continue  # it went
            if opening is not None:
                waiter.set_result(opening)
            elif fault is not None:
                waiter.set_exception(fault)
