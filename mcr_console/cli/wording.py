"""Values as lines of text: whole sentences rather than columns, so that a screen reader can follow."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mcr_console.condition import condition
from mcr_console.hands import holder
from mcr_console.safe_text import safe
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import Channel, ChannelLive


def clock(seconds: float) -> str:
    """``0:07``, ``12:34`` or ``1:02:03``; whole seconds, cut off."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def frames_clock(frames: int, rate: str) -> str:
    return clock(float(frames / Fraction(rate)))


def local_time(at: datetime, zone: str) -> str:
    """Date and time of day in a channel's zone, in UTC (and saying so) where this machine does not know the zone."""
    try:
        return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    except (ZoneInfoNotFoundError, ValueError):
        return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def is_on_air(live: ChannelLive) -> bool:
    return live.observed in {"on_air", "late"}


def is_settled_on_air(live: ChannelLive) -> bool:
    """On air, and the supervisor has seen it so: what a start waits for."""
    return is_on_air(live) and live.phase == "running"


def state_words(channel: Channel) -> str:
    """What a channel is: the verdict of the console's screens, with its reason."""
    verdict = condition(ChannelState(channel, channel.live, heard=0.0))
    return ", ".join(safe(words) for words in (verdict.word, verdict.warning, verdict.why) if words)


def channel_line(channel: Channel) -> str:
    """One channel, one line."""
    live = channel.live
    parts = [f"{channel.number} {safe(channel.name)}: {state_words(channel)}"]
    if live.item is not None and is_on_air(live):
        rate = channel.format.rate
        place = frames_clock(live.item.position_frames, rate)
        if live.item.duration_frames is not None:
            place += f" of {frames_clock(live.item.duration_frames, rate)}"
        parts.append(f'"{safe(live.item.title)}" {place}')
    if live.next is not None and is_on_air(live):
        when = (
            "at a take"
            if live.next.in_frames_left is None
            else f"in {frames_clock(live.next.in_frames_left, channel.format.rate)}"
        )
        if live.next.live is not None and live.next.live.state in {"connecting", "lost"}:
            when += f", its input {live.next.live.state}: {safe(live.next.live.detail) or 'no picture yet'}"
        parts.append(f'next "{safe(live.next.title)}" {when}')
    if live.node_name is not None:
        parts.append(f"node {safe(live.node_name)}")
    if live.heartbeat_age_ms is not None and live.desired == "on":
        parts.append(f"heartbeat {live.heartbeat_age_ms / 1000:.1f} s old")
    if live.frames_late:
        parts.append(counted(live.frames_late, "frame", "frames") + " late")
    if live.control is not None:
        parts.append(f"under control of {safe(holder(live.control))}")
    if live.alarms:
        parts.append(counted(live.alarms, "alarm"))
    return ", ".join(parts)
