"""A frame's number as black and white cells: what a machine can read back after any scaling and encoding.

A strip along the lower edge, one twenty-fourth of the height, has 36 cells of equal width: white, black (where the
strip begins), 20 bits of frame number and 8 of clip number (highest first, white is 1), 4 bits of checksum (the sum
of the seven nibbles before it, modulo 16), black, and a last cell that is white on the first frame of each second.
"""

import numpy as np
from numpy.typing import NDArray

CELLS = 36


def strip_height(height: int) -> int:
    return max(8, height // 24)


def cell_values(frame: int, clip: int, flash: bool) -> list[bool]:
    """36 cells from left to right, True is white. ``frame`` below 2**20, ``clip`` below 2**8."""
    if not 0 <= frame < 1 << 20 or not 0 <= clip < 1 << 8:
        raise ValueError(f"frame {frame} or clip {clip} does not fit into the cells")
    number = frame << 8 | clip
    checksum = sum(number >> shift & 0xF for shift in range(0, 28, 4)) & 0xF
    word = number << 4 | checksum
    return [True, False, *(bool(word >> bit & 1) for bit in range(31, -1, -1)), False, flash]


def draw_cells(picture: NDArray[np.uint8], frame: int, clip: int, flash: bool) -> None:
    """Writes the strip into ``picture``, RGB of shape (height, width, 3)."""
    height, width, _ = picture.shape
    top = height - strip_height(height)
    for cell, white in enumerate(cell_values(frame, clip, flash)):
        picture[top:, cell * width // CELLS : (cell + 1) * width // CELLS] = 235 if white else 16
