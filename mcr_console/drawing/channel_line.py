"""One channel as a line of the list."""

from textual.strip import Strip

from mcr_console.condition import condition, programme_outputs
from mcr_console.drawing.gauges import bar, heartbeat_age, heartbeat_line, loudness, loudness_bar, output_words
from mcr_console.drawing.strips import Part, line, parts_width
from mcr_console.drawing.tile import TileView
from mcr_console.drawing.verdict import countdown, next_in, note_parts, off_air_for, progress, tally_sign, verdict_parts
from mcr_console.palette import Palette
from mcr_console.safe_text import fit

NAME = 14
VERDICT = 22
OUTPUTS, METER = 12, 6


def render_channel_line(view: TileView, width: int, palette: Palette) -> Strip:
    """Number, name, state, countdown, item and next; with room also progress, node, heartbeat and loudness."""
    state = view.state
    base = palette.cursor_row if view.focused else palette.ground
    verdict = condition(state)
    _, _, block = tally_sign(verdict, palette)
    words = _padded(verdict_parts(verdict, palette, stale=view.stale), VERDICT, palette)
    name_style = palette.strong
    if verdict.tally == "off_air" and not view.stale:
        words = [(text, palette.off_air_block) for text, _ in words]
        name_style = palette.off_air
    left: list[Part] = [
        (palette.glyphs.cursor if view.focused else " ", palette.frame),
        (
            f"{state.channel.number:>4}{palette.glyphs.mark if view.marked else ' '}",
            palette.stale_block if view.stale else block,
        ),
        (f" {fit(state.channel.name, NAME if width < 150 else 24)} ", name_style),
        *words,
        ("  ", base),
    ]
    right: list[Part] = []
    if width >= 110:
        right = [
            ("  ", base),
            *heartbeat_age(state, view.now, palette),
            ("  ", base),
            *_loudness(view, palette),
            (" ", base),
        ]
    if width >= 150 and not view.stale:
        node = fit(state.live.node_name or palette.glyphs.none, 10)
        right = [("  ", base), (node, palette.dim), *heartbeat_line(state.live.heartbeat_ms, 12, palette), *right]
    if width >= 180 and not view.stale:
        outputs = output_words(programme_outputs(state), OUTPUTS, palette)
        blank = " " * (OUTPUTS - parts_width(outputs))
        meter = loudness_bar(state.live, METER, palette) or [(" " * METER, base)]
        right = [("  ", base), *outputs, (blank, base), *right[:-1], (" ", base), *meter, (" ", base)]
    left.extend(_middle(view, width - parts_width(left) - parts_width(right), palette))
    if view.stale:
        left = left[:3] + [(text, palette.strong if "STALE" in text else palette.dim) for text, _ in left[3:]]
        right = [(text, palette.dim) for text, _ in right]
    return line(width, base, left, right)


def _middle(view: TileView, room: int, palette: Palette) -> list[Part]:
    state, live = view.state, view.state.live
    verdict = condition(state)
    if view.note is not None:
        return note_parts(view.note, view.note_now, palette)
    if verdict.tally == "off":
        return []
    if verdict.tally == "off_air":
        return [(f"{off_air_for(state, view.supervisor_now)}: {verdict.why}", palette.off_air)]
    if verdict.tally in {"unknown", "changing"}:
        return [(verdict.why, palette.warning if verdict.tally == "unknown" else palette.dim)]
    if live.picture in {"filler", "standby"}:
        return [(live.reason or live.picture, palette.warning)]
    clock = "held".ljust(12) if live.picture == "hold" else f"{countdown(state, view.now):<12}"
    made: list[Part] = []
    if view.hands:
        who = f"{palette.glyphs.dot} {fit(view.hands, 10).rstrip()} "
        made.append((who, palette.signal))
        room -= parts_width(made)
    made += [(f"{clock} ", palette.warning if live.picture == "hold" else palette.strong)]
    room -= len(clock) + 1
    if room >= 70:
        made.extend([*bar(progress(state, view.now), 12, palette, palette.tally), ("  ", palette.text)])
        room -= 14
    title = live.item.title if live.item is not None else palette.glyphs.none
    follows = live.next.title if live.next is not None else palette.glyphs.none
    share = max(8, (room - 3) // 2) if room < 60 else (room - 20) // 2
    made.append((f"{fit(title, share)} ", palette.text))
    made.append((f"{palette.glyphs.next} {fit(follows, share)} ", palette.next))
    if room >= 60:
        made.extend(next_in(state, view.now, palette))
    return made


def _loudness(view: TileView, palette: Palette) -> list[Part]:
    parts = loudness(view.state.live, palette)
    return [(" " * max(0, 11 - parts_width(parts)), palette.dim), *parts]


def _padded(parts: list[Part], width: int, palette: Palette) -> list[Part]:
    """Exactly ``width`` cells."""
    made: list[Part] = []
    for text, style in parts:
        room = width - parts_width(made)
        if room > 0:
            made.append((fit(text, min(room, parts_width([(text, style)]))), style))
    return [*made, (" " * max(0, width - parts_width(made)), palette.dim)]
