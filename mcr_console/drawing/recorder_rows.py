"""Recorders as rows, and what is known of the selected one: its input, its file, its room, what comes, what was."""

from collections.abc import Sequence
from fractions import Fraction

from rich.style import Style
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, columns
from mcr_console.palette import Palette
from supervisor.schemas.recorder import RecordedFile, Recorder, RecorderLive
from supervisor.schemas.schedule import Schedule

TAIL = 6
"""Files of the as-recorded tail."""
COMING = 4


def input_words(recorder: Recorder) -> str:
    what = recorder.input
    if what.kind == "decklink":
        return f"DeckLink port {what.device_index}"
    return what.url or what.kind


def state_of(recorder: Recorder, palette: Palette) -> tuple[str, Style]:
    """Sign, word and style. A recorder has no tally: red stays with what is on air."""
    live, glyphs = recorder.live, palette.glyphs
    if live.phase in {"placing", "fencing", "starting", "stopping", "blocked"}:
        loud = live.phase == "blocked"
        return f"{glyphs.warning if loud else glyphs.changing} {live.phase}", palette.warning if loud else palette.text
    match live.observed:
        case "recording" | "late":
            pass
        case None:
            return (f"{glyphs.off} off", palette.dim) if recorder.desired == "off" else ("? waiting", palette.warning)
        case "dark" | "gone":
            if recorder.desired == "off":
                return f"{glyphs.off} off", palette.dim
            return f"{glyphs.warning} NOT REC", palette.warning_block
        case _:
            return f"{glyphs.unknown} {live.observed.upper()}", palette.warning
    match live.state:
        case "no_signal":
            return f"{glyphs.warning} NO SIGNAL", palette.warning
        case "no_room":
            return f"{glyphs.warning} NO ROOM", palette.warning_block
        case "failed":
            return f"{glyphs.warning} FAILED", palette.warning_block
        case "waiting":
            return f"{glyphs.pending} ready", palette.text
        case _:
            word = "REC late" if live.observed == "late" else "REC"
            return f"{glyphs.done} {word}", palette.warning if live.observed == "late" else palette.done


HEADS = (("", 1), ("RECORDER", 12), ("STATE", 12), ("FOR", -8), ("ROOM", -8), ("NODE", 8))


def recorder_heads(palette: Palette) -> list[Part]:
    cells = [f"{head:>{-size}}" if size < 0 else f"{head:<{size}}" for head, size in HEADS]
    return [(" ".join(cells) + " WHAT", palette.dim)]


def render_recorder(
    recorder: Recorder, coming: Sequence[Schedule], clock: Clock, width: int, ground: Style, palette: Palette, *,
    stale: bool,
) -> Strip:  # fmt: skip
    live = recorder.live
    word, style = state_of(recorder, palette)
    what, what_style = _what(recorder, coming, clock, palette)
    cells: list[tuple[str, Style, int]] = [
        (palette.glyphs.cursor if ground == palette.cursor_row else " ", palette.frame, 1),
        (recorder.name, palette.strong, 12),
        (word, style, 12),
        (elapsed(live), palette.text, -8),
        (room(live), palette.warning if _is_short(recorder) else palette.dim, -8),
        (live.node_name or palette.glyphs.none, palette.dim, 8),
        (what, what_style, 20),
    ]
    if stale:
        cells = [(text, palette.dim, size) for text, _, size in cells]
    return columns(width, ground, cells)


def elapsed(live: RecorderLive) -> str:
    """How long the file is, from its frames: ``0:12``, ``1:02:03``; empty without one."""
    if not live.path or live.rate is None:
        return ""
    return _span(live.file_frames, live.rate)


def room(live: RecorderLive) -> str:
    if live.free_mb is None:
        return ""
    if live.free_mb < 1024:
        return f"{live.free_mb} MiB"
    return f"{live.free_mb / 1024:.1f} GiB" if live.free_mb < 100 * 1024 else f"{live.free_mb // 1024} GiB"


def recorder_page(
    recorder: Recorder, coming: Sequence[Schedule], files: Sequence[RecordedFile] | None, width: int, clock: Clock,
    palette: Palette,
) -> list[list[Part]]:  # fmt: skip
    live = recorder.live
    made: list[list[Part]] = [[(f" {recorder.name}", palette.strong), (f"  {input_words(recorder)}", palette.text)]]
    if live.detail:
        made += prose(live.detail, palette.warning, width)
    if live.path:
        made.append([(f" {live.path}", palette.text)])
        size = f"{live.file_bytes / 1_048_576:.0f} MiB, file {live.files}"
        lost = f", {live.lost_frames} frames lost in {live.gaps} gaps" if live.lost_frames else ", nothing lost"
        made.append([(f" {size}", palette.dim), (lost, palette.warning if live.lost_frames else palette.dim)])
    if live.free_mb is not None:
        made.append([(f" room {room(live)}; stops below {recorder.floor_mb} MiB", palette.dim)])
    if live.decision:
        made += prose(live.decision, palette.dim, width, rest=" ")
    if recorder.held_until is not None:
        until = f"{clock.local(recorder.held_until):%H:%M:%S}"
        made += prose(f"Stopped by a person: schedules leave it off until {until}.", palette.warning, width)
    made.append([(" COMING", palette.strong), ("" if coming else "  nothing is scheduled", palette.dim)])
    for one in coming[:COMING]:
        if one.next_start_at is not None and one.next_end_at is not None:
            times = f"{clock.local(one.next_start_at):%a %H:%M:%S}-{clock.local(one.next_end_at):%H:%M:%S}"
            made.append([(f" {times}  ", palette.dim), (one.title, palette.text)])
        for clash in one.clashes[:1]:
            words = f"clashes with {clash.title} of {clash.recorder} over {clash.what}"
            made += prose(words, palette.warning, width, first=f" {palette.glyphs.warning} ")
    made.append([(" AS RECORDED", palette.strong)])
    if files is None:
        made.append([(" not known yet", palette.dim)])
    elif not files:
        made.append([(" nothing yet", palette.dim)])
    for file in (files or ())[:TAIL]:
        made.append(_file(file, clock, palette))
    return made


def _file(file: RecordedFile, clock: Clock, palette: Palette) -> list[Part]:
    length = "open" if file.frames is None else _span(file.frames, file.rate)
    lost = f"  {file.lost_frames} lost" if file.lost_frames else ""
    return [
        (f" {clock.local(file.start_at):%d %b %H:%M:%S} {length:>8}", palette.dim),
        (lost, palette.warning),
        (f"  {file.path}", palette.text),
    ]


def _what(recorder: Recorder, coming: Sequence[Schedule], clock: Clock, palette: Palette) -> tuple[str, Style]:
    live = recorder.live
    if live.path or live.title:
        return live.title or live.path, palette.text
    if live.detail:
        return live.detail, palette.warning
    following = next((one for one in coming if one.next_start_at is not None), None)
    if following is not None and following.next_start_at is not None:
        return f"{clock.local(following.next_start_at):%a %H:%M} {following.title}", palette.next
    return input_words(recorder), palette.dim


def _is_short(recorder: Recorder) -> bool:
    free = recorder.live.free_mb
    return free is not None and free < 2 * recorder.floor_mb


def _span(frames: int, rate: str) -> str:
    seconds = int(frames / Fraction(rate))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
