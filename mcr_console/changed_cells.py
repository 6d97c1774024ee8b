"""What goes to the terminal: the cells that changed, none beside them, and no style twice."""

from collections.abc import Iterator

from rich.cells import cached_cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from mcr_console.terminal_codes import Pen


class ChangedCells(ChopsUpdate):
    """A part of the screen anew, each span from its own first cell on.

    Textual (8.2; its issue 5625) begins at the left edge of the widget instead. A tile whose countdown moved then sent
    all that stands left of it in the line again, pictures too: 136 kB a second of a wall of four.
    """

    def __init__(self, update: ChopsUpdate) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """As in Textual: what is written to the terminal."""
        pen = _pen(console)
        for y, first, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= end or chop_end <= first:
                    continue
                begins, ends = max(x, first), min(chop_end, end)
                pen.move(begins, y)
                pen.draw(strip if (begins, ends) == (x, chop_end) else between(strip, begins - x, ends - x))
        return pen.text()


class WholeScreen(LayoutUpdate):
    """All of it anew."""

    def __init__(self, update: LayoutUpdate) -> None:
        super().__init__(update.strips, update.region)

    def render_segments(self, console: Console) -> str:
        """As in Textual: what is written to the terminal."""
        pen = _pen(console)
        for y, strips in enumerate(self.strips, self.region.y):
            pen.move(self.region.x, y)
            for strip in strips:
                pen.draw(strip)
        return pen.text()


def between(strip: Strip, first: int, end: int) -> Iterator[Segment]:
    """The cells from ``first`` to ``end``, exclusive. ``Strip.crop`` makes another strip of them, with eight caches."""
    at = 0
    for segment in strip:
        begins, at = at, at + cached_cell_len(segment.text)
        if at <= first:
            continue
        if begins < first:
            segment, begins = segment.split_cells(first - begins)[1], first  # noqa: PLW2901 - what is left of it
        if at > end:
            yield segment.split_cells(end - begins)[0]
            return
        yield segment
        if at == end:
            return


def _pen(console: Console) -> Pen:
    # Its public word for it is a name, of which Rich tells nobody what it means.
    system: ColorSystem | None = console._color_system  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return Pen(system or ColorSystem.TRUECOLOR)
