"""How a line is put together: parts on the left, parts on the right, exactly as wide as asked."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mcr_console.safe_text import fit, safe

Part: TypeAlias = tuple[str, Style]
"""A text, still unsafe, and its style on the line's ground."""


def parts_width(parts: Iterable[Part]) -> int:
    """Cells that ``parts`` take when nothing is cut."""
    return sum(cell_len(safe(text)) for text, _ in parts)


def segments(width: int, base: Style, left: Sequence[Part], right: Sequence[Part] = ()) -> list[Segment]:
    """Exactly ``width`` cells on ``base``. The left is cut with ``…`` to keep the right whole."""
    if width <= 0:
        return []
    wanted = list(right)
    while wanted and parts_width(wanted) > max(0, width - 7):
        wanted.pop(0)
    space = width - parts_width(wanted)
    made = _cut(space - 1 if wanted else space, base, left)
    used = sum(segment.cell_length for segment in made)
    if used < space:
        made.append(Segment(" " * (space - used), base))
    made.extend(Segment(safe(text), base + style) for text, style in wanted)
    return made


def line(width: int, base: Style, left: Sequence[Part], right: Sequence[Part] = ()) -> Strip:
    """A strip of ``segments``."""
    return Strip(segments(width, base, left, right), width)


def columns(width: int, base: Style, cells: Sequence[tuple[str, Style, int]], gap: int = 1) -> Strip:
    """Cells of given widths, each cut or padded; a negative width aligns right. The last takes what is left."""
    made: list[Segment] = []
    used = 0
    for index, (text, style, asked) in enumerate(cells):
        size = width - used if index == len(cells) - 1 else min(abs(asked), width - used)
        if size <= 0:
            break
        made.append(Segment(fit(text, size, right=asked < 0), base + style))
        used += size
        spacing = min(gap, width - used)
        if spacing:
            made.append(Segment(" " * spacing, base))
            used += spacing
    if used < width:
        made.append(Segment(" " * (width - used), base))
    return Strip(made, width)


def blank(width: int, base: Style) -> Strip:
    """An empty line."""
    return Strip([Segment(" " * width, base)], width)


def _cut(space: int, base: Style, parts: Sequence[Part]) -> list[Segment]:
    made: list[Segment] = []
    for text, style in parts:
        if space <= 0:
            break
        shown = safe(text)
        size = cell_len(shown)
        if size > space:
            shown, size = fit(shown, space), space
        if shown:
            made.append(Segment(shown, base + style))
            space -= size
    return made
