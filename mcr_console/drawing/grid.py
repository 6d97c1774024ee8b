"""How many tiles stand side by side, and how big they are."""

from dataclasses import dataclass
from typing import Final

from mcr_console.drawing.tile import widest_picture

LEAST_WIDTH: Final = 38
"""Cells a tile needs; two of them and their gaps fill 79 of 80."""
LEAST_HEIGHT: Final = 7
MOST_HEIGHT: Final = 24
GAP: Final = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles of ``width`` by ``height`` cells in ``columns``, a gap of one around each, in which the focus is framed."""

    columns: int
    width: int
    height: int
    count: int

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def pitch(self) -> int:
        """Lines from one row of tiles to the next."""
        return self.height + GAP

    @property
    def total_height(self) -> int:
        """Lines of the whole wall."""
        return self.rows * self.pitch + GAP


def grid_for(count: int, width: int, height: int) -> Grid:
    """The largest tiles with which all of ``count`` are seen at once; else the smallest, to be scrolled."""
    most = max(1, (width - GAP) // (LEAST_WIDTH + GAP))
    best: Grid | None = None
    for columns in range(1, min(most, max(1, count)) + 1):
        tile_width = (width - GAP) // columns - GAP
        rows = -(-max(1, count) // columns)
        tile_height = (height - GAP) // rows - GAP
        if tile_height < LEAST_HEIGHT:
            continue
        # A picture is 16:9: height beyond what the width can use would stay empty.
        tile_height = min(tile_height, MOST_HEIGHT, max(LEAST_HEIGHT, widest_picture(tile_width) * 9 // 32 + 2))
        found = Grid(columns, tile_width, tile_height, count)
        # Of equal pictures, more columns: a tile needs no width beyond its words.
        if best is None or found.height >= best.height:
            best = found
    if best is None:
        columns = min(most, max(1, count))
        best = Grid(columns, (width - GAP) // columns - GAP, LEAST_HEIGHT, count)
    return best
