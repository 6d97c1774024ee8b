"""The figures of the channel view: countdown, next, heartbeat, loudness, outputs."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mcr_console.condition import condition
from mcr_console.drawing.gauges import bar, big_digits, heartbeat_age, heartbeat_line, loudness, loudness_bar
from mcr_console.drawing.strips import Part, blank, line
from mcr_console.drawing.tile import TileView
from mcr_console.drawing.verdict import (
    control_words,
    countdown,
    next_in,
    note_parts,
    off_air_for,
    progress,
    tally_sign,
    verdict_parts,
)
from mcr_console.palette import Palette
from mcr_console.safe_text import fit
from mcr_console.thumbnails import PictureLine, with_age
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import EngineLive, LinkLive

DIGITS_WIDTH = 32
LEAST_PICTURE = 4
MEASURED, MOST_METER = 28, 16
"""Cells of the figures beside the loudness bar, and of the bar at most."""


def render_side(view: TileView, width: int, height: int, palette: Palette) -> list[Strip]:
    """The panel beside the rundown: picture above, figures below."""
    base = palette.ground
    strips: list[Strip] = [_wide_verdict(view, width, palette), blank(width, base)]
    figures = _figures(view, width, palette)
    room = height - len(strips) - len(figures) - 1
    lines, tally = side_picture(width, height, palette)[1], condition(view.state).tally
    if tally == "off_air" and not view.stale and lines >= LEAST_PICTURE:
        loud = palette.off_air_block
        words = ["OFF AIR" if row == lines // 2 else "" for row in range(lines)]
        strips.extend(line(width, loud, [(f"{word:^{width}}", loud)]) for word in words)
        strips.append(blank(width, base))
    elif view.picture is not None and tally in {"on_air", "unknown"}:
        picture = list(view.picture[: max(0, room)])
        if picture and view.picture_age is not None:
            picture[-1] = with_age(picture[-1], view.picture_age, palette.stale_block)
        if len(picture) >= LEAST_PICTURE:
            strips.extend(_filled(row, width, base) for row in picture)
            strips.append(blank(width, base))
    strips.extend(figures)
    return (strips + [blank(width, base)] * height)[:height]


def _filled(row: PictureLine, width: int, base: Style) -> Strip:
    rest = width - sum(segment.cell_length for segment in row)
    return Strip([*row, Segment(" " * rest, base)], width)


def side_picture(width: int, height: int, palette: Palette) -> tuple[int, int]:
    """Cells of the picture in the side panel."""
    if not palette.thumbnails:
        return 0, 0
    lines = max(0, min(width * 9 // 32, height - 24))
    return min(width, lines * 32 // 9), lines


def render_top(view: TileView, width: int, palette: Palette) -> list[Strip]:
    """The same in seven lines over the rundown, where there is no room beside it."""
    base = palette.ground
    figures = _clock_words(view)
    rows = big_digits(figures) if figures and palette.glyphs.pictures else ("", figures or _no_clock(view), "")
    facts = _facts(view, width - DIGITS_WIDTH - 4, palette)
    strips = [_wide_verdict(view, width, palette)]
    style = palette.dim if view.stale else palette.strong
    for index, row in enumerate(rows):
        beside = facts[index] if index < len(facts) else []
        strips.append(line(width, base, [(f" {fit(row, DIGITS_WIDTH)}   ", style), *beside]))
    strips.append(line(width, base, [(" ", base), *_bar(view, width - 2, palette)]))
    strips.append(line(width, base, [(" ", base), *_next(view, palette)]))
    strips.append(line(width, base, [(" ", base), *_note(view, palette)]))
    return strips


def render_why(state: ChannelState, width: int, height: int, palette: Palette, *, stale: bool) -> list[Strip]:
    """The supervisor's own sentence about its last pass."""
    style = palette.dim if stale else palette.text
    words = state.live.decision or "nothing decided yet"
    made: list[Strip] = []
    rest = f"WHY {words}"
    while rest and len(made) < height:
        cut = rest if len(rest) < width - 2 else rest[: width - 2].rsplit(" ", 1)[0]
        made.append(line(width, palette.ground, [(f" {rest if len(made) == height - 1 else cut}", style)]))
        rest = rest[len(cut) :].strip()
    return (made + [blank(width, palette.ground)] * height)[:height]


def channel_title(state: ChannelState, palette: Palette, seat: str = "") -> Sequence[Part]:
    """``1 News 24  1280x720p25  ffmpeg  node-a e7``, who has control of it and who holds its failover."""
    channel, live = state.channel, state.live
    form = channel.format
    rate = form.rate if "/" not in form.rate else f"{_rate_number(form.rate):.2f}"
    parts: list[Part] = [
        (f" {palette.glyphs.crumb} ", palette.dim),
        (f"{channel.number} {channel.name}", palette.strong),
        (f"  {form.width}x{form.height}p{rate}  {channel.engine}", palette.dim),
        (f"  {live.node_name or palette.glyphs.none} e{live.epoch}", palette.dim),
    ]
    if live.control is not None:
        who = control_words(live.control, seat)
        words = "you have control" if who == "you" else f"{who} has control"
        parts.append((f"  {palette.glyphs.dot} {words}", palette.signal))
    if channel.hold_failover:
        parts.append((f"  FAILOVER HELD by {channel.hold_failover_by or 'somebody'}", palette.warning))
    return parts


def _rate_number(rate: str) -> float:
    numerator, _, denominator = rate.partition("/")
    return int(numerator) / int(denominator or 1)


def _wide_verdict(view: TileView, width: int, palette: Palette) -> Strip:
    verdict = condition(view.state)
    _, _, block = tally_sign(verdict, palette)
    base = palette.ground
    if view.stale:
        block = palette.stale_block
    elif verdict.tally == "off_air":
        base = palette.off_air_block
    parts: list[Part] = [(f" {view.state.channel.number} ", block), (" ", base)]
    parts.extend(
        (text, base if verdict.tally == "off_air" else style)
        for text, style in verdict_parts(verdict, palette, stale=view.stale)
    )
    if verdict.why and not view.stale:
        parts.append((f"  {verdict.why}", palette.warning if base is palette.ground else base))
    return line(width, base, parts)


def _clock_words(view: TileView) -> str:
    verdict = condition(view.state)
    if verdict.tally in {"off", "off_air", "changing"} or view.state.live.picture in {"filler", "standby"}:
        return ""
    return countdown(view.state, view.now)


def _no_clock(view: TileView) -> str:
    verdict = condition(view.state)
    if verdict.tally == "off_air":
        return off_air_for(view.state, view.supervisor_now)
    if view.state.live.picture in {"filler", "standby"}:
        return f"slate: {view.state.live.picture}"
    return verdict.word.lower()


def _bar(view: TileView, width: int, palette: Palette) -> list[Part]:
    on_air = condition(view.state).tally == "on_air"
    style = palette.dim if view.stale else palette.tally if on_air else palette.warning
    return bar(progress(view.state, view.now) if _clock_words(view) else 0.0, width, palette, style)


def _next(view: TileView, palette: Palette) -> list[Part]:
    live = view.state.live
    if live.next is None:
        return [(f"{palette.glyphs.next} nothing next", palette.dim)]
    style = palette.dim if view.stale else palette.next
    parts: list[Part] = [(f"{palette.glyphs.next} {live.next.title}  ", style)]
    parts.extend(next_in(view.state, view.now, palette) if not view.stale else [])
    return parts


def _note(view: TileView, palette: Palette) -> list[Part]:
    if view.note is not None:
        return note_parts(view.note, view.note_now, palette)
    return [(f"as of {view.as_of}", palette.dim)] if view.stale else []


def _figures(view: TileView, width: int, palette: Palette) -> list[Strip]:
    base = palette.ground
    figures = _clock_words(view)
    style = palette.dim if view.stale else palette.strong
    if condition(view.state).tally == "off_air" and not view.stale:
        style = palette.off_air
    strips: list[Strip] = []
    if figures and palette.glyphs.pictures:
        strips.extend(line(width, base, [(row, style)]) for row in big_digits(figures))
    else:
        strips.append(line(width, base, [(figures or _no_clock(view), style)]))
    strips.append(line(width, base, _bar(view, width, palette)))
    item = view.state.live.item
    title = item.title if item is not None else palette.glyphs.none
    strips.append(line(width, base, [(title, style)]))
    strips.append(line(width, base, _next(view, palette)))
    strips.append(line(width, base, _note(view, palette)))
    strips.append(blank(width, base))
    strips.extend(line(width, base, row) for row in _facts(view, width, palette))
    return strips


def _facts(view: TileView, width: int, palette: Palette) -> list[list[Part]]:
    """Heartbeat, loudness and counts first: at 80x24 only three lines are seen."""
    state, live = view.state, view.state.live
    dim = palette.dim
    beats = heartbeat_line(live.heartbeat_ms, max(4, min(30, width - 12)), palette)
    rows: list[list[Part]] = [
        [*heartbeat_age(state, view.now, palette), ("  ", dim), *beats],
        [*_meter(view, width, palette), *loudness(live, palette), *_peak(view, palette)],
        [
            ("late ", dim), (str(live.frames_late), palette.warning if live.frames_late else dim),
            ("  skipped ", dim), (str(live.frames_skipped), palette.warning if live.frames_skipped else dim),
            (f"  frame {live.frame}", dim),
        ],
    ]  # fmt: skip
    if live.engine is not None:
        # Between the sidecar's heartbeat and the outputs, as it is on the way of the picture; first where it is wrong.
        rows.insert(3 if live.engine.answers and live.engine.moves else 1, _server(live.engine, palette))
    if view.stale:
        rows = [[(text, dim) for text, _ in row] for row in rows]
    for output in live.outputs:
        broken = output.state in {"stalled", "down"}
        style = dim if view.stale else palette.warning if broken else palette.text
        sign = palette.glyphs.warning if broken else palette.glyphs.dot
        name = "preview" if output.role == "preview" else output.kind
        dropped = f"  {output.frames_dropped} dropped" if output.frames_dropped else ""
        link = "" if output.link is None or not output.link.receivers else f"  {link_words(output.link)}"
        rows.append([(f"{sign} {name:<8}", dim), (output.state, style), (f"{link}  {output.detail}{dropped}", dim)])
    return rows


def _server(engine: EngineLive, palette: Palette) -> list[Part]:
    if engine.answers and engine.moves:
        return [
            (f"{palette.glyphs.dot} server  ", palette.dim), ("answers, moves", palette.text),
            (f"  {engine.version}", palette.dim),
        ]  # fmt: skip
    word = "answers, stands" if engine.answers else "silent, moves" if engine.moves else "silent"
    return [
        (f"{palette.glyphs.warning} server  ", palette.dim),
        (word, palette.warning),
        (f"  {engine.detail}", palette.dim),
    ]


def link_words(link: LinkLive) -> str:
    """How an SRT session goes: ``rtt 12 ms  loss 0.3 %``."""
    several = f"{link.receivers} receivers  " if link.receivers > 1 else ""
    rtt = "" if link.round_trip_ms is None else f"rtt {link.round_trip_ms:.0f} ms  "
    lost = f"  {link.packets_dropped} lost for good" if link.packets_dropped else ""
    return f"{several}{rtt}loss {link.loss_percent:.1f} %{lost}"


def _meter(view: TileView, width: int, palette: Palette) -> list[Part]:
    made = loudness_bar(view.state.live, min(MOST_METER, width - MEASURED), palette)
    return [*made, (" ", palette.dim)] if made else []


def _peak(view: TileView, palette: Palette) -> list[Part]:
    found = view.state.live.loudness
    if found is None or found.peak_dbfs is None:
        return []
    return [(f"  peak {found.peak_dbfs:.1f} dBFS", palette.warning if found.peak_dbfs > -1.0 else palette.dim)]
