"""Alarms as levels: what is wanted is said again and again; the board raises what is new and clears what is over."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

import structlog

from db.errors import NotLeader, StoreError, StoreUnavailable
from db.models import Alarm as AlarmRow
from db.models import new_id
from db.repositories.alarms import NewAlarm
from db.repositories.instructions import Instructions, instruction_of
from db.repositories.leader import Fence
from db.store import Store
from supervisor.clock import Clock
from supervisor.decisions.alarms import FACTS, Wanted
from supervisor.events import Events
from supervisor.loops.leadership import Leadership
from supervisor.schemas.alarm import Alarm
from supervisor.webhooks.facts import post_alarms

log = structlog.get_logger(__name__)

_AGAIN: Final = 1.0
"""Seconds until a store that failed is tried again."""
_AT_ONCE: Final = 200
"""Alarms of one transaction."""


class Key(NamedTuple):
    """What at most one open alarm may have. ``channel_id`` is a channel's or a recorder's."""

    code: str
    channel_id: str | None = None
    node_id: str | None = None


class AlarmBoard:
    """Raised once, cleared when over, published. Belongs to one event loop; only ``run`` waits for the store.

    While another supervisor leads nothing is written or published: the alarms are the leader's. With every new term
    what is open is read anew. While the store is away, or does not answer in time, alarms are published all the same,
    under an id of their own, and written when it is back. ``changed`` is called with the channel whose count of open
    alarms changed. Whatever is said here of a ``channel_id`` may be said of a recorder's: ``is_recorder`` tells them
    apart.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        leadership: Leadership,
        changed: Callable[[str], None],
        is_recorder: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._leadership = leadership
        self._changed = changed
        self._is_recorder = is_recorder
        self._instructions: Instructions = {}
        """As they were last read: for alarms that the store cannot take yet."""
        self._loaded: Fence | None = None
        self._said: dict[Key, Wanted | None] = {}
        self._subjects: set[tuple[str | None, str | None]] = set()
        """Channels and nodes of which anything is said or open; some may be too many."""
        self._node_codes: set[tuple[str, str | None]] = set()
        """The same by code and node."""
        self._open: dict[Key, Wanted] = {}
        self._unwritten: dict[Key, Alarm] = {}
        self._counts: Counter[str | None] = Counter()
        self._dirty = asyncio.Event()

    def want(
        self,
        codes: Iterable[str],
        wanted: Mapping[str, Wanted],
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
    ) -> None:
        """Of ``codes``, exactly ``wanted`` are to be open for this channel or node; the others are over."""
        if not wanted and (channel_id, node_id) not in self._subjects:
            # All is well and was before: so it is with nearly every channel, every second.
            return
        for code in codes:
            self._say(Key(code, channel_id, node_id), wanted.get(code))

    def want_of_node(self, code: str, wanted: Mapping[str | None, Wanted], *, node_id: str) -> None:
        """Of all alarms of this code and node, exactly ``wanted`` (by channel, None: the node's own) are to be open."""
        if not wanted and (code, node_id) not in self._node_codes:
            return
        for key in {*self._said, *self._open}:
            if key.code == code and key.node_id == node_id and key.channel_id not in wanted:
                self._say(key, None)
        for channel_id, alarm in wanted.items():
            self._say(Key(code, channel_id, node_id), alarm)

    def forget_channel(self, channel_id: str) -> None:
        """The channel was deleted: its alarms are over."""
        for key in {*self._said, *self._open}:
            if key.channel_id == channel_id:
                self._say(key, None)

    def acknowledged(self, code: str, channel_id: str | None, node_id: str | None) -> None:
        """Somebody has seen it. A fact, which nothing makes undone, is over with that; a state lasts on."""
        if code in FACTS:
            self._say(Key(code, channel_id, node_id), None)

    def instruct(self, instructions: Instructions) -> None:
        """What the station says of alarms changed, as the store and its open alarms know already."""
        self._instructions = instructions

    def count(self, channel_id: str) -> int:
        """How many alarms of the channel are open."""
        return self._counts[channel_id]

    def by_severity(self) -> Mapping[str, int]:
        """How many are open, those included that the store does not have yet."""
        unwritten = (alarm.severity for alarm in self._unwritten.values())
        return Counter((*(it.severity for it in self._open.values()), *unwritten))

    def _count(self) -> None:
        self._counts = Counter(key.channel_id for key in {*self._open, *self._unwritten})

    def _say(self, key: Key, wanted: Wanted | None) -> None:
        before = self._said.get(key)
        self._said[key] = wanted
        if wanted is not None:
            self._note_subjects((key,))
        # A new wording alone is no news: the sentence of a dark channel changes with every pass.
        severity = None if wanted is None else wanted.severity
        known = None if before is None else before.severity
        if severity != known or (wanted is None and key in self._open):
            self._dirty.set()

    def _note_subjects(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._subjects.add((key.channel_id, key.node_id))
            self._node_codes.add((key.code, key.node_id))

    def wake(self) -> None:
        """A term began: what was open in the one before is to be read."""
        self._dirty.set()

    async def run(self) -> None:
        """Writes and publishes until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                if await self._settle_in_time():
                    continue
            except NotLeader as error:
                log.warning("alarms are written by another", why=str(error))
            except StoreError as error:
                log.warning("alarms cannot be written yet", why=str(error))
                self._publish_unwritten()
            self._dirty.set()
            await self._clock.sleep(_AGAIN)

    async def _settle_in_time(self) -> bool:
        """Settles. For a store that neither answers nor fails nobody who should know of an alarm is kept waiting."""
        settling = asyncio.ensure_future(self._settle())
        try:
            while not (await asyncio.wait({settling}, timeout=_AGAIN))[0]:
                self._publish_unwritten()
        finally:
            if not settling.done():
                settling.cancel()
                await asyncio.wait({settling})
        return settling.result()

    async def _settle(self) -> bool:
        """What was said, written; whether it is ours to write. Raises StoreError while it cannot be."""
        fence = self._leadership.fence
        if fence is None:
            if self._leadership.store_fault:
                raise StoreUnavailable(self._leadership.store_fault)
            self._stand_back()
            return False
        if fence != self._loaded:
            await self._load()
            self._loaded = fence
        await self._write(fence)
        return True

    def _stand_back(self) -> None:
        """Another leads, and tells of what there is."""
        known = {*self._open, *self._unwritten}
        for alarm in self._unwritten.values():
            self._events.publish("alarm", alarm.model_copy(update={"cleared_at": self._clock.now()}))
        self._loaded = None
        self._open.clear()
        self._unwritten.clear()
        self._tell_all(known)

    async def _load(self) -> None:
        async with self._store.read() as tx:
            rows = await tx.alarms.list(open_only=True)
            orphans = await tx.alarms.orphans()
            self._instructions = await tx.instructions.texts()
        known = {*self._open}
        self._open = {_key(row): _wanted(row) for row in rows}
        self._note_subjects(self._open)
        self._drop_unwritten(self._open, self._clock.now())
        # Their channel or node was deleted while another led, or none.
        self._said.update(dict.fromkeys(map(_key, orphans)))
        self._tell_all({*known, *self._open})

    async def _write(self, fence: Fence) -> None:
        now = self._clock.now()
        news = ((key, wanted) for key, wanted in self._said.items() if wanted and self._is_news(key, wanted))
        raised = dict(islice(news, _AT_ONCE))
        over = [*islice((key for key, wanted in self._said.items() if wanted is None and key in self._open), _AT_ONCE)]
        passed = [key for key in self._unwritten if self._said.get(key) is None][:_AT_ONCE]
        if not raised and not over and not passed:
            return
        if _AT_ONCE in (len(raised), len(over), len(passed)):
            # The rest in transactions of its own: a thousand alarms in one would keep everybody else waiting.
            self._dirty.set()
        new = [self._new(key, it.severity, it.text, self._since(key, now)) for key, it in raised.items()]
        # Over before they could be written: they are still part of the history.
        before = ((key, self._unwritten[key]) for key in passed)
        was = [self._new(key, alarm.severity, alarm.text, alarm.raised_at) for key, alarm in before]
        async with self._store.write() as tx:
            await tx.leader.require(fence)
            rows = [*await tx.alarms.raise_all(new), *await tx.alarms.clear_all(over, now)]
            await tx.alarms.raise_all(was)
            rows += await tx.alarms.clear_all(passed, now)
            await post_alarms(tx, rows, now)
        self._open.update(raised)
        for key in over:
            del self._open[key]
        self._drop_unwritten((*raised, *passed), now)
        for row in rows:
            self._events.publish("alarm", Alarm.model_validate(row))
        self._tell_all({*raised, *over, *passed})
        # What ended while it was being written is still to be cleared.
        self._said = {key: wanted for key, wanted in self._said.items() if wanted is not None or key in self._open}
        self._subjects, self._node_codes = set(), set()
        self._note_subjects((*self._said, *self._open))
        if None in self._said.values():
            self._dirty.set()

    def _drop_unwritten(self, keys: Iterable[Key], now: datetime) -> None:
        """In their place the store's own are told of."""
        for key in keys:
            alarm = self._unwritten.pop(key, None)
            if alarm is not None:
                self._events.publish("alarm", alarm.model_copy(update={"cleared_at": now}))

    def _publish_unwritten(self) -> None:
        told: list[Key] = []
        for key, wanted in self._said.items():
            if wanted is not None and key not in self._open and key not in self._unwritten:
                owner = self._owner(key)
                alarm = Alarm(
                    id=new_id(),
                    channel_id=owner["channel_id"],
                    recorder_id=owner["recorder_id"],
                    node_id=key.node_id,
                    code=key.code,
                    severity=wanted.severity,
                    text=wanted.text,
                    raised_at=self._clock.now(),
                    acknowledged_by=None,
                    acknowledged_at=None,
                    cleared_at=None,
                    instruction=instruction_of(self._instructions, key.code, key.channel_id),
                )
                self._unwritten[key] = alarm
                self._events.publish("alarm", alarm)
                told.append(key)
        self._tell_all(told)

    def _new(self, key: Key, severity: str, text: str, since: datetime) -> NewAlarm:
        return NewAlarm(key.code, severity=severity, text=text, now=since, node_id=key.node_id, **self._owner(key))

    def _owner(self, key: Key) -> dict[str, str | None]:
        mine = key.channel_id is not None and self._is_recorder(key.channel_id)
        return {"channel_id": None if mine else key.channel_id, "recorder_id": key.channel_id if mine else None}

    def _is_news(self, key: Key, wanted: Wanted) -> bool:
        known = self._open.get(key)
        return known is None or known.severity != wanted.severity

    def _since(self, key: Key, now: datetime) -> datetime:
        return self._unwritten[key].raised_at if key in self._unwritten else now

    def _tell_all(self, keys: Iterable[Key]) -> None:
        self._count()
        for channel_id in {key.channel_id for key in keys}:
            if channel_id is not None:
                self._changed(channel_id)


def _key(row: AlarmRow) -> Key:
    return Key(row.code, row.channel_id or row.recorder_id, row.node_id)


def _wanted(row: AlarmRow) -> Wanted:
    match row.severity:
        case "critical" | "warning" | "info":
            return Wanted(row.severity, row.text)
        case _:
            raise ValueError(f"alarm {row.id} has severity {row.severity!r}, which this version does not know")
