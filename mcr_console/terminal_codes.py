"""What a terminal is sent for segments: where one looks like the one before, nothing but its text (ECMA-48, SGR).

Rich and Textual send every segment's whole style and a reset behind it. Of a picture whose cells are two colours each
that is twice the bytes, and a terminal reads a pseudo-terminal's 4 KB at a time.
"""

from collections.abc import Iterable
from typing import Final

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_KEPT: Final = 4096
_RESET: Final = "\x1b[0m"
_PLAIN: Final = ("", "", "")
_EXTENDED: Final = {"2": 5, "5": 3}
"""Numbers of a colour by its second one: 38;2;r;g;b and 38;5;n."""


def parts_of(codes: str) -> tuple[str, str, str]:
    """A style's numbers as attributes, text colour and ground, each empty where it has none."""
    attributes: list[str] = []
    colour = ground = ""
    numbers = codes.split(";") if codes else []
    while numbers:
        first = numbers[0]
        count = _EXTENDED[numbers[1]] if first in {"38", "48"} else 1
        taken = ";".join(numbers[:count])
        del numbers[:count]
        if first.startswith(("3", "9")) and len(first) > 1:
            colour = taken
        elif first.startswith(("4", "10")) and len(first) > 1:
            ground = taken
        else:
            attributes.append(taken)
    return ";".join(attributes), colour, ground


class Pen:
    """What the terminal was last told. ``text`` collects what is to be written, from a plain style to a plain one."""

    _known: Final[dict[str, tuple[str, str, str]]] = {}

    def __init__(self, system: ColorSystem) -> None:
        self._system = system
        self._now = _PLAIN
        self._written: list[str] = []

    def move(self, column: int, row: int) -> None:
        """To a cell, counted from 0."""
        self._written.append(f"\x1b[{row + 1};{column + 1}H")

    def draw(self, segments: Iterable[Segment]) -> None:
        """One after the other from where the cursor is."""
        written = self._written
        for text, style, control in segments:
            if control or not text:
                continue
            if style is not None and style.link:
                self._plainly()
                written.append(Strip.render_style(style, text, self._system))
                continue
            codes = "" if style is None else self._codes(style)
            wanted = self._known.get(codes)
            if wanted is None:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                wanted = self._known[codes] = parts_of(codes)
            if wanted != self._now:
                self._change(codes, wanted, blank=text.isspace())
            written.append(text)

    def text(self) -> str:
        """All of it; the next one begins plain."""
        self._plainly()
        made = "".join(self._written)
        self._written.clear()
        return made

    def _codes(self, style: Style) -> str:
        # Kept there by Rich and by Textual, and by nothing public.
        codes: str | None = style._ansi  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return Strip.render_ansi(style, self._system) if codes is None else codes

    def _change(self, codes: str, wanted: tuple[str, str, str], *, blank: bool) -> None:
        attributes, colour, ground = wanted
        was_attributes, was_colour, was_ground = self._now
        if blank and not attributes and not was_attributes:
            colour = was_colour  # of an empty cell only the ground is seen
        if attributes != was_attributes or (was_colour and not colour) or (was_ground and not ground):
            self._written.append(f"\x1b[0;{codes}m" if codes else _RESET)
            self._now = wanted
            return
        changes = [now for now, was in ((colour, was_colour), (ground, was_ground)) if now != was]
        if changes:
            self._written.append(f"\x1b[{';'.join(changes)}m")
        self._now = (attributes, colour, ground)

    def _plainly(self) -> None:
        if self._now != _PLAIN:
            self._written.append(_RESET)
            self._now = _PLAIN
