"""What the console knows, as one immutable value, and the one place that makes it from the supervisor's events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from mcr_console.clock import Clock
from mcr_console.event_stream import SILENCE_S, Event, LinkMessage, Lost, Unreadable
from mcr_console.http import Silent
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import Channel, ChannelLive
from supervisor.schemas.event import Beat, ChannelDeleted, NodeDeleted, PlaylistChanged, Reset, SupervisorInfo
from supervisor.schemas.node import Node

ASRUN_KEPT: Final = 300
"""Newest as-run events kept for tails; the as-run screen fetches what is older."""
LATE_S: Final = 2.0
"""Age of a heartbeat from which it is a warning; the supervisor polls every second."""
CALM_S: Final = 1.25
"""A heartbeat comes every second; so long without one and its age is counted on the screen."""
MOVING: Final = ("item", "filler", "standby")
"""Pictures whose item, where there is one, runs on."""
_OF_CHANNELS: Final = frozenset({"reset", "channel", "channel_live", "channel_deleted"})
"""Events by which the channels are shown: with one of them unread, what is shown may be wrong."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel. ``heard`` is the console's monotonic second at which ``live`` arrived."""

    channel: Channel
    live: ChannelLive
    heard: float

    def heartbeat_age(self, now: float) -> float | None:
        """Seconds since its sidecar spoke; None when it never did."""
        if self.live.heartbeat_age_ms is None:
            return None
        return self.live.heartbeat_age_ms / 1000 + max(0.0, now - self.heard)

    def frames_since(self, now: float) -> int:
        """Frames that have passed since the sidecar spoke, at the channel's rate."""
        age = self.heartbeat_age(now)
        if age is None or self.live.picture not in MOVING or self.live.observed not in {"on_air", "late"}:
            return 0
        numerator, _, denominator = self.channel.format.rate.partition("/")
        return round(age * 1000) * int(numerator) // (1000 * int(denominator or 1))

    def position(self, now: float) -> int | None:
        """Frame of the item that should be showing at ``now``, never past its end; None without an item."""
        item = self.live.item
        if item is None:
            return None
        passed = self.frames_since(now) if self.live.picture == "item" else 0
        position = item.position_frames + passed
        return position if item.duration_frames is None else min(position, item.duration_frames)


@dataclass(frozen=True, slots=True)
class Link:
    """The link to the supervisor. ``since`` is when it was last known to be alive, or when the console began."""

    kind: Literal["connecting", "live", "lost"]
    since: datetime
    heard: float
    """Monotonic second of the last event."""
    reason: str = ""
    hint: str = ""
    retry_at: float | None = None
    silent: bool = False
    """Nobody refused: it is there, or the way there, and does not answer."""


@dataclass(frozen=True, slots=True)
class WallState:
    """``channels`` and ``order`` go by channel id, ``order`` by number. A value never changes once it is made."""

    link: Link
    channels: Mapping[str, ChannelState] = field(default_factory=dict[str, ChannelState])
    order: tuple[str, ...] = ()
    nodes: Mapping[str, Node] = field(default_factory=dict[str, Node])
    alarms: tuple[Alarm, ...] = ()
    """Not cleared, newest first."""
    asrun: tuple[AsRunEvent, ...] = ()
    """The newest events of all channels, newest first."""
    rundown_news: Mapping[str, int] = field(default_factory=dict[str, int])
    """Grows for a channel when its rundown is to be fetched again."""
    supervisor: SupervisorInfo | None = None
    supervisor_heard: float = 0.0
    unreadable: str = ""
    blind: bool = False
    """What was said of a channel could not be read: the supervisor is there, and what is shown of it is old. The link's
    times then stay at the last of it that was whole."""
    loaded: bool = False
    """A first snapshot has come: an empty wall is then truly empty."""

    def stale(self, now: float) -> bool:
        """True when what is shown may no longer be so."""
        return self.blind or self.link.kind != "live" or now - self.link.heard > SILENCE_S

    def as_of(self, now: float) -> float:
        """The monotonic second up to which positions may be carried on: now, or when the link was last alive."""
        return self.link.heard if self.stale(now) else now

    def supervisor_now(self, now: float) -> datetime | None:
        """The supervisor's clock at monotonic second ``now``; None before it spoke."""
        if self.supervisor is None:
            return None
        return self.supervisor.at + timedelta(seconds=max(0.0, now - self.supervisor_heard))

    def calm(self, channel_id: str, now: float) -> float:
        """``as_of`` for what is seen at a glance: a channel's time goes on with its heartbeats while they come."""
        seen, heard = self.as_of(now), self.channels[channel_id].heard
        return min(seen, heard) if seen - heard < CALM_S else seen

    def by_number(self, number: int) -> str | None:
        """The id of the channel with that number."""
        return next((id_ for id_ in self.order if self.channels[id_].channel.number == number), None)


class WallBuilder:
    """Merges what the link says. ``state()`` is cheap while nothing changes and always the same object then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._channels: dict[str, ChannelState] = {}
        self._nodes: dict[str, Node] = {}
        self._alarms: dict[str, Alarm] = {}
        self._asrun: dict[tuple[str, str, int], AsRunEvent] = {}
        self._news: dict[str, int] = {}
        self._state = WallState(Link("connecting", clock.now(), clock.monotonic()))
        self._dirty = False

    def state(self) -> WallState:
        """The value as of the last message."""
        if self._dirty:
            self._dirty = False
            order = sorted(self._channels, key=lambda id_: (self._channels[id_].channel.number, id_))
            self._state = replace(
                self._state,
                channels=dict(self._channels),
                order=tuple(order),
                nodes=dict(self._nodes),
                alarms=tuple(sorted(self._alarms.values(), key=lambda alarm: alarm.raised_at, reverse=True)),
                asrun=self._newest_asrun(),
                rundown_news=dict(self._news),
            )
        return self._state

    def merge(self, message: LinkMessage) -> None:
        """Takes one message in; the last word on a channel wins, an older version of it never does."""
        match message:
            case Event():
                self._take_in(message)
                self._alive()
            case Unreadable(name=name, error=error):
                # No sign of life: what cannot be read may say that all that is shown is no longer so.
                self._state = replace(self._state, unreadable=f"{name}: {error.detail}")
                if name in _OF_CHANNELS:
                    self._state = replace(self._state, blind=True)
            case Lost(error=error, retry_in_s=retry_in_s):
                since = self._state.link.since
                kind = "connecting" if self._state.link.kind == "connecting" else "lost"
                now = self._clock.monotonic()
                self._state = replace(
                    self._state,
                    link=Link(
                        kind,
                        since,
                        self._state.link.heard,
                        f"{error.title}: {error.detail}",
                        error.hint,
                        now + retry_in_s,
                        silent=isinstance(error, Silent),
                    ),
                )

    def _alive(self) -> None:
        link = Link("live", self._clock.now(), self._clock.monotonic())
        if self._state.blind:
            # It is there, and what is shown does not get newer by that.
            link = replace(link, since=self._state.link.since, heard=self._state.link.heard)
        self._state = replace(self._state, link=link)

    def _take_in(self, event: Event) -> None:
        payload = event.payload
        self._dirty = self._dirty or not isinstance(payload, Beat)
        match payload:
            case Beat(supervisor=info):
                self._supervisor(info)
            case Reset():
                self._reset(payload)
            case Channel():
                self._channel(payload)
            case ChannelLive():
                self._live(payload)
            case ChannelDeleted(channel_id=channel_id):
                self._channels.pop(channel_id, None)
                self._alarms = {id_: alarm for id_, alarm in self._alarms.items() if alarm.channel_id != channel_id}
            case PlaylistChanged(channel_ids=channel_ids):
                for channel_id in channel_ids:
                    self._news[channel_id] = self._news.get(channel_id, 0) + 1
            case AsRunEvent():
                self._asrun[payload.channel_id, payload.run_id, payload.seq] = payload
            case Alarm():
                self._alarm(payload)
            case Node():
                self._nodes[payload.id] = payload
            case NodeDeleted(node_id=node_id):
                self._nodes.pop(node_id, None)
            case _:
                pass

    def _supervisor(self, info: SupervisorInfo) -> None:
        self._state = replace(self._state, supervisor=info, supervisor_heard=self._clock.monotonic())

    def _reset(self, reset: Reset) -> None:
        heard = self._clock.monotonic()
        self._supervisor(reset.supervisor)
        self._channels = {channel.id: ChannelState(channel, channel.live, heard) for channel in reset.channels}
        self._nodes = {node.id: node for node in reset.nodes}
        self._alarms = {alarm.id: alarm for alarm in reset.alarms}
        # What happened to the rundowns meanwhile is unknown: all of them are to be fetched again.
        self._news = {id_: self._news.get(id_, 0) + 1 for id_ in self._channels}
        self._state = replace(self._state, loaded=True, unreadable="", blind=False)

    def _channel(self, channel: Channel) -> None:
        known = self._channels.get(channel.id)
        if known is not None and channel.rev < known.channel.rev:
            return
        if known is not None and known.live.version >= channel.live.version:
            self._channels[channel.id] = ChannelState(channel, known.live, known.heard)
        else:
            self._channels[channel.id] = ChannelState(channel, channel.live, self._clock.monotonic())

    def _live(self, live: ChannelLive) -> None:
        known = self._channels.get(live.channel_id)
        if known is None or live.version < known.live.version:
            return
        self._channels[live.channel_id] = ChannelState(known.channel, live, self._clock.monotonic())
        if live.playlist_revision != known.live.playlist_revision:
            self._news[live.channel_id] = self._news.get(live.channel_id, 0) + 1

    def _alarm(self, alarm: Alarm) -> None:
        if alarm.cleared_at is None:
            self._alarms[alarm.id] = alarm
        else:
            self._alarms.pop(alarm.id, None)

    def _newest_asrun(self) -> tuple[AsRunEvent, ...]:
        newest = sorted(self._asrun.values(), key=lambda event: (event.start_at, event.seq), reverse=True)
        if len(newest) > ASRUN_KEPT:
            newest = newest[:ASRUN_KEPT]
            self._asrun = {(event.channel_id, event.run_id, event.seq): event for event in newest}
        return tuple(newest)
