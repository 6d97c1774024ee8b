"""A channel's condition and its last command as parts of a line, the same on every screen."""

from datetime import datetime

from rich.style import Style

from mcr_console.condition import Condition
from mcr_console.drawing.strips import Part
from mcr_console.notes import Note
from mcr_console.palette import Palette
from mcr_console.safe_text import age
from mcr_console.wall_state import ChannelState
from supervisor.schemas.control import Control
from supervisor.schemas.timecode import format_timecode


def tally_sign(verdict: Condition, palette: Palette) -> tuple[str, Style, Style]:
    """Sign, style of its text and style of the channel's number."""
    glyphs = palette.glyphs
    match verdict.tally:
        case "on_air":
            return glyphs.on_air, palette.tally, palette.tally_block
        case "off_air":
            return glyphs.off_air, palette.off_air, palette.off_air_block
        case "changing":
            return glyphs.changing, palette.strong, palette.off_block
        case "unknown":
            return glyphs.unknown, palette.warning, palette.warning_block
        case "off":
            return glyphs.off, palette.dim, palette.off_block


def verdict_parts(verdict: Condition, palette: Palette, *, stale: bool) -> list[Part]:
    """Sign and word of the tally, then sign and word of a warning. When stale: what it was."""
    if stale:
        return [(f"{palette.glyphs.unknown} STALE", palette.strong), (f" was {verdict.word}", palette.dim)]
    sign, style, _ = tally_sign(verdict, palette)
    parts: list[Part] = [(f"{sign} {verdict.word}", style)]
    if verdict.warning:
        mark = palette.glyphs.hold if verdict.warning == "HOLD" else palette.glyphs.warning
        more = f" +{len(verdict.warnings) - 1}" if len(verdict.warnings) > 1 else ""
        parts.append((f"  {mark} {verdict.warning}{more}", style if verdict.tally == "off_air" else palette.warning))
    return parts


def note_parts(note: Note, now: float, palette: Palette) -> list[Part]:
    """The last command, in one line."""
    match note.kind:
        case "pending":
            if not note.waits(now):
                return [(f"{palette.glyphs.pending} {note.text}", palette.strong)]
            waited = f" {age(now - note.at)}: {note.detail}"
            return [(f"{palette.glyphs.pending} {note.verb}", palette.strong), (waited, palette.warning)]
        case "done":
            return [(f"{palette.glyphs.done} {note.detail}", palette.done), (f" {note.text}", palette.dim)]
        case "refused":
            why = f"{note.detail} {note.hint}".strip()
            return [(f"{palette.glyphs.refused} {note.verb}: {why}", palette.warning)]


def control_words(control: Control | None, seat: str) -> str:
    """Who has control of a channel: ``you``, a name, or nothing where nobody has."""
    if control is None:
        return ""
    return "you" if control.seat == seat else control.operator


def countdown(state: ChannelState, now: float) -> str:
    """``-HH:MM:SS:FF`` to the item's end, ``+HH:MM:SS:FF`` since its start where it has no end; empty without item."""
    position, item = state.position(now), state.live.item
    if item is None or position is None:
        return ""
    rate = state.channel.format.rate
    if item.duration_frames is None:
        return "+" + format_timecode(position, rate)
    return "-" + format_timecode(item.duration_frames - position, rate)


def progress(state: ChannelState, now: float) -> float:
    """How much of the item has aired, 0 to 1."""
    position, item = state.position(now), state.live.item
    if item is None or position is None or not item.duration_frames:
        return 0.0
    return min(1.0, position / item.duration_frames)


def clock_length(frames: int, rate: str) -> str:
    """A length for a glance: ``11:40`` or ``1:02:03``."""
    hours, minutes, seconds = format_timecode(max(0, frames), rate).replace(";", ":").split(":")[:3]
    return f"{int(hours)}:{minutes}:{seconds}" if int(hours) else f"{int(minutes)}:{seconds}"


def next_in(state: ChannelState, now: float, palette: Palette) -> list[Part]:
    """When the next item comes, or who has to bring it."""
    live = state.live
    if live.picture == "hold":
        return [("HOLD: take!", palette.warning)]
    if live.next is None:
        return [("", palette.dim)]
    parts: list[Part] = []
    if live.hold:
        parts.append((f"{palette.glyphs.hold} holds after this", palette.warning))
    elif live.next.in_frames_left is not None:
        left = live.next.in_frames_left - (state.frames_since(now) if live.picture == "item" else 0)
        parts.append((f"in {clock_length(left, state.channel.format.rate)}", palette.dim))
    else:
        parts.append(("waits for a take", palette.warning))
    if live.next.live is not None and live.next.live.state in {"connecting", "lost"}:
        parts.append((f"  input {live.next.live.state}", palette.warning))
    if live.next.cued:
        parts.append((" cued", palette.next))
    if not live.next.ready:
        parts.append((" opening", palette.dim))
    return parts


def off_air_for(state: ChannelState, supervisor_now: datetime | None) -> str:
    """``off air 1.8 s``."""
    since = state.live.off_air_since
    if since is None or supervisor_now is None:
        return "off air"
    return f"off air {age((supervisor_now - since).total_seconds())}"
