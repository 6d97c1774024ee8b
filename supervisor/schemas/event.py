"""Server-sent events of ``GET /api/v1/events``.

Each event's ``id`` is ``<boot>-<number>``. With ``Last-Event-ID`` the stream resumes after it; an id that the
bounded ring no longer has, or of another boot, gets ``reset`` with a snapshot first. A new stream begins with
``reset`` too.
"""

from typing import Literal

from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Id, Instant, Schema
from supervisor.schemas.channel import Channel, ChannelLive
from supervisor.schemas.node import Node
from supervisor.schemas.recorder import Recorder, RecorderDeleted, RecorderSeen
from supervisor.schemas.schedule import Schedule, ScheduleDeleted

EventName = Literal[
    "reset",
    "channel",
    "channel_live",
    "channel_deleted",
    "playlist",
    "asrun",
    "alarm",
    "node",
    "node_deleted",
    "recorder",
    "recorder_live",
    "recorder_deleted",
    "schedule",
    "schedule_deleted",
    "beat",
]


class SupervisorInfo(Schema):
    """``keeps``: for how long it keeps what is past, in words."""

    name: str
    version: str
    boot_id: str
    leader: bool
    term: int
    loop_lag_ms: float
    keeps: str = ""
    at: Instant


class Reset(Schema):
    """Everything a console shows; replaces all it knew. ``alarms`` are those not cleared."""

    supervisor: SupervisorInfo
    channels: tuple[Channel, ...]
    nodes: tuple[Node, ...]
    alarms: tuple[Alarm, ...]


class ChannelDeleted(Schema):
    channel_id: Id


class NodeDeleted(Schema):
    node_id: Id


class PlaylistChanged(Schema):
    """A playlist's items changed: rundowns of ``channel_ids`` are to be fetched again."""

    playlist_id: Id
    revision: int
    channel_ids: tuple[Id, ...]


class Beat(Schema):
    """Once a second, so that a client tells a quiet supervisor from a lost one."""

    supervisor: SupervisorInfo


PAYLOADS: dict[str, type[Schema]] = {
    "reset": Reset,
    "channel": Channel,
    "channel_live": ChannelLive,
    "channel_deleted": ChannelDeleted,
    "playlist": PlaylistChanged,
    "asrun": AsRunEvent,
    "alarm": Alarm,
    "node": Node,
    "node_deleted": NodeDeleted,
    "recorder": Recorder,
    "recorder_live": RecorderSeen,
    "recorder_deleted": RecorderDeleted,
    "schedule": Schedule,
    "schedule_deleted": ScheduleDeleted,
    "beat": Beat,
}
