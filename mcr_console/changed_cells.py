"""What goes to the terminal: the cells that changed, and none beside them."""

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate


class ChangedCells(ChopsUpdate):
    """A part of the screen anew, each span from its own first cell on.

    Textual (8.2; its issue 5625) begins at the left edge of the widget instead. A tile whose countdown moved then sent
    all that stands left of it in the line again, pictures too: 136 kB a second of a wall of four.
    """

    def __init__(self, update: ChopsUpdate) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """As in Textual: what is written to the terminal."""
        written: list[str] = []
        for y, first, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= end or chop_end <= first:
                    continue
                begins, ends = max(x, first), min(chop_end, end)
                # Whole, it knows what it wrote the last time.
                part = strip if (begins, ends) == (x, chop_end) else strip.crop(begins - x, ends - x)
                written += (Control.move_to(begins, y).segment.text, part.render(console))
        return "".join(written)
