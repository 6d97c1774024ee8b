"""``mcr watch`` without a noun: what changes, a line each, for scripts and for screen readers."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Final

import typer

from mcr_console.cli.alarms import alarm_line
from mcr_console.cli.commands import AsJson, home
from mcr_console.cli.naming import pick_channel
from mcr_console.cli.places import socket_to_use
from mcr_console.cli.signals import run_until_signal
from mcr_console.cli.wording import channel_line, state_words
from mcr_console.client import Client
from mcr_console.clock import Clock, SystemClock
from mcr_console.event_stream import Event, LinkMessage, Lost
from mcr_console.safe_text import safe
from mcr_console.wall_state import ChannelState, WallBuilder
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.channel import Channel, ChannelLive
from supervisor.schemas.event import ChannelDeleted, Reset
from supervisor.schemas.node import Node

_LONGEST_S: Final = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Said:
    """One line. ``kind``: ``link``, ``channel``, ``alarm`` or ``node``; ``id`` is of what it is of, empty for none."""

    at: str
    kind: str
    id: str
    text: str


class Follower:
    """Messages of the link in, lines out: only what an operator would call a change. ``only``: one channel's id."""

    def __init__(self, clock: Clock, only: str | None = None) -> None:
        self._clock = clock
        self._only = only
        self._wall = WallBuilder(clock)
        self._channels: dict[str, tuple[object, ...]] = {}
        self._names: dict[str, str] = {}
        self._nodes: dict[str, tuple[object, ...]] = {}
        self._alarms: dict[str, tuple[tuple[object, ...], str]] = {}
        self._lost = False

    def hear(self, message: LinkMessage) -> list[Said]:
        """What to say of it; nothing where nothing changed."""
        self._wall.merge(message)
        match message:
            case Lost(error=error):
                if self._lost:
                    return []
                self._lost = True
                return [self._said("link", "", f"Supervisor lost: {error.title}, {error.detail}. Playout goes on.")]
            case Event(payload=payload):
                said = [self._said("link", "", "The supervisor is there again.")] if self._lost else []
                self._lost = False
                return said + self._of(payload)
            case _:
                return []

    def _of(self, payload: object) -> list[Said]:
        match payload:
            case Reset(channels=channels, nodes=nodes, alarms=alarms):
                gone = self._channels.keys() - {channel.id for channel in channels}
                cleared = self._alarms.keys() - {alarm.id for alarm in alarms}
                said = [one for id_ in gone for one in self._deleted(id_)]
                said += [one for id_ in self._wall.state().order for one in self._channel(id_)]
                said += [one for node in nodes for one in self._node(node)]
                said += [one for alarm in alarms for one in self._alarm(alarm)]
                for alarm_id in cleared:
                    _, text = self._alarms.pop(alarm_id)
                    said.append(self._said("alarm", alarm_id, f"Alarm cleared: {text}"))
                return said
            case Channel(id=channel_id) | ChannelLive(channel_id=channel_id):
                return self._channel(channel_id)
            case ChannelDeleted(channel_id=channel_id):
                return self._deleted(channel_id)
            case Node():
                return self._node(payload)
            case Alarm():
                return self._alarm(payload)
            case _:
                return []

    def _channel(self, channel_id: str) -> list[Said]:
        state = self._wall.state().channels.get(channel_id)
        if state is None or self._only not in {None, channel_id}:
            return []
        essence = _essence(state)
        if self._channels.get(channel_id) == essence:
            return []
        self._channels[channel_id] = essence
        channel = state.channel.model_copy(update={"live": state.live})
        self._names[channel_id] = f"{channel.number} {channel.name}"
        return [self._said("channel", channel_id, channel_line(channel))]

    def _deleted(self, channel_id: str) -> list[Said]:
        if self._channels.pop(channel_id, None) is None:
            return []
        return [self._said("channel", channel_id, f"{safe(self._names.get(channel_id, channel_id))}: deleted")]

    def _node(self, node: Node) -> list[Said]:
        essence = (node.state, node.draining, node.maintenance, node.lost_at is not None)
        before, self._nodes[node.id] = self._nodes.get(node.id), essence
        if before == essence or self._only is not None:
            return []
        words = [node.state]
        words += ["in maintenance"] if node.maintenance else ["draining"] if node.draining else []
        words += ["declared lost"] if node.lost_at is not None else []
        return [self._said("node", node.id, f"Node {safe(node.name)}: {', '.join(words)}")]

    def _alarm(self, alarm: Alarm) -> list[Said]:
        if self._only not in {None, alarm.channel_id}:
            return []
        text = alarm_line(alarm, self._names)
        if alarm.cleared_at is not None:
            known = self._alarms.pop(alarm.id, None)
            return [] if known is None else [self._said("alarm", alarm.id, f"Alarm cleared: {text}")]
        essence = (alarm.severity, alarm.acknowledged_by, alarm.text)
        known = self._alarms.get(alarm.id)
        self._alarms[alarm.id] = (essence, text)
        if known is not None and known[0] == essence:
            return []
        return [self._said("alarm", alarm.id, f"Alarm: {text}")]

    def _said(self, kind: str, id_: str, text: str) -> Said:
        return Said(f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}", kind, id_, text)


def _essence(state: ChannelState) -> tuple[object, ...]:
    """What of a channel is a change: not its position, its figures and its heartbeat."""
    live = state.live
    item = None if live.item is None else (live.item.item_id, live.item.title)
    follows = None if live.next is None else (live.next.item_id, live.next.cued, live.next.in_frames_left is None)
    control = None if live.control is None else live.control.seat
    words = state_words(state.channel.model_copy(update={"live": live}))
    return words, item, follows, live.hold, live.node_id, control, live.alarms


def follow(
    ctx: typer.Context,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Only this one; number or name.")] = None,
    seconds: Annotated[float, typer.Option("--for", min=0.1, max=_LONGEST_S, help="End after so long.")] = _LONGEST_S,
    as_json: AsJson = False,
) -> None:
    """Say what changes, a line each, until Ctrl-C: channels, alarms, nodes, the link. With a noun: watched folders."""
    if ctx.invoked_subcommand is not None:
        return

    async def run() -> None:
        async with Client.at(socket=socket_to_use(home())) as client:
            only = None if channel is None else pick_channel(channel, await client.channels()).id
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await tell(client, Follower(SystemClock(), only), printed_json if as_json else printed)

    asyncio.run(run_until_signal(run()))


async def tell(client: Client, follower: Follower, say: Callable[[Said], None]) -> None:
    """For ever: reconnects by itself, and says so."""
    async with aclosing(client.events()) as messages:
        async for message in messages:
            for one in follower.hear(message):
                say(one)


def printed(one: Said) -> None:
    at = datetime.fromisoformat(one.at)
    print(f"{at:%H:%M:%S} UTC {one.text}", flush=True)


def printed_json(one: Said) -> None:
    print(json.dumps(asdict(one)), flush=True)
