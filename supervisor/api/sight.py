"""What of the whole station's state a principal sees: its channels, their alarms, the machines that play them."""

from collections.abc import Set

from supervisor.api import views
from supervisor.api.permissions import Permission, may, sees, sees_all
from supervisor.loops.supervision import Supervision
from supervisor.principal import Principal
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Schema
from supervisor.schemas.channel import Channel
from supervisor.schemas.event import (
    PAYLOADS,
    ChannelDeleted,
    EventName,
    NodeDeleted,
    PlaylistChanged,
    Reset,
)
from supervisor.schemas.node import Node
from supervisor.schemas.recorder import Recorder, RecorderDeleted, RecorderSeen
from supervisor.schemas.schedule import Schedule, ScheduleDeleted


def mine_of(who: Principal, supervision: Supervision) -> frozenset[str]:
    """The nodes of the channels that ``who`` sees."""
    return frozenset(
        node_id
        for row in supervision.rows()
        if sees(who, row.project_id)
        for node_id in (row.node_id, row.fencing_node_id)
        if node_id is not None
    )


def node_for(who: Principal, node: Node, mine: Set[str]) -> Node | None:
    """A node as ``who`` may see it: whole, or that it plays what is theirs and whether it answers, or not at all."""
    if may(who, Permission.VIEW_STATION):
        return node
    if node.id not in mine:
        return None
    names = ("id", "name", "kind", "capacity", "draining", "maintenance", "created_at", "rev", "last_answer_age_ms")
    kept = {name: getattr(node, name) for name in (*names, "state", "away_since")}
    return Node.model_validate({**kept, "url": None})


def recorder_projects(supervision: Supervision) -> dict[str, str | None]:
    """The project of every recorder as it was last read, by the recorder's id."""
    return {row.id: row.project_id for row in supervision.recorder_rows()}


def alarm_seen(who: Principal, alarm: Alarm, projects: dict[str, str | None]) -> bool:
    """``projects``: of channels and recorders, by id."""
    subject = alarm.channel_id or alarm.recorder_id
    if subject is None:
        return may(who, Permission.VIEW_STATION)
    return sees(who, projects.get(subject))


def seen_by(who: Principal, reset: Reset, recorders: dict[str, str | None] | None = None) -> Reset:
    """``recorders``: their projects by id."""
    if sees_all(who):
        return reset
    channels = [channel for channel in reset.channels if sees(who, channel.project_id)]
    mine = frozenset(channel.live.node_id for channel in channels if channel.live.node_id is not None)
    projects = {channel.id: channel.project_id for channel in channels} | (recorders or {})
    return Reset(
        supervisor=reset.supervisor,
        channels=tuple(views.without_keys(channel, who) for channel in channels),
        nodes=tuple(one for node in reset.nodes if (one := node_for(who, node, mine)) is not None),
        alarms=tuple(alarm for alarm in reset.alarms if alarm_seen(who, alarm, projects)),
    )


class StreamSight:
    """What of an event stream one principal is told.

    It remembers which channels it told of: of one that leaves the principal's sight it says that it is gone.
    """

    def __init__(self, who: Principal, supervision: Supervision) -> None:
        self._who = who
        self._supervision = supervision
        self._channels: set[str] = set()
        self._recorders: set[str] = set()

    @property
    def is_whole(self) -> bool:
        """Whether it is told of everything as it is."""
        return sees_all(self._who)

    def begin(self, reset: Reset) -> Reset:
        """The snapshot that the stream begins with."""
        seen = seen_by(self._who, reset, recorder_projects(self._supervision))
        self._channels = {channel.id for channel in seen.channels}
        return seen

    def told(self, name: EventName, data: str, live_of: str | None) -> tuple[EventName, str] | None:
        """The event as this principal is told of it, or None. ``live_of``: the channel of a ``channel_live``."""
        if name == "beat" or self.is_whole:
            return name, data
        if live_of is not None:
            return (name, data) if live_of in self._channels and self._sees_channel(live_of) else None
        payload = PAYLOADS[name].model_validate_json(data)
        seen = self._seen(payload)
        if seen is payload:
            return name, data
        if isinstance(seen, ChannelDeleted):
            name = "channel_deleted"
        return None if seen is None else (name, seen.model_dump_json())

    def _seen(self, payload: Schema) -> Schema | None:
        match payload:
            case Channel():
                return self._channel(payload)
            case ChannelDeleted(channel_id=channel_id):
                there = channel_id in self._channels
                self._channels.discard(channel_id)
                return payload if there else None
            case AsRunEvent(channel_id=channel_id):
                return payload if channel_id in self._channels else None
            case PlaylistChanged(channel_ids=channel_ids):
                mine = tuple(id_ for id_ in channel_ids if id_ in self._channels)
                return payload.model_copy(update={"channel_ids": mine}) if mine else None
            case Alarm():
                return payload if self._alarm(payload) else None
            case Node():
                return node_for(self._who, payload, mine_of(self._who, self._supervision))
            case NodeDeleted():
                return payload if may(self._who, Permission.VIEW_STATION) else None
            case Recorder(project_id=project_id, id=recorder_id):
                if not sees(self._who, project_id):
                    return None
                self._recorders.add(recorder_id)
                return payload
            case RecorderSeen() | Schedule() | ScheduleDeleted():
                return payload if self._sees_recorder(payload.recorder_id) else None
            case RecorderDeleted(recorder_id=recorder_id):
                there = recorder_id in self._recorders
                self._recorders.discard(recorder_id)
                return payload if there else None
            case _:
                return None

    def _channel(self, channel: Channel) -> Schema | None:
        if sees(self._who, channel.project_id):
            self._channels.add(channel.id)
            return views.without_keys(channel, self._who)
        if channel.id in self._channels:
            self._channels.discard(channel.id)
            return ChannelDeleted(channel_id=channel.id)
        return None

    def _sees_channel(self, channel_id: str) -> bool:
        row = self._supervision.row(channel_id)
        return row is not None and sees(self._who, row.project_id)

    def _sees_recorder(self, recorder_id: str) -> bool:
        return sees(self._who, recorder_projects(self._supervision).get(recorder_id))

    def _alarm(self, alarm: Alarm) -> bool:
        if alarm.channel_id is not None:
            return alarm.channel_id in self._channels
        return alarm_seen(self._who, alarm, recorder_projects(self._supervision))
