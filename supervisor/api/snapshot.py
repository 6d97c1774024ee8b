"""What an event stream begins with: everything a console shows, also while the store is away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from db.errors import StoreError
from db.store import Store
from supervisor.api import views
from supervisor.api.nodes_seen import read_nodes
from supervisor.events import Events
from supervisor.loops.supervision import Supervision
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.base import Schema
from supervisor.schemas.channel import Channel, ChannelLive
from supervisor.schemas.event import ChannelDeleted, NodeDeleted, Reset, SupervisorInfo
from supervisor.schemas.node import Node

READ_S: Final = 1.0
"""Seconds that the store has to answer. A console gives a silent stream up after three."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot. ``is_read``: from the store; if not, it is what was known when it was made."""

    reset: Reset
    is_read: bool


class Snapshot:
    """Reads the store, and remembers: a store that is away must not keep operators from what is on air (P6).

    What is remembered follows the events of this supervisor, and its own rows of the channels, which it reads each
    second. Belongs to one event loop.
    """

    def __init__(
        self, store: Store, events: Events, supervision: Supervision, info: Callable[[], SupervisorInfo]
    ) -> None:
        self._store = store
        self._events = events
        self._supervision = supervision
        self._info = info
        self._channels: dict[str, Channel] = {}
        self._nodes: dict[str, Node] = {}
        self._alarms: dict[str, Alarm] = {}
        self._changes = 0
        self._filled = False
        events.listeners.append(self._hear)

    async def reset(self) -> Reset:
        """Everything as it is now; without an answer of the store as it was last known. What is live is always now."""
        return (await self.take()).reset

    async def take(self) -> Taken:
        """The same, and whether the store answered."""
        try:
            await self._read()
        except StoreError as error:
            _log.warning("a console is shown what was last known", why=str(error))
            self._catch_up()
            return Taken(self._known(), is_read=False)
        return Taken(self._known(), is_read=True)

    def _known(self) -> Reset:
        live = self._supervision.live
        channels = sorted(self._channels.values(), key=lambda channel: (channel.number, channel.id))
        return Reset(
            supervisor=self._info(),
            channels=tuple(channel.model_copy(update={"live": live.get(channel.id)}) for channel in channels),
            nodes=tuple(self._aged(node) for node in self._nodes.values()),
            alarms=tuple(sorted(self._alarms.values(), key=lambda alarm: alarm.raised_at, reverse=True)),
        )

    async def _read(self) -> None:
        live, changes = self._supervision.live, self._changes
        async with self._store.read(timeout=READ_S) as tx:
            channels = await tx.channels.list()
            outputs = await tx.channels.all_outputs()
            nodes = await read_nodes(tx, self._supervision, self._info().at)
            alarms = await tx.alarms.list(open_only=True)
        if changes != self._changes and self._filled:
            return  # what was published while this was read is newer, and all else was known
        self._filled = True
        self._channels = {row.id: views.channel(row, outputs.get(row.id, ()), live.get(row.id)) for row in channels}
        self._nodes = {node.id: node for node in nodes}
        self._alarms = {row.id: views.alarm(row) for row in alarms}

    def _catch_up(self) -> None:
        """With the rows that supervision holds: they may be newer than what was last told."""
        rows = self._supervision.rows()
        for row in rows:
            known = self._channels.get(row.id)
            if known is None or known.rev < row.rev:
                outputs = known.outputs if known else ()
                view = views.channel(row, (), self._supervision.live.get(row.id))
                self._channels[row.id] = view.model_copy(update={"outputs": outputs})

    def _aged(self, node: Node) -> Node:
        age = self._supervision.node_seen(node.id).answer_age_s
        return node.model_copy(update={"last_answer_age_ms": None if age is None else round(age * 1000)})

    def _hear(self, payload: Schema) -> None:
        match payload:
            case ChannelLive(channel_id=channel_id):
                self._follow(channel_id)
                return
            case Channel(id=channel_id):
                self._channels[channel_id] = payload
            case ChannelDeleted(channel_id=channel_id):
                self._channels.pop(channel_id, None)
            case Node(id=node_id):
                self._nodes[node_id] = payload
            case NodeDeleted(node_id=node_id):
                self._nodes.pop(node_id, None)
            case Alarm(id=alarm_id, cleared_at=None):
                self._alarms[alarm_id] = payload
            case Alarm(id=alarm_id):
                self._alarms.pop(alarm_id, None)
            case _:
                return
        self._changes += 1

    def _follow(self, channel_id: str) -> None:
        """A pass that moved a channel's phase moved its rev too: whoever edits by what was told must be told that."""
        if not self._supervision.standing().leader:
            return  # what the leader changed is told by the mirror
        known, row = self._channels.get(channel_id), self._supervision.row(channel_id)
        if known is not None and row is not None and known.rev < row.rev:
            view = views.channel(row, (), self._supervision.live.get(channel_id))
            self._events.publish("channel", view.model_copy(update={"outputs": known.outputs}))
