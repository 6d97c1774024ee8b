"""Bars, sparklines and big figures."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.renderables.digits import DIGITS, DIGITS3X3_BOLD

from mcr_console.drawing.strips import Part, parts_width
from mcr_console.palette import Palette
from mcr_console.safe_text import age
from mcr_console.wall_state import LATE_S, ChannelState
from supervisor.schemas.channel import ChannelLive, OutputLive

SLOW_MS: Final = 500
"""A heartbeat's round trip that fills a sparkline's whole height."""
SILENCE_LUFS: Final = -60.0
METER_LUFS: Final = (-41.0, -14.0)
"""From an empty to a full bar: EBU Tech 3341's scale of +9, with -23 LUFS at two thirds."""


def bar(done: float, width: int, palette: Palette, style: Style) -> list[Part]:
    """A bar of ``width`` cells, ``done`` of it (0 to 1) in ``style``."""
    filled = max(0, min(width, round(done * width)))
    glyphs = palette.glyphs
    return [(glyphs.bar * filled, style), (glyphs.bar_rest * (width - filled), palette.bar_rest)]


def heartbeat_line(values: tuple[int, ...], width: int, palette: Palette) -> list[Part]:
    """The newest ``width`` round trips in milliseconds, the newest on the right; a miss is a warning sign."""
    levels = palette.glyphs.spark
    shown = values[-width:] if width > 0 else ()
    made: list[Part] = [(" " * (width - len(shown)), palette.dim)]
    for value in shown:
        if value < 0:
            made.append((palette.glyphs.miss, palette.warning))
        else:
            level = min(len(levels) - 1, value * len(levels) // SLOW_MS)
            made.append((levels[level], palette.signal if level < len(levels) - 2 else palette.warning))
    return merged(made)


def merged(parts: list[Part]) -> list[Part]:
    """Neighbours of one style joined, so that a line has few segments."""
    made: list[Part] = []
    for text, style in parts:
        if made and made[-1][1] is style:
            made[-1] = (made[-1][0] + text, style)
        elif text:
            made.append((text, style))
    return made


def heartbeat_age(state: ChannelState, now: float, palette: Palette) -> list[Part]:
    """``♥ 0.3 s``, a warning from 2 s on."""
    seconds = state.heartbeat_age(now)
    if seconds is None:
        return [(f"{palette.glyphs.beat} {palette.glyphs.none:>5}", palette.dim)]
    style = palette.warning if seconds >= LATE_S else palette.dim
    return [(f"{palette.glyphs.beat} ", style), (f"{age(seconds):>5}", style)]


def loudness(live: ChannelLive, palette: Palette) -> list[Part]:
    """Short-term loudness; a warning when an item is silent."""
    found = live.loudness
    lufs = (
        None if found is None else found.short_term_lufs if found.short_term_lufs is not None else found.momentary_lufs
    )
    if lufs is None:
        return [(f"{palette.glyphs.none} LUFS", palette.dim)]
    if lufs <= SILENCE_LUFS:
        return [("silent LUFS", palette.warning if live.picture == "item" else palette.dim)]
    return [(f"{lufs:.1f} LUFS", palette.dim)]


def loudness_bar(live: ChannelLive, width: int, palette: Palette) -> list[Part]:
    """How loud it is at this moment, as ``width`` cells; nothing where nobody measures. Full is a warning."""
    found = live.loudness
    lufs = (
        None if found is None else found.momentary_lufs if found.momentary_lufs is not None else found.short_term_lufs
    )
    if lufs is None or width < 1:
        return []
    least, most = METER_LUFS
    filled = max(0, min(width, round((lufs - least) * width / (most - least))))
    glyphs = palette.glyphs
    style = palette.warning if lufs >= most else palette.signal
    return [(glyphs.meter * filled, style), (glyphs.meter_rest * (width - filled), palette.bar_rest)]


def output_words(outputs: Sequence[OutputLive], room: int, palette: Palette) -> list[Part]:
    """The programme outputs by name, those that are broken with a sign; where there is no room, how many of them go."""
    if not outputs:
        return []
    broken = [one.state in {"stalled", "down"} for one in outputs]
    sign, style = palette.glyphs.warning, palette.warning
    named: list[Part] = []
    for one, is_broken in zip(outputs, broken, strict=True):
        named.append((f"{sign}{one.kind}" if is_broken else one.kind, style if is_broken else palette.dim))
        named.append((" ", palette.dim))
    if parts_width(named[:-1]) <= room:
        return named[:-1]
    count = f"{len(outputs) - sum(broken)}/{len(outputs)} out"
    if cell_len(count) > room:
        return []
    return [(count, style if any(broken) else palette.dim)]


def big_digits(text: str) -> tuple[str, str, str]:
    """``text`` (digits, ``-``, ``+``, ``:`` and ``;``) as three lines of Textual's 3x3 figures."""
    rows: list[list[str]] = [[], [], []]
    for character in text:
        if character in ":;":
            # Narrower than Textual's colon, so that twelve characters fit beside a rundown; drop-frame keeps its sign.
            cell = (" ", character, " ")
        elif (index := DIGITS.find(character)) >= 0:
            cell = tuple(f"{part:<3}" for part in DIGITS3X3_BOLD[index * 3 : index * 3 + 3])
        else:
            cell = ("   ", "   ", f" {character} ")
        for row, part in zip(rows, cell, strict=True):
            row.append(part)
    return "".join(rows[0]), "".join(rows[1]), "".join(rows[2])
