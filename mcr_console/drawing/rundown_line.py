"""One row of a rundown, and the heading above it."""

from datetime import datetime
from fractions import Fraction
from typing import Final
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


_MODES: Final = {"follow": "FOL", "hold": "HLD", "fixed": "FIX"}


def render_rundown_heading(width: int, palette: Palette, rundown: Rundown | None = None) -> Strip:
    """Column names, over the rows that ``render_rundown_line`` draws; last how the list stands to its next fixed start
    and when somebody has to act."""
    dim = palette.dim
    words, style = ("", dim) if rundown is None else _standing(rundown, palette)
    return columns(
        width,
        palette.ground,
        [("", dim, 1), *_cells(("START", "", "ITEM", "DURATION", words), (dim, dim, dim, dim, style), width)],
    )


def _standing(rundown: Rundown, palette: Palette) -> tuple[str, Style]:
    """``OVER 0:12  act 20:14:10``; amber where it is over."""
    words: list[str] = []
    fixed = next((row for row in rundown.rows if row.item_id == rundown.next_fixed_item_id), None)
    over = 0 if fixed is None or fixed.over_under_frames is None else fixed.over_under_frames
    if over:
        words.append(f"{'OVER' if over > 0 else 'UNDER'} {short_length(over, rundown.rate)}")
    if rundown.next_action_at is not None:
        words.append(f"act {_local(rundown.next_action_at, rundown.time_zone):%H:%M:%S}")
    return "  ".join(words), palette.warning if over > 0 else palette.dim


def short_length(frames: int, rate: str) -> str:
    """Minutes and seconds; below a second the frames."""
    seconds = int(abs(frames) / Fraction(rate))
    return f"{seconds // 60}:{seconds % 60:02}" if seconds else f"{abs(frames)} fr"


def _remarks(row: RundownRow, rate: str) -> str:
    """What fixed starts and the plan do to this row."""
    words: list[str] = []
    if row.over_under_frames:
        words.append(f"{'over' if row.over_under_frames > 0 else 'under'} {short_length(row.over_under_frames, rate)}")
    if row.cut_frames:
        words.append(f"cut {short_length(row.cut_frames, rate)}")
    if row.gap_frames:
        words.append(f"filler {short_length(row.gap_frames, rate)}")
    if row.overlap_frames:
        words.append(f"plan {'overlaps' if row.overlap_frames > 0 else 'gap'} {short_length(row.overlap_frames, rate)}")
    return " ".join(words)


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
    elif row.state in {"aired", "dropped"} or row.kind == "comment" or stale:
        style = palette.dim
    start = (
        "--:--:--:--" if row.start_at is None else time_of_day(_local(row.start_at, rundown.time_zone), rundown.rate)
    )
    if row.kind == "comment":
        start = ""
    length = "" if row.duration_frames is None else format_timecode(row.duration_frames, rundown.rate)
    mode = "" if row.kind == "comment" else _MODES[row.start_mode]
    mode_style = {"hold": palette.warning, "fixed": palette.strong}.get(row.start_mode, palette.dim)
    word, word_style = _state_word(row, state, palette, on_air=on_air, follows=follows, stale=stale)
    mark = palette.glyphs.cursor if cursor else " "
    quiet = style if on_air or follows else palette.dim
    cells = _cells(
        (start, mode, row.title, length, "  ".join(filter(None, (word, _remarks(row, rundown.rate), row.note)))),
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
    row: RundownRow, state: ChannelState, palette: Palette, *, on_air: bool, follows: bool, stale: bool
) -> tuple[str, Style]:
    glyphs = palette.glyphs
    if stale and (on_air or follows):
        return f"{glyphs.unknown} was {'on air' if on_air else 'next'}", palette.dim
    if on_air:
        return f"{glyphs.on_air} ON AIR", palette.strong
    if follows:
        cued = state.live.next is not None and state.live.next.cued
        return f"{glyphs.next} {'cued' if cued else 'next'}", palette.strong
    if row.state == "missing":
        return f"{glyphs.warning} missing", palette.warning
    return (row.state, palette.dim) if row.state in {"aired", "dropped"} else ("", palette.warning)


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return instant
