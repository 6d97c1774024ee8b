"""What needs somebody, over all channels, the loudest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.condition import condition
from mcr_console.drawing.strips import blank, columns, line
from mcr_console.palette import Palette
from mcr_console.wall_state import WallState
from supervisor.schemas.alarm import Alarm

_RANK = {"off_air": 0, "critical": 1, "warning": 2, "info": 3}


@dataclass(frozen=True, slots=True)
class Attention:
    """``channel_id`` is the recorder's in its alarms, None for what concerns neither. ``since`` is None when nobody
    knows."""

    loudness: Literal["off_air", "critical", "warning", "info"]
    since: datetime | None
    channel_id: str | None
    text: str
    acknowledged: str = ""


def attention(state: WallState, now: datetime) -> tuple[Attention, ...]:
    """Alarms that are neither cleared nor put aside, and channels off air or with a warning that no alarm speaks of.

    ``now``: the supervisor's, as far as it is known.
    """
    found: list[Attention] = []
    spoken: set[str] = set()
    for alarm in state.alarms:
        known = state.channels.get(alarm.channel_id or "")
        off_air = known is not None and condition(known).tally == "off_air"
        if is_shelved(alarm, now):
            if not off_air:
                spoken.add(alarm.channel_id or "")
            continue
        spoken.add(alarm.channel_id or "")
        found.append(
            Attention(
                "off_air" if off_air else alarm.severity,
                alarm.raised_at,
                alarm.channel_id or alarm.recorder_id,
                alarm.text if known is None else without_name(alarm.text, known.channel.name),
                alarm.acknowledged_by or "",
            )
        )
    for channel_id in state.order:
        verdict = condition(state.channels[channel_id])
        if channel_id in spoken or not verdict.needs_somebody:
            continue
        loud: Literal["off_air", "warning"] = "off_air" if verdict.tally == "off_air" else "warning"
        tally = () if verdict.tally == "on_air" else (verdict.word,)
        words = " ".join((*tally, *verdict.warnings))
        text = f"{words}: {verdict.why}" if verdict.why else words
        found.append(Attention(loud, state.channels[channel_id].live.off_air_since, channel_id, text))
    return tuple(sorted(found, key=lambda one: (bool(one.acknowledged), _RANK[one.loudness])))


def is_shelved(alarm: Alarm, now: datetime) -> bool:
    """Put aside until later."""
    return alarm.shelved_until is not None and alarm.shelved_until > now


def without_name(text: str, name: str) -> str:
    """An alarm's text without the channel's name before it, for where the name stands beside it."""
    rest = text.removeprefix(name)
    return rest.lstrip(": ") or text if rest.startswith((" ", ":")) else text


def render_attention(state: WallState, width: int, height: int, clock: Clock, palette: Palette) -> list[Strip]:
    """A heading and one line for each, so many as ``height`` has room for; the last line counts the rest."""
    found = attention(state, state.supervisor_now(clock.monotonic()) or clock.now())
    base = palette.ground
    stale = state.stale(clock.monotonic())
    if not found:
        quiet = "nothing needs you" if state.loaded and not stale else ""
        return [line(width, base, [(" ATTENTION ", palette.strong), (quiet, palette.dim)])] + [blank(width, base)] * (
            height - 1
        )
    strips = [line(width, base, [(" ATTENTION ", palette.strong), (str(len(found)), palette.warning)])]
    shown = found if len(found) <= height - 1 else found[: max(0, height - 2)]
    for one in shown:
        style = {"off_air": palette.off_air, "critical": palette.warning, "warning": palette.warning}.get(
            one.loudness, palette.dim
        )
        if stale or one.acknowledged:
            style = palette.dim
        known = state.channels.get(one.channel_id or "")
        other = "system" if one.channel_id is None else "recorder"  # of a channel that is none here
        who = f"{known.channel.number} {known.channel.name}" if known is not None else other
        when = "" if one.since is None else f"{clock.local(one.since):%H:%M:%S}"
        seen = f"{palette.glyphs.done} {one.acknowledged}: " if one.acknowledged else ""
        strips.append(
            columns(
                width, base, [(f" {when}", palette.dim, 10), (who, palette.strong, 16), (seen + one.text, style, 20)]
            )
        )
    if len(shown) < len(found):
        strips.append(line(width, base, [(f"           and {len(found) - len(shown)} more", palette.dim)]))
    return (strips + [blank(width, base)] * height)[:height]
