"""The events of ``GET /api/v1/events``: published once, kept in a bounded ring, handed to any number of readers.

A reader that falls behind is never allowed to hold memory: of ``channel_live`` only the newest per channel waits for
it, and when too much else waits it is dropped and must come back with its last id.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import uuid4

from supervisor.schemas.base import Schema
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.event import Beat, ChannelDeleted, EventName, SupervisorInfo

RING: Final = 4096
"""Events kept for a resume; ``channel_live`` is not counted, its newest per channel is always there."""
BACKLOG: Final = 512
"""Events that may wait for one reader beside ``channel_live``."""

EndReason = Literal["slow", "stuck"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event, already JSON. ``live_of`` is the channel of a ``channel_live``: a newer one replaces it."""

    id: str
    number: int
    name: EventName
    data: str
    live_of: str | None = None


class Subscription:
    """One reader's queue. Iterate over it; the iteration ends when the reader was ``dropped`` or the events closed."""

    def __init__(self, events: "Events", *, resumed: bool, position: int, backlog: tuple[Event, ...]) -> None:
        self.resumed: Final = resumed
        """Whether everything after the reader's last id follows; if not, it needs a reset with a snapshot."""
        self.position: Final = position
        """The number of the last event before this subscription began."""
        self.dropped = False
        self._events = events
        self._waiting: dict[int, Event] = {event.number: event for event in backlog}
        self._live: dict[str, int] = {event.live_of: event.number for event in backlog if event.live_of}
        self._beat: Event | None = None
        self._closed = False
        self._wake = asyncio.Event()
        if backlog:
            self._wake.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._read()

    async def _read(self) -> AsyncIterator[Event]:
        while True:
            await self._wake.wait()
            while (event := self.next_waiting()) is not None:
                yield event
            if self._closed:
                return
            if self._beat is not None:
                beat, self._beat = self._beat, None
                yield beat
                continue
            self._wake.clear()

    def next_waiting(self) -> Event | None:
        """The next that waits, but for a beat; None where there is none now. For who writes several at once."""
        if not self._waiting or self.dropped:
            return None
        event = self._waiting.pop(next(iter(self._waiting)))
        if event.live_of and self._live.get(event.live_of) == event.number:
            del self._live[event.live_of]
        return event

    def offer(self, event: Event) -> None:
        """Called by ``Events`` in its loop; never blocks."""
        if self._closed:
            return
        if event.name == "beat":
            self._beat = event
        else:
            if event.live_of:
                older = self._live.pop(event.live_of, None)
                if older is not None:
                    self._waiting.pop(older, None)
                self._live[event.live_of] = event.number
            self._waiting[event.number] = event
            if len(self._waiting) - len(self._live) > BACKLOG:
                self.dropped = True
                self._events.ended["slow"] += 1
                self._waiting.clear()
                self._live.clear()
                self.close()
        self._wake.set()

    def close(self) -> None:
        """Ends the iteration after what still waits; may be repeated."""
        self._closed = True
        self._events.forget(self)
        self._wake.set()


class Events:
    """Publisher and ring. Belongs to one event loop; no method blocks."""

    def __init__(self, boot_id: str | None = None, ring: int = RING) -> None:
        self.boot_id: Final = boot_id or uuid4().hex[:12]
        self.listeners: Final[list[Callable[[Schema], None]]] = []
        """Each is called with every payload once it is on its way to the readers; none may block."""
        self.published: Final[Counter[str]] = Counter()
        self.opened = 0
        self.ended: Final[Counter[EndReason]] = Counter({"slow": 0, "stuck": 0})
        """Readers that were cut off: too much waited for them, or their connection took nothing."""
        self._ring: deque[Event] = deque(maxlen=ring)
        self._live: dict[str, Event] = {}
        self._number = 0
        self._lost_up_to = 0
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def publish(self, name: EventName, payload: Schema) -> None:
        """Numbers it, keeps it and offers it to every reader. ``beat`` and ``reset`` are not published."""
        self._number += 1
        self.published[name] += 1
        live_of = payload.channel_id if isinstance(payload, ChannelLive) else None
        event = Event(self._id(self._number), self._number, name, payload.model_dump_json(), live_of)
        if live_of is not None:
            self._live[live_of] = event
        else:
            if isinstance(payload, ChannelDeleted):
                self._live.pop(payload.channel_id, None)
            if len(self._ring) == self._ring.maxlen:
                self._lost_up_to = self._ring[0].number
            self._ring.append(event)
        self._offer(event)
        for listener in self.listeners:
            listener(payload)

    def beat(self, info: SupervisorInfo) -> None:
        """Tells every reader that the supervisor lives. Not kept: its id is that of the last event before it."""
        self._offer(Event(self._id(self._number), self._number, "beat", Beat(supervisor=info).model_dump_json()))

    def subscribe(self, last_event_id: str | None = None) -> Subscription:
        """A reader's queue, after ``last_event_id`` if the ring still has everything since."""
        after = self._after(last_event_id)
        backlog: tuple[Event, ...] = ()
        if after is not None:
            missed = [event for event in (*self._ring, *self._live.values()) if event.number > after]
            backlog = tuple(sorted(missed, key=lambda event: event.number))
        subscription = Subscription(self, resumed=after is not None, position=self._number, backlog=backlog)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.add(subscription)
        self.opened += 1
        return subscription

    def id_at(self, subscription: Subscription) -> str:
        """The id of the reset that begins ``subscription``."""
        return self._id(subscription.position)

    def forget(self, subscription: Subscription) -> None:
        """What a subscription says when it ends."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends every reader's stream; later ones end at once."""
        self._closed = True
        for subscription in tuple(self._subscriptions):
            subscription.close()

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._subscriptions)

    def _offer(self, event: Event) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.offer(event)

    def _id(self, number: int) -> str:
        return f"{self.boot_id}-{number}"

    def _after(self, last_event_id: str | None) -> int | None:
        """The number to resume after, or None when the id is not ours, not a number, or too old."""
        boot, dash, digits = (last_event_id or "").rpartition("-")
        if not dash or boot != self.boot_id or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            return None
        number = int(digits)
        return number if self._lost_up_to <= number <= self._number else None
