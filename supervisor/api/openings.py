"""One snapshot for all streams that begin together: after a restart every console comes back within a moment.

A snapshot costs the loop ten milliseconds for a hundred channels. One for each of two hundred consoles would hold up
every take for seconds.
"""

import asyncio
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
        self._turn = asyncio.Lock()
        self._came = 0
        self._waiting = 0
        self._made: tuple[int, Opening] | None = None
        """With how many had come whom it serves: it is as new as the last of them."""
        self._rests_until = 0.0

    async def next(self) -> Opening:
        """A snapshot that is begun now or later, never before: what the caller did shows in it.

        Callers get it one after another, the loop has its turn between them.
        """
        self._came += 1
        ticket = self._came
        self._waiting += 1
        try:
            async with self._turn:
                if self._made is None or self._made[0] < ticket:
                    await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))
                    self._made = await self._make()
                return self._made[1]
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._made = None

    async def _make(self) -> tuple[int, Opening]:
        clock = asyncio.get_running_loop().time
        began, place, serves = clock(), self._events.place, self._came
        try:
            taken = await self._take()
        finally:
            self._rests_until = clock() + min(SHARE * (clock() - began), LONGEST_PAUSE_S)
        if not taken.is_read:
            serves = self._came  # what is remembered is what was known at the end
        return serves, Opening(taken.reset, place, self._events)
