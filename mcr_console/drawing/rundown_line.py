"""One row of a rundown, and the heading above it."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.style import Style
from textual.strip import Strip

from mcr_console.drawing.strips import columns
from mcr_console.palette import Palette
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import Rundown, RundownRow
from supervisor.schemas.timecode import format_timecode, time_of_day

WIDE = 84
MIDDLE = 70
"""Widths from which notes have more room."""


def render_rundown_heading(width: int, palette: Palette) -> Strip:
    """Column names, over the rows that ``render_rundown_line`` draws."""
    dim = palette.dim
    return columns(
        width,
        palette.ground,
        [("", dim, 1), *_cells(("START", "", "ITEM", "DURATION", ""), (dim, dim, dim, dim, dim), width)],
    )


def render_rundown_line(
    row: RundownRow, rundown: Rundown, state: ChannelState, width: int, palette: Palette, *, cursor: bool, stale: bool
) -> Strip:
    """What is on air and what is next is read from the channel itself: it is newer than the computed rows."""
    live = state.live
    on_air = live.item is not None and live.item.item_id == row.item_id and live.picture in {"item", "hold", "freeze"}
    follows = live.next is not None and live.next.item_id == row.item_id and not on_air
    base, style = palette.ground, palette.text
    if on_air and not stale:
        base = style = palette.tally_row
    elif follows and not stale:
        base = style = palette.next_row
    elif cursor:
        base = style = palette.cursor_row
    elif row.state == "aired" or stale:
        style = palette.dim
    start = (
        "--:--:--:--" if row.start_at is None else time_of_day(_local(row.start_at, rundown.time_zone), rundown.rate)
    )
    length = "" if row.duration_frames is None else format_timecode(row.duration_frames, rundown.rate)
    mode, mode_style = ("HLD", palette.warning) if row.start_mode == "hold" else ("FOL", palette.dim)
    word, word_style = _state_word(row, state, palette, on_air=on_air, follows=follows)
    mark = palette.glyphs.cursor if cursor else " "
    quiet = style if on_air or follows else palette.dim
    cells = _cells(
        (start, mode, row.title, length, f"{word}  {row.note}".strip()),
        (quiet, mode_style if not stale else palette.dim, style, quiet, word_style if not stale else palette.dim),
        width,
    )
    return columns(width, base, [(mark, palette.frame, 1), *cells])


def _cells(
    texts: tuple[str, str, str, str, str], styles: tuple[Style, Style, Style, Style, Style], width: int
) -> list[tuple[str, Style, int]]:
    note = 30 if width >= WIDE else 22 if width >= MIDDLE else 17
    title = width - 1 - 11 - 3 - 11 - note - 5
    sizes = (11, 3, max(8, title), 11, note)
    return list(zip(texts, styles, sizes, strict=True))


def _state_word(
    row: RundownRow, state: ChannelState, palette: Palette, *, on_air: bool, follows: bool
) -> tuple[str, Style]:
    glyphs = palette.glyphs
    if on_air:
        return f"{glyphs.on_air} ON AIR", palette.strong
    if follows:
        cued = state.live.next is not None and state.live.next.cued
        return f"{glyphs.next} {'cued' if cued else 'next'}", palette.strong
    if row.state == "missing":
        return f"{glyphs.warning} missing", palette.warning
    return ("aired", palette.dim) if row.state == "aired" else ("", palette.warning)


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return instant
