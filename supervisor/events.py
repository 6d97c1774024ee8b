"""The events of ``GET /api/v1/events``: published once, encoded once, kept in a bounded ring that any number of readers
read along.

A reader is a place in that ring and holds nothing: of ``channel_live`` it finds the newest per channel, and when too
much else waits for it, it is dropped and must come back with its last id.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, Literal
from uuid import uuid4

from supervisor.schemas.base import Schema
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.event import Beat, ChannelDeleted, EventName, SupervisorInfo

RING: Final = 4096
"""Events kept for a resume; ``channel_live`` is not counted, its newest per channel is always there."""
BACKLOG: Final = 512
"""Events that may wait for one reader beside ``channel_live``."""
WRITE: Final = 65_536
"""Bytes from which on what waits is left for the next write."""
GATHER_S: Final = 0.02
"""Readers are not told more often than this: a write to each costs as much as the events in it. What comes after a
quiet time is told at once."""
TOGETHER: Final = 50
"""Readers that are told in one turn of the loop, some seven milliseconds' work; then others have theirs: a take may
wait."""
_KEPT_BATCHES: Final = 32
"""Readers that are told together stand at the same place; those who do not are few, or slow."""

EndReason = Literal["slow", "stuck"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event, already JSON. ``live_of`` is the channel of a ``channel_live``: a newer one replaces it."""

    id: str
    number: int
    name: EventName
    data: str
    live_of: str | None = None
    _frames: list[bytes] = field(default_factory=list[bytes], init=False, repr=False, compare=False)

    @property
    def frame(self) -> bytes:
        """As it goes over the line; made once, for all who are told of it as it is."""
        if not self._frames:
            self._frames.append(encode(self.id, self.name, self.data))
        return self._frames[0]


def encode(event_id: str, name: str, data: str) -> bytes:
    """As server-sent events are written. JSON has no line breaks in it, so one data line holds it."""
    return f"id: {event_id}\nevent: {name}\ndata: {data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in their order, and the same as they go over the line. Never empty. ``kept``: how many of them are not
    ``channel_live``."""

    events: tuple[Event, ...]
    frames: bytes
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Between two events: after the one of this ``number``, when so many had been ``kept``."""

    number: int
    kept: int


class Subscription:
    """One reader's place. Iterate over it or over its ``batches``; either ends when the reader was ``dropped`` or the
    events closed."""

    def __init__(self, events: "Events", *, resumed: bool, after: int, place: Place, beats: int) -> None:
        self.resumed: Final = resumed
        """Whether everything after the reader's last id follows; if not, it needs a reset with a snapshot. What waited
        for it then is in the ring and not counted among what may wait for it."""
        self.dropped = False
        self._events = events
        self._after = after
        self._kept = place.kept
        self._beats = beats
        self._closed = False
        self._wake = asyncio.Event()
        if after < place.number:
            self._wake.set()

    def pass_over(self, to: Place) -> None:
        """Goes on after ``to``, if that is further on: the reader's snapshot has all that came before. Not for one that
        reads already."""
        if to.number > self._after:
            self._after, self._kept = to.number, to.kept

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for batch in self.batches():
            for event in batch.events:
                yield event

    async def batches(self) -> AsyncIterator[Batch]:
        """What waits, as much as is good for one write."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (batch := self._next()) is not None:
                yield batch
            if self._closed:
                return

    def _next(self) -> Batch | None:
        """What waits now, a beat last; None where nothing does."""
        if self.dropped:
            return None
        batch = self._events.batch_after(self._after)
        if batch is not None:
            self._after = batch.events[-1].number
            self._kept += batch.kept
            return batch
        self._beats, beat = self._events.beat_after(self._beats)
        return None if beat is None else Batch((beat,), beat.frame)

    def keep_up(self, kept: int, lost_up_to: int) -> None:
        """Drops the reader if too much waits for it. Called by ``Events`` whenever it keeps one more event; ``kept`` is
        how many it kept so far, ``lost_up_to`` the last that it keeps no more."""
        if kept - self._kept > BACKLOG or self._after < lost_up_to:
            self.dropped = True
            self._events.ended["slow"] += 1
            self.close()

    def wake(self) -> None:
        """Something waits."""
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
        """By channel, and by number: the newest is the last."""
        self._number = 0
        self._kept = 0
        self._lost_up_to = 0
        self._beat: Event | None = None
        self._beats = 0
        self._batches: dict[int, Batch | None] = {}
        self._subscriptions: set[Subscription] = set()
        self._woken_at = -GATHER_S
        self._waking: asyncio.Handle | None = None
        """The next that wakes readers, now or in a while."""
        self._to_wake: list[Subscription] = []
        self._came_since = False
        """Something, since the first of those were woken who are being woken now."""
        self._closed = False

    def publish(self, name: EventName, payload: Schema) -> None:
        """Numbers it, keeps it and offers it to every reader. ``beat`` and ``reset`` are not published."""
        self._number += 1
        self.published[name] += 1
        live_of = payload.channel_id if isinstance(payload, ChannelLive) else None
        event = Event(self._id(self._number), self._number, name, payload.model_dump_json(), live_of)
        self._batches.clear()
        if live_of is not None:
            self._live.pop(live_of, None)
            self._live[live_of] = event
        else:
            if isinstance(payload, ChannelDeleted):
                self._live.pop(payload.channel_id, None)
            self._keep(event)
        self._tell()
        for listener in self.listeners:
            listener(payload)

    def beat(self, info: SupervisorInfo) -> None:
        """Tells every reader that the supervisor lives. Not kept: its id is that of the last event before it."""
        self._beat = Event(self._id(self._number), self._number, "beat", Beat(supervisor=info).model_dump_json())
        self._beats += 1
        self._tell()

    def subscribe(self, last_event_id: str | None = None) -> Subscription:
        """A reader's place, after ``last_event_id`` if the ring still has everything since."""
        after = self._after(last_event_id)
        subscription = Subscription(
            self,
            resumed=after is not None,
            after=self._number if after is None else after,
            place=self.place,
            beats=self._beats,
        )
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.add(subscription)
        self.opened += 1
        return subscription

    @property
    def place(self) -> Place:
        """After the last event."""
        return Place(self._number, self._kept)

    def reset_at(self, place: Place, data: str) -> Event:
        """The event of a snapshot that was begun at ``place``: who saw it comes back with what follows."""
        return Event(self._id(place.number), place.number, "reset", data)

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

    def batch_after(self, number: int) -> Batch | None:
        """What came after the event of this number, as much as is good for one write; None where nothing did."""
        if number not in self._batches:
            if len(self._batches) >= _KEPT_BATCHES:
                return self._gathered(number)
            self._batches[number] = self._gathered(number)
        return self._batches[number]

    def beat_after(self, beats: int) -> tuple[int, Event | None]:
        """How many beats there were, and the last of them if there were more than ``beats``."""
        return self._beats, self._beat if self._beats > beats else None

    def _gathered(self, number: int) -> Batch | None:
        if number >= self._number:
            return None
        kept = takewhile(lambda event: event.number > number, reversed(self._ring))
        live = takewhile(lambda event: event.number > number, reversed(self._live.values()))
        events: list[Event] = []
        size = 0
        for event in sorted((*kept, *live), key=lambda event: event.number):
            events.append(event)
            size += len(event.frame)
            if size >= WRITE:
                break
        if not events:
            return None
        kept_ones = sum(event.live_of is None for event in events)
        return Batch(tuple(events), b"".join(event.frame for event in events), kept_ones)

    def _keep(self, event: Event) -> None:
        if len(self._ring) == self._ring.maxlen:
            self._lost_up_to = self._ring[0].number
        self._ring.append(event)
        self._kept += 1
        for subscription in tuple(self._subscriptions):
            subscription.keep_up(self._kept, self._lost_up_to)

    def _tell(self) -> None:
        """Wakes every reader: now if they were not woken just before, else together for all that comes meanwhile."""
        if not self._subscriptions:
            return
        if self._waking is not None:
            self._came_since = True
            return
        loop = asyncio.get_running_loop()
        due = self._woken_at + GATHER_S
        if due <= loop.time():
            self._wake()
        else:
            self._waking = loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._woken_at = asyncio.get_running_loop().time()
        self._to_wake, self._came_since = list(self._subscriptions), False
        self._wake_some()

    def _wake_some(self) -> None:
        now, self._to_wake = self._to_wake[:TOGETHER], self._to_wake[TOGETHER:]
        for subscription in now:
            subscription.wake()
        if self._to_wake:
            self._waking = asyncio.get_running_loop().call_soon(self._wake_some)
            return
        loop, self._waking = asyncio.get_running_loop(), None
        if self._came_since:
            # In a turn of its own, however long this round took.
            self._waking = loop.call_at(max(self._woken_at + GATHER_S, loop.time()), self._wake)

    def _id(self, number: int) -> str:
        return f"{self.boot_id}-{number}"

    def _after(self, last_event_id: str | None) -> int | None:
        """The number to resume after, or None when the id is not ours, not a number, or too old."""
        boot, dash, digits = (last_event_id or "").rpartition("-")
        if not dash or boot != self.boot_id or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            return None
        number = int(digits)
        return number if self._lost_up_to <= number <= self._number else None
