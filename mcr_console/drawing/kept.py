"""What was drawn of each channel and need not be drawn again."""

from collections.abc import Callable
from typing import Generic, TypeVar

from mcr_console.drawing.tile import TileView, looks_alike
from mcr_console.palette import Palette

T = TypeVar("T")
Size = tuple[int, int]


class Kept(Generic[T]):
    """The last drawing of each channel that was asked for since ``prune`` was last called, or before that."""

    def __init__(self) -> None:
        self._drawn: dict[str, tuple[TileView, Size, Palette, T]] = {}
        self._asked: set[str] = set()

    def get(self, view: TileView, size: Size, palette: Palette, draw: Callable[[], T]) -> T:
        """The very object that was drawn before, where it would look the same."""
        channel_id = view.state.channel.id
        self._asked.add(channel_id)
        known = self._drawn.get(channel_id)
        if known is not None and known[1] == size and known[2] is palette and looks_alike(view, known[0]):
            return known[3]
        made = draw()
        self._drawn[channel_id] = (view, size, palette, made)
        return made

    def prune(self) -> None:
        """Forgets what nobody asked for since this was last called."""
        self._drawn = {id_: drawn for id_, drawn in self._drawn.items() if id_ in self._asked}
        self._asked.clear()
