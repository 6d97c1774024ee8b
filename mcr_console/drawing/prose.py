"""Sentences in a narrow place: whole words, further lines indented."""

from textwrap import wrap

from rich.style import Style

from mcr_console.drawing.strips import Part
from mcr_console.safe_text import safe


def prose(
    text: str, style: Style, width: int, *, first: str = " ", rest: str = "   ", most: int = 6
) -> list[list[Part]]:
    """``text`` in lines of ``width`` cells, ``most`` of them at the most; the last is then cut by who draws it."""
    words = wrap(safe(text), max(8, width - len(rest) - 1)) or [""]
    shown = words if len(words) <= most else [*words[: most - 1], " ".join(words[most - 1 :])]
    return [[(f"{rest if index else first}{part}", style)] for index, part in enumerate(shown)]
