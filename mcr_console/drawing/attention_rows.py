"""What needs somebody over all channels: alarms in their four states, and what is coming, by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.style import Style
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.condition import condition
from mcr_console.drawing.attention import is_shelved, without_name
from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, columns, line
from mcr_console.palette import Palette
from mcr_console.safe_text import age
from mcr_console.wall_state import WallState
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.coming import Coming

SOON_S: Final = 60.0
"""Seconds before something from which it is no longer calm."""
_LOUD: Final = {"critical": 0, "warning": 1, "info": 2}
KINDS: Final = {
    "hold": "HOLD", "take": "TAKE", "live": "LIVE", "media": "MEDIA", "gap": "GAP", "overrun": "OVERRUN",
    "list_end": "LIST ENDS", "port": "PORT CLASH", "clock": "CLOCK", "output": "OUTPUT",
}  # fmt: skip


_ALARMED: Final = {"output_down": "output", "clock_offset": "clock"}
"""What is told as coming, and needs no second line while its alarm is there."""


@dataclass(frozen=True, slots=True)
class Board:
    """``dark`` and ``unspoken``: channels off air, or that need somebody, and of which no alarm speaks. ``now``: the
    supervisor's clock."""

    now: datetime
    alarms: tuple[Alarm, ...]
    seen: tuple[Alarm, ...]
    shelved: tuple[Alarm, ...]
    over: tuple[Alarm, ...]
    dark: tuple[str, ...]
    unspoken: tuple[str, ...]
    coming: tuple[Coming, ...]


def board(wall: WallState, over: Sequence[Alarm], coming: Sequence[Coming], now: datetime) -> Board:
    """Put in order: what nobody acknowledged first, the loudest and newest before; what is coming by its time."""
    aside = tuple(alarm for alarm in wall.alarms if is_shelved(alarm, now))
    rest = [alarm for alarm in wall.alarms if not is_shelved(alarm, now)]
    dark = {id_ for id_ in wall.order if condition(wall.channels[id_]).tally == "off_air"}
    rest.sort(key=lambda alarm: (alarm.channel_id not in dark, _LOUD[alarm.severity]))
    alarmed = {(_ALARMED.get(alarm.code), alarm.channel_id or alarm.node_id) for alarm in wall.alarms}
    spoken = {alarm.channel_id for alarm in wall.alarms}
    return Board(
        now=now,
        alarms=tuple(alarm for alarm in rest if alarm.acknowledged_at is None),
        seen=tuple(alarm for alarm in rest if alarm.acknowledged_at is not None),
        shelved=aside,
        over=tuple(alarm for alarm in over if alarm.cleared_at is not None),
        dark=tuple(id_ for id_ in wall.order if id_ in dark and id_ not in spoken),
        unspoken=tuple(
            id_
            for id_ in wall.order
            if id_ not in spoken and id_ not in dark and condition(wall.channels[id_]).needs_somebody
        ),
        coming=tuple(one for one in coming if (one.kind, one.channel_id or one.node_id) not in alarmed),
    )


@dataclass(frozen=True, slots=True)
class Ink:
    """What a row is drawn with."""

    wall: WallState
    clock: Clock
    palette: Palette
    stale: bool

    def who(self, channel_id: str | None, *, recorder: bool = False) -> str:
        known = self.wall.channels.get(channel_id or "")
        if known is not None:
            return f"{known.channel.number} {known.channel.name}"
        return "recorder" if recorder else "system" if channel_id is None else "deleted"


def render_alarm(alarm: Alarm, ink: Ink, now: datetime, width: int, ground: Style) -> Strip:
    palette, clock = ink.palette, ink.clock
    sign, style = state_of(alarm, ink, now)
    name = ink.wall.channels.get(alarm.channel_id or "")
    text = alarm.text if name is None else without_name(alarm.text, name.channel.name)
    who = ink.who(alarm.channel_id, recorder=alarm.recorder_id is not None)
    quiet = alarm.cleared_at is not None or alarm.acknowledged_at is not None or is_shelved(alarm, now)
    cells: list[tuple[str, Style, int]] = [
        (palette.glyphs.cursor if ground == palette.cursor_row else " ", palette.frame, 1),
        (f"{clock.local(alarm.raised_at):%H:%M:%S}", palette.dim, 8),
        (sign, style, 13 if width < 100 else 20),
        (who, palette.dim if quiet else palette.strong, 14),
        (text, palette.dim if quiet or alarm.severity == "info" else _words(alarm, ink), 20),
    ]
    return columns(width, ground, _faded(cells, ink))


def state_of(alarm: Alarm, ink: Ink, now: datetime) -> tuple[str, Style]:
    """Sign, word and style: over, shelved, acknowledged, or how loud it is."""
    palette, clock = ink.palette, ink.clock
    glyphs = palette.glyphs
    if alarm.cleared_at is not None:
        return f"{glyphs.off} over {clock.local(alarm.cleared_at):%H:%M}", palette.dim
    if is_shelved(alarm, now) and alarm.shelved_until is not None:
        return f"{glyphs.hold} to {clock.local(alarm.shelved_until):%H:%M} {alarm.shelved_by or ''}", palette.dim
    if alarm.acknowledged_at is not None:
        return f"{glyphs.done} {alarm.acknowledged_by or 'seen'}", palette.dim
    known = ink.wall.channels.get(alarm.channel_id or "")
    if known is not None and condition(known).tally == "off_air":
        return f"{glyphs.off_air} OFF AIR", palette.off_air_block
    if alarm.severity == "critical":
        return f"{glyphs.warning} CRITICAL", palette.warning_block
    return (f"{glyphs.warning} warning", palette.warning) if alarm.severity == "warning" else ("  info", palette.text)


def _words(alarm: Alarm, ink: Ink) -> Style:
    known = ink.wall.channels.get(alarm.channel_id or "")
    dark = known is not None and condition(known).tally == "off_air"
    return ink.palette.off_air if dark else ink.palette.warning


def render_unspoken(channel_id: str, ink: Ink, width: int, ground: Style) -> Strip:
    palette = ink.palette
    state = ink.wall.channels[channel_id]
    verdict = condition(state)
    off = verdict.tally == "off_air"
    since = state.live.off_air_since
    words = " ".join(verdict.warnings)
    sign = f"{palette.glyphs.off_air} OFF AIR" if off else f"{palette.glyphs.warning} {words or verdict.word}"
    cells: list[tuple[str, Style, int]] = [
        (palette.glyphs.cursor if ground == palette.cursor_row else " ", palette.frame, 1),
        ("" if since is None else f"{ink.clock.local(since):%H:%M:%S}", palette.dim, 8),
        (sign, palette.off_air_block if off else palette.warning, 13 if width < 100 else 20),
        (ink.who(channel_id), palette.strong, 14),
        (verdict.why, palette.off_air if off else palette.warning, 20),
    ]
    return columns(width, ground, _faded(cells, ink))


def render_coming(one: Coming, ink: Ink, now: datetime, width: int, ground: Style) -> Strip:
    palette = ink.palette
    left = None if one.at is None else (one.at - now).total_seconds()
    at = "" if one.at is None else f"{ink.clock.local(one.at):%H:%M:%S}"
    soon = left is not None and left <= SOON_S
    style = palette.warning if one.severity != "info" else palette.text
    when = "any moment" if left is None else "now" if left <= 0 else f"in {age(float(int(left)))}"
    cells: list[tuple[str, Style, int]] = [
        (palette.glyphs.cursor if ground == palette.cursor_row else " ", palette.frame, 1),
        (at, palette.dim, 8),
        (f"{palette.glyphs.warning if one.severity == 'critical' else ' '} {KINDS[one.kind]}", style, 13),
        (_whose(one, ink), palette.strong, 14),
        (when, palette.warning if soon else palette.dim, -10),
        (one.text, style if one.severity != "info" else palette.dim, 20),
    ]
    return columns(width, ground, _faded(cells, ink))


def render_section(title: str, count: int, ink: Ink, width: int, ground: Style) -> Strip:
    palette = ink.palette
    return line(width, ground, [(f" {title} ", palette.strong), (str(count) if count else "none", palette.dim)])


def alarm_page(alarm: Alarm, ink: Ink, now: datetime, width: int) -> list[list[Part]]:
    """The whole of one alarm: what to do first, then what it is, then who did what."""
    palette, clock = ink.palette, ink.clock
    who = ink.who(alarm.channel_id, recorder=alarm.recorder_id is not None)
    made: list[list[Part]] = [[(f" {who}", palette.strong), (f"  {alarm.code}", palette.dim)]]
    made += prose(alarm.text, palette.text, width, rest=" ")
    if alarm.instruction:
        made.append([(" THE STATION SAYS", palette.strong)])
        made += prose(alarm.instruction, palette.strong, width, rest=" ")
    elif alarm.cleared_at is None:
        made.append([(" the station says nothing of such an alarm", palette.dim)])
    made.append([(f" raised {clock.local(alarm.raised_at):%d %b %H:%M:%S}, {alarm.severity}", palette.dim)])
    if alarm.acknowledged_at is not None:
        at = f"{clock.local(alarm.acknowledged_at):%H:%M:%S}"
        made.append([(f" acknowledged {at} by {alarm.acknowledged_by}", palette.dim)])
    elif alarm.cleared_at is None and not is_shelved(alarm, now):
        made.append([(" nobody has acknowledged it", palette.warning)])
    if is_shelved(alarm, now) and alarm.shelved_until is not None:
        until = f"{clock.local(alarm.shelved_until):%H:%M}"
        made += prose(f"shelved until {until} by {alarm.shelved_by}: {alarm.shelved_reason}", palette.dim, width)
    if alarm.cleared_at is not None:
        made.append([(f" over since {clock.local(alarm.cleared_at):%H:%M:%S}", palette.dim)])
    return made + channel_page(alarm.channel_id, ink, width)


def channel_page(channel_id: str | None, ink: Ink, width: int) -> list[list[Part]]:
    """How its channel stands."""
    palette = ink.palette
    known = ink.wall.channels.get(channel_id or "")
    if known is None:
        return []
    verdict, live = condition(known), known.live
    word = " ".join((verdict.word, *verdict.warnings))
    style = {"on_air": palette.tally, "off_air": palette.off_air}.get(verdict.tally, palette.warning)
    made: list[list[Part]] = [[], [(" now ", palette.dim), (word, palette.dim if ink.stale else style)]]
    if live.item is not None:
        made[-1].append((f"  {live.item.title}", palette.text))
    return made + (prose(live.decision, palette.dim, width, rest=" ") if live.decision else [])


def _whose(one: Coming, ink: Ink) -> str:
    if one.node_id is not None:
        known = ink.wall.nodes.get(one.node_id)
        return "a node" if known is None else known.name
    return ink.who(one.channel_id, recorder=one.recorder_id is not None)


def coming_page(one: Coming, ink: Ink, width: int) -> list[list[Part]]:
    palette = ink.palette
    at = "nobody can tell when" if one.at is None else f"{ink.clock.local(one.at):%d %b %H:%M:%S}"
    made: list[list[Part]] = [[(f" {_whose(one, ink)}", palette.strong), (f"  {KINDS[one.kind]}", palette.dim)]]
    made += prose(one.text, palette.text, width, rest=" ")
    made.append([(f" {at}", palette.dim)])
    return made + channel_page(one.channel_id, ink, width)


def _faded(cells: list[tuple[str, Style, int]], ink: Ink) -> list[tuple[str, Style, int]]:
    return [(text, ink.palette.dim, size) for text, _, size in cells] if ink.stale else cells
