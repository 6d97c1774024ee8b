"""What does not fit where it stands: the whole of a refusal or of a message, in lines over the foot."""

from rich.cells import cell_len
from textual.strip import Strip

from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import line, parts_width
from mcr_console.drawing.verdict import note_parts
from mcr_console.notes import Note
from mcr_console.palette import Palette
from mcr_console.safe_text import safe

MOST = 4
"""Lines of each: what is longer than that is told by ``e``."""


def fits_the_foot(message: str, width: int) -> bool:
    """Beside the keys there is half of the line for it."""
    return cell_len(safe(message)) <= width // 2


def render_said(message: str, note: Note | None, now: float, room: int, width: int, palette: Palette) -> list[Strip]:
    """``room``: cells in which the screen shows ``note``, the last command of the channel that is acted on; 0: not."""
    base, made = palette.ground, list[Strip]()
    if note is not None and (note.kind == "refused" or not room):
        parts = note_parts(note, now, palette)
        if parts_width(parts) > room:
            words = "".join(text for text, _ in parts)
            style = palette.warning if note.kind == "refused" else palette.text
            made += [line(width, base, row) for row in prose(words, style, width, most=MOST)]
    if message and not fits_the_foot(message, width):
        made += [line(width, base, row) for row in prose(message, palette.strong, width, most=MOST)]
    return made
