"""What a leader changed, told to the readers of a supervisor that follows it.

Everything a leader does goes through the store; so once a second the store is compared with what was last told here.
What is live (heartbeats, items, outputs) is not the store's: each supervisor watches the nodes itself.
"""

from collections.abc import Awaitable, Callable, Sequence, Set
from typing import Final, NamedTuple

import structlog

from db import models
from db.errors import Missing, StoreError
from db.repositories.as_run import EventFilters
from db.store import Store
from db.transaction import Transaction
from supervisor.api import views
from supervisor.clock import Clock
from supervisor.events import Events
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Schema
from supervisor.schemas.channel import Channel, ChannelLive
from supervisor.schemas.event import ChannelDeleted, EventName, NodeDeleted, PlaylistChanged
from supervisor.schemas.node import Node

EVERY_S: Final = 1.0
READ_S: Final = 3.0
"""Seconds that the store has for one look."""
NEWEST: Final = 200
"""As-run events of one look. Who was away longer fetches the log; a stream is for what happens now."""
ENDS: Final = 20
"""Channels of one look whose open as-run events, older than the newest, are read again to see whether they ended."""
KEPT: Final = 5 * NEWEST
"""As-run events that are remembered as told."""
FEW: Final = 20
"""Channels whose outputs are read one by one; for more of them all are read at once."""

_log = structlog.get_logger(__name__)

ReadNodes = Callable[[Transaction], Awaitable[Sequence[Node]]]
EventKey = tuple[str, str, int]


class _Told(NamedTuple):
    """What is kept of an as-run event that was told: whole events would be megabytes. ``content``: its hash."""

    has_ended: bool
    content: int

    @classmethod
    def of(cls, event: AsRunEvent) -> "_Told":
        return cls(event.end_at is not None, hash(event))


class Mirror:
    """While another supervisor leads, publishes what differs between the store and what was last published here.

    While this one leads it tells only how nodes look from here, and listens: whoever changes a row says so himself.
    ``leads`` answers whether this supervisor leads now, ``live`` what is seen of a channel, ``read_nodes`` every node
    as the API shows it. Belongs to one event loop.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        *,
        leads: Callable[[], bool],
        live: Callable[[str], ChannelLive],
        read_nodes: ReadNodes,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._leads = leads
        self._live = live
        self._read_nodes = read_nodes
        self._told_anything = False
        self._channels: dict[str, int] = {}
        self._nodes: dict[str, tuple[object, ...]] = {}
        self._alarms: dict[str, tuple[object, ...]] = {}
        self._playlists: dict[str, int] = {}
        self._asrun: dict[EventKey, _Told] = {}
        events.listeners.append(self._hear)

    async def run(self) -> None:
        """Looks once a second until cancelled; a store that is away is looked at again."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                _log.warning("what the leader changed cannot be read now", why=str(error))
            await self._clock.sleep(EVERY_S)

    async def look(self) -> None:
        """One comparison. The first ever is told only to those who listen already. Raises StoreError."""
        if self._leads() and self._told_anything:
            # Who changes a row says so himself; how a node looks from here nobody else says.
            async with self._store.read(timeout=READ_S) as tx:
                nodes = await self._read_nodes(tx)
            self._tell_nodes(nodes, silent=False)
            return
        async with self._store.read(timeout=READ_S) as tx:
            rows = await tx.channels.list()
            channels = await self._changed(tx, rows)
            nodes = await self._read_nodes(tx)
            alarms = [views.alarm(row) for row in await tx.alarms.list(open_only=True)]
            cleared = await _cleared(tx, self._alarms.keys() - {alarm.id for alarm in alarms})
            revisions = await tx.playlists.revisions_played()
            asrun = await self._as_run(tx)
        silent = not self._told_anything and (self._leads() or not self._events.readers)
        self._told_anything = True
        if self._leads() and not silent:
            return  # we came to lead while we read: what is written from now on is told by whoever writes it
        there = {row.id: row.playlist_id for row in rows}
        self._tell_channels(channels, there.keys(), silent=silent)
        self._tell_nodes(nodes, silent=silent)
        for alarm in (*alarms, *cleared):
            if alarm.cleared_at is not None or self._alarms.get(alarm.id) != _of_alarm(alarm):
                self._say("alarm", alarm, silent=silent)
        for playlist_id, revision in revisions.items():
            if self._playlists.get(playlist_id) != revision:
                playing = tuple(id_ for id_, playlist in there.items() if playlist == playlist_id)
                news = PlaylistChanged(playlist_id=playlist_id, revision=revision, channel_ids=playing)
                self._say("playlist", news, silent=silent)
        for event in asrun:
            if self._asrun.get(_key(event)) != _Told.of(event):
                self._say("asrun", event, silent=silent)
        self._forget_as_run(asrun, there.keys())

    async def _changed(self, tx: Transaction, rows: Sequence[models.Channel]) -> list[Channel]:
        changed = [row for row in rows if self._channels.get(row.id) != row.rev]
        if len(changed) > FEW:
            outputs = await tx.channels.all_outputs()
        else:
            outputs = {row.id: await tx.channels.outputs(row.id) for row in changed}
        return [views.channel(row, outputs.get(row.id, ()), self._live(row.id)) for row in changed]

    def _tell_channels(self, changed: Sequence[Channel], there: Set[str], *, silent: bool) -> None:
        for channel in changed:
            self._say("channel", channel, silent=silent)
        for channel_id in self._channels.keys() - there:
            self._say("channel_deleted", ChannelDeleted(channel_id=channel_id), silent=silent)

    def _tell_nodes(self, nodes: Sequence[Node], *, silent: bool) -> None:
        for node in nodes:
            if self._nodes.get(node.id) != _of_node(node):
                self._say("node", node, silent=silent)
        for node_id in self._nodes.keys() - {node.id for node in nodes}:
            self._say("node_deleted", NodeDeleted(node_id=node_id), silent=silent)

    async def _as_run(self, tx: Transaction) -> list[AsRunEvent]:
        """The newest first; then those that began before and had no end when they were last told."""
        newest = await tx.as_run.events(EventFilters(aired_only=True), None, NEWEST)
        events = {_key(event): event for event in map(views.as_run_event, newest)}
        waiting = dict.fromkeys(key[0] for key, told in self._asrun.items() if not told.has_ended and key not in events)
        for channel_id in list(waiting)[:ENDS]:
            of_channel = await tx.as_run.events(EventFilters(channel_id=channel_id), None, NEWEST)
            for event in map(views.as_run_event, of_channel):
                if _key(event) in self._asrun:
                    events.setdefault(_key(event), event)
        return sorted(events.values(), key=lambda event: (event.start_at, event.seq))

    def _forget_as_run(self, seen: Sequence[AsRunEvent], channels: Set[str]) -> None:
        """What has ended and is not among the newest is told for good; so is what a deleted channel left open."""
        newest = {_key(event) for event in seen}
        for key, told in tuple(self._asrun.items()):
            if key not in newest and (told.has_ended or key[0] not in channels):
                del self._asrun[key]
            elif not told.has_ended and key in newest:
                # To the back of the queue of those that are asked for again.
                self._asrun[key] = self._asrun.pop(key)

    def _drop_ended(self) -> None:
        """Half of what is remembered; who is told twice of what has ended is told the same."""
        ended = [key for key, told in self._asrun.items() if told.has_ended]
        for key in ended[: KEPT // 2]:
            del self._asrun[key]

    def _say(self, name: EventName, payload: Schema, *, silent: bool) -> None:
        if silent:
            self._hear(payload)
        else:
            self._events.publish(name, payload)  # which we hear

    def _hear(self, payload: Schema) -> None:
        match payload:
            case Channel():
                self._channels[payload.id] = payload.rev
            case ChannelDeleted():
                self._channels.pop(payload.channel_id, None)
            case Node():
                self._nodes[payload.id] = _of_node(payload)
            case NodeDeleted():
                self._nodes.pop(payload.node_id, None)
            case Alarm(cleared_at=None):
                self._alarms[payload.id] = _of_alarm(payload)
            case Alarm():
                self._alarms.pop(payload.id, None)
            case PlaylistChanged():
                self._playlists[payload.playlist_id] = payload.revision
            case AsRunEvent():
                self._asrun[_key(payload)] = _Told.of(payload)
                if len(self._asrun) > KEPT:
                    self._drop_ended()
            case _:
                pass


async def _cleared(tx: Transaction, ids: Set[str]) -> list[Alarm]:
    """Alarms that were open when they were last told and are not any more."""
    found: list[Alarm] = []
    for alarm_id in sorted(ids):
        try:
            found.append(views.alarm(await tx.alarms.get(alarm_id)))
        except Missing:
            _log.warning("an alarm that was told is not in the store", alarm=alarm_id)
    return found


def _of_node(node: Node) -> tuple[object, ...]:
    """What of a node is news: not its age, its load and its clock, which change with every look."""
    devices = tuple((device.index, device.busy, device.held_by) for device in node.devices)
    return (node.rev, node.channels, node.state, node.version, node.engine_fault, node.lost_at, devices)


def _of_alarm(alarm: Alarm) -> tuple[object, ...]:
    return (alarm.severity, alarm.acknowledged_by, alarm.instruction)


def _key(event: AsRunEvent) -> EventKey:
    return (event.channel_id, event.run_id, event.seq)
