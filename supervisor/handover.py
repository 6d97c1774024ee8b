"""What stands: everything that a shift must know of and that nobody would see by looking at what is normal. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final, get_args

from supervisor.schemas.alarm import Alarm
from supervisor.schemas.channel import Channel
from supervisor.schemas.handover import Standing, StandingKind
from supervisor.schemas.node import Node

_ORDER: Final = {kind: rank for rank, kind in enumerate(get_args(StandingKind))}
_SEVERITY: Final = {"critical": 0, "warning": 1, "info": 2}


def standing(channels: Sequence[Channel], nodes: Iterable[Node], alarms: Iterable[Alarm]) -> tuple[Standing, ...]:
    """In order of loudness, then by channel number."""
    names = {channel.id: _name(channel) for channel in channels}
    machines = {node.id: node for node in nodes}
    found = [one for channel in sorted(channels, key=lambda one: one.number) for one in _of_channel(channel)]
    found += [
        Standing(
            kind="alarm",
            channel_id=alarm.channel_id,
            node_id=alarm.node_id,
            who=names.get(alarm.channel_id or "") or _machine(machines, alarm.node_id) or _other(alarm),
            text=f"{alarm.severity}: {alarm.text}" + (f" ({alarm.instruction})" if alarm.instruction else ""),
            since=alarm.raised_at,
            by=alarm.acknowledged_by or "",
        )
        for alarm in sorted(alarms, key=lambda one: (_SEVERITY[one.severity], one.raised_at))
    ]
    found += [one for node in sorted(machines.values(), key=lambda node: node.name) for one in _of_node(node)]
    return tuple(sorted(found, key=lambda one: _ORDER[one.kind]))


def _of_channel(channel: Channel) -> list[Standing]:
    live = channel.live
    found: list[Standing] = []

    def stands(kind: StandingKind, text: str, *, by: str = "") -> None:
        found.append(Standing(kind=kind, channel_id=channel.id, who=_name(channel), text=text, by=by))

    if live.off_air_since is not None:
        why = live.reason or live.decision
        found.append(
            Standing(
                kind="off air", channel_id=channel.id, who=_name(channel), text=f"should be on air and is not: {why}",
                since=live.off_air_since,
            )
        )  # fmt: skip
    match live.picture:
        case "standby":
            stands("standby", f"on the emergency slate: {live.reason}".removesuffix(": "))
        case "freeze":
            stands("frozen", "the picture stands still until somebody lets it run on")
        case "filler":
            stands("filler", f"filler is on air: {live.reason}".removesuffix(": "))
        case _:
            pass
    if live.picture == "hold" or (live.item is not None and live.next is not None and _waits(channel)):
        follows = "" if live.next is None else f", then {live.next.title} follows"
        stands("hold", f"waits for a take{follows}")
    elif live.hold:
        stands("hold", "will wait for a take after the item on air")
    if live.logo is not None and live.logo.override != "auto":
        stands("logo", f"the logo is {live.logo.override} by hand, until the next item")
    if channel.hold_failover:
        stands("failover held", "is not moved to another node, whatever becomes of its own",
               by=channel.hold_failover_by or "")  # fmt: skip
    if live.control is not None:
        where = f" at {live.control.station}" if live.control.station else ""
        found.append(
            Standing(
                kind="control", channel_id=channel.id, who=_name(channel),
                text=f"under control of {live.control.operator}{where}", since=live.control.since,
                by=live.control.operator,
            )
        )  # fmt: skip
    if channel.desired == "off" and live.phase == "off" and channel.playlist_id is not None:
        stands("stopped", "is off, as asked")
    return found


def _waits(channel: Channel) -> bool:
    """The next item comes by a take alone; what is on air meanwhile may go round and round."""
    live = channel.live
    return live.picture == "item" and live.next is not None and live.next.in_frames_left is None and not live.hold


def _of_node(node: Node) -> list[Standing]:
    found: list[Standing] = []
    if node.maintenance:
        text = f"in maintenance: its channels are moved elsewhere; {node.channels} are there now"
        found.append(Standing(kind="maintenance", node_id=node.id, who=node.name, text=text))
    elif node.draining:
        text = f"drains: it gets no new channels; {node.channels} are there now"
        found.append(Standing(kind="draining", node_id=node.id, who=node.name, text=text))
    if node.lost_at is not None:
        found.append(
            Standing(
                kind="declared lost", node_id=node.id, who=node.name,
                text=f"declared lost: {node.lost_reason or 'no reason given'}", since=node.lost_at,
                by=node.lost_by or "",
            )
        )  # fmt: skip
    return found


def _other(alarm: Alarm) -> str:
    return "recorder" if alarm.recorder_id is not None else "system"


def _machine(nodes: dict[str, Node], node_id: str | None) -> str:
    node = nodes.get(node_id or "")
    return "" if node is None else node.name


def _name(channel: Channel) -> str:
    return f"{channel.number} {channel.name}"
