"""One channel as a tile of the wall."""

from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mcr_console.condition import Condition, condition, programme_outputs
from mcr_console.drawing.gauges import (
    bar,
    big_digits,
    heartbeat_age,
    heartbeat_line,
    loudness,
    loudness_bar,
    output_words,
)
from mcr_console.drawing.strips import Part, line, parts_width, segments
from mcr_console.drawing.verdict import (
    countdown,
    next_in,
    note_parts,
    off_air_for,
    progress,
    tally_sign,
    verdict_parts,
)
from mcr_console.notes import Note
from mcr_console.palette import Palette
from mcr_console.safe_text import fit, safe
from mcr_console.thumbnails import PictureLine, with_age
from mcr_console.wall_state import ChannelState

LEAST_HEIGHT = 7
BIG_FROM = 10
"""Height in lines from which the countdown is drawn in big figures, where there is width for them."""
BIG_WIDTH = 34
WORDS_WIDTH = 24
LEAST_PICTURE = 24
LEAST_BEATS = 4
LEAST_METER, METER_WIDTH = 4, 10
"""Cells of the loudness bar."""


@dataclass(frozen=True, slots=True)
class TileView:
    """``now`` is the monotonic second up to which positions are carried on; ``note_now`` is the true one."""

    state: ChannelState
    now: float
    stale: bool
    focused: bool
    as_of: str
    """When the link was last alive, ``hh:mm:ss``; shown when stale."""
    supervisor_now: datetime | None
    note: Note | None = None
    note_now: float = 0.0
    picture: tuple[PictureLine, ...] | None = None
    picture_age: int | None = None
    """Whole seconds, of an old picture."""
    hands: str = ""
    """Who has control of it: ``you``, a name, or nothing."""
    marked: bool = False


def looks_alike(one: TileView, other: TileView) -> bool:
    """Whether both are drawn the same: what is known of one is the very object that is known of the other."""
    if one.note is not None and one.note.kind == "pending":
        return False
    return (
        one.state is other.state
        and one.note is other.note
        and one.picture is other.picture
        and one.picture_age == other.picture_age
        and (one.now, one.stale, one.focused) == (other.now, other.stale, other.focused)
        and (one.hands, one.marked) == (other.hands, other.marked)
        and (not one.stale or one.as_of == other.as_of)
        and (one.state.live.off_air_since is None or one.supervisor_now == other.supervisor_now)
    )


def picture_size(width: int, height: int, palette: Palette) -> tuple[int, int]:
    """Cells of the picture in a tile of that size: 16:9, two pixels a cell, and room beside it for the words."""
    if not palette.thumbnails:
        return 0, 0
    lines = height - 2
    return min(lines * 32 // 9, widest_picture(width)), lines


def widest_picture(width: int) -> int:
    """Cells: beside a picture stand the big figures where they fit, else words of a useful length."""
    if width - BIG_WIDTH - 2 >= LEAST_PICTURE:
        return width - BIG_WIDTH - 2
    return max(width * 2 // 5, width - WORDS_WIDTH - 2)


def render_tile(view: TileView, width: int, height: int, palette: Palette) -> list[Strip]:
    """``height`` (7 or more) strips of ``width`` cells."""
    base = palette.panel_focus if view.focused else palette.panel
    verdict = condition(view.state)
    picture_width, _ = picture_size(width, height, palette)
    text_width = width - picture_width - 2
    text = _body(view, verdict, text_width, height - 2, base, palette)
    strips = [_title(view, verdict, width, base, palette)]
    for row in range(height - 2):
        picture = _picture_line(view, verdict, row, picture_width, height - 2, palette, base)
        gap = Segment(" ", base)
        strips.append(Strip([*picture, gap, *text[row], gap], width))
    strips.append(_foot(view, width, base, palette))
    return strips


def _title(view: TileView, verdict: Condition, width: int, base: Style, palette: Palette) -> Strip:
    channel = view.state.channel
    _, _, block = tally_sign(verdict, palette)
    if view.stale:
        block = palette.stale_block
    number = f" {channel.number} "
    name = f"{palette.glyphs.mark if view.marked else ' '}{channel.name}"
    right = [*verdict_parts(verdict, palette, stale=view.stale), (" ", base)]
    if verdict.tally == "off_air" and not view.stale:
        loud = palette.off_air_block
        right = [(text, loud) for text, _ in right]
        return line(width, base + loud, [(number, loud), (name, loud)], right)
    who: list[Part] = [(f" {palette.glyphs.dot} {fit(view.hands, 12).rstrip()}", palette.signal)] if view.hands else []
    return line(width, base, [(number, block), (name, palette.strong), *who], right)


def _body(
    view: TileView, verdict: Condition, width: int, height: int, base: Style, palette: Palette
) -> list[list[Segment]]:
    state, live = view.state, view.state.live
    dim = palette.dim
    rows: list[list[Part]] = [[_headline(view, verdict, palette)]]
    rows.extend(_clock_rows(view, verdict, width, height, palette))
    on = dim if view.stale else palette.tally if verdict.tally == "on_air" else palette.warning
    rows.append(bar(0.0 if verdict.tally in {"off", "off_air"} else progress(state, view.now), width, palette, on))
    if live.next is not None and verdict.tally != "off":
        rows.append([(f"{palette.glyphs.next} {live.next.title}", dim if view.stale else palette.next)])
    else:
        rows.append([(f"{palette.glyphs.next} {palette.glyphs.none}", dim)])
    why = wrap(safe(verdict.why), max(8, width))
    if verdict.tally in {"off_air", "unknown", "changing"} and not view.stale:
        style = {"off_air": palette.off_air, "unknown": palette.warning}.get(verdict.tally, dim)
        rows.extend(_first_lines(why, height - len(rows), style))
    else:
        rows.append(_last_row(view, verdict, width, palette))
        if live.picture in {"item", "freeze"} and why and height - len(rows) > 1 and not view.stale:
            rows.append([])
            rows.extend(_first_lines(why, height - len(rows), palette.warning))
    if view.stale:
        rows = [[(text, dim) for text, _ in row] for row in rows]
    rows = rows[:height] + [[] for _ in range(height - len(rows))]
    return [segments(width, base, row) for row in rows]


def _first_lines(lines: list[str], room: int, style: Style) -> list[list[Part]]:
    """As many as there is room for; the last one says that there are more."""
    shown = lines[:room]
    if 0 < room < len(lines):
        shown[-1] = f"{shown[-1]} {lines[room]}"
    return [[(words, style)] for words in shown]


def _headline(view: TileView, verdict: Condition, palette: Palette) -> Part:
    live = view.state.live
    if verdict.tally == "off_air":
        return (off_air_for(view.state, view.supervisor_now), palette.off_air)
    if verdict.tally == "off":
        return ("off", palette.dim)
    if live.item is not None and live.picture not in {"filler", "standby"}:
        return (live.item.title, palette.text)
    if live.picture in {"filler", "standby"}:
        return ("slate", palette.text)
    return (palette.glyphs.none, palette.dim)


def _clock_rows(view: TileView, verdict: Condition, width: int, height: int, palette: Palette) -> list[list[Part]]:
    live = view.state.live
    figures = ""
    style = palette.strong
    if verdict.tally == "off_air":
        return [[(live.item.title if live.item else "nothing was on air", palette.text)]]
    if live.picture in {"filler", "standby"}:
        return [[(live.reason or live.picture, palette.warning)]]
    if live.picture == "hold":
        return [[("held on the last frame", palette.warning)]]
    if verdict.tally != "off":
        figures = countdown(view.state, view.now)
    if figures and height + 2 >= BIG_FROM and width >= BIG_WIDTH and palette.glyphs.pictures:
        return [[(row, style)] for row in big_digits(figures)]
    return [[(figures, style)]]


def _last_row(view: TileView, verdict: Condition, width: int, palette: Palette) -> list[Part]:
    """When the next item comes, and at the right the programme outputs."""
    if view.stale:
        return [(f"as of {view.as_of}", palette.dim)]
    if verdict.tally == "off":
        return []
    left = next_in(view.state, view.now, palette)
    used = parts_width(left)
    right = output_words(programme_outputs(view.state), width - used - 2, palette)
    return [*left, (" " * (width - used - parts_width(right)), palette.dim), *right] if right else left


def _foot(view: TileView, width: int, base: Style, palette: Palette) -> Strip:
    state = view.state
    if view.note is not None:
        # The whole width, for as long as it is fresh: what a key did matters more than a figure that comes back.
        return line(width, base, [(" ", base), *note_parts(view.note, view.note_now, palette)])
    left: list[Part] = [(f" {fit(state.live.node_name or palette.glyphs.none, 10).rstrip()} ", palette.dim)]
    left.extend(heartbeat_age(state, view.now, palette))
    right = [*loudness(state.live, palette), (" ", base)]
    room = width - parts_width(left) - parts_width(right) - 3
    meter = [] if view.stale else loudness_bar(state.live, max(LEAST_METER, min(METER_WIDTH, room - 14)), palette)
    if meter and room < LEAST_BEATS + parts_width(meter) + 1:
        # Beside its bar the figure needs no unit.
        right = [(text.removesuffix(" LUFS"), style) for text, style in right]
        room = width - parts_width(left) - parts_width(right) - 3
    if meter and room >= LEAST_BEATS + parts_width(meter) + 1:
        right = [*meter, (" ", base), *right]
        room -= parts_width(meter) + 1
    if room >= LEAST_BEATS and not view.stale:
        left.append(("  ", base))
        left.extend(heartbeat_line(state.live.heartbeat_ms, min(room, 24), palette))
    if view.stale:
        left = [(text, palette.dim) for text, _ in left]
        right = [(text, palette.dim) for text, _ in right]
    return line(width, base, left, right)


def _picture_line(
    view: TileView, verdict: Condition, row: int, width: int, height: int, palette: Palette, base: Style
) -> list[Segment]:
    if width <= 0:
        return []
    if verdict.tally == "off_air" and not view.stale:
        words = "OFF AIR" if row == height // 2 else ""
        return [Segment(f"{words:^{width}}"[:width], palette.off_air_block)]
    if view.picture is not None and verdict.tally in {"on_air", "unknown"} and row < len(view.picture):
        shown = view.picture[row]
        if view.picture_age is not None and row == len(view.picture) - 1:
            shown = with_age(shown, view.picture_age, palette.stale_block)
        return list(shown)
    words = ""
    if row == height // 2:
        words = "no picture" if verdict.tally in {"on_air", "unknown"} else verdict.word.lower()
    return [Segment(f"{words:^{width}}"[:width], palette.ground + palette.bar_rest)]
