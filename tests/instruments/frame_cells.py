"""Reads the cells along a picture's lower edge back into numbers.

The form is the clip maker's: 36 cells, white, black, 20 bits frame, 8 bits clip, 4 bits checksum, black, flash. It is
written down here a second time on purpose: an instrument that shared the maker's code would share its mistakes.
"""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

CELLS = 36
SURE = 40  # code values a cell must be away from mid-grey to count


@dataclass(frozen=True, slots=True)
class Seen:
    """What one decoded frame shows. ``clip`` and ``number`` are None where no cells are readable."""

    clip: int | None
    number: int | None
    flash: bool
    black: bool


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, dtype=np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width]


def read_frame(frame: av.VideoFrame, aspects: tuple[Fraction, ...]) -> Seen:
    """``aspects`` are the display aspects that clips may have; each is looked for as it sits in the picture."""
    picture = luma(frame)
    black = bool(picture.mean() < 20 and picture.max() < 60)
    for aspect in aspects:
        found = _read_strip(_active(picture, aspect))
        if found is not None:
            return Seen(found[0], found[1], found[2], black)
    return Seen(None, None, False, black)


def _active(picture: NDArray[np.uint8], aspect: Fraction) -> NDArray[np.uint8]:
    """The part of a square-pixel picture that a clip of ``aspect`` fills when it is fitted, not stretched."""
    height, width = picture.shape
    if aspect < Fraction(width, height):
        inner = round(height * aspect)
        left = (width - inner) // 2
        return picture[:, left : left + inner]
    inner = round(width / aspect)
    top = (height - inner) // 2
    return picture[top : top + inner]


def _read_strip(active: NDArray[np.uint8]) -> tuple[int, int, bool] | None:
    height, width = active.shape
    strip = max(8, height // 24)
    # The middle of each cell only: edges are soft after scaling.
    rows = active[height - strip * 2 // 3 : height - strip // 3]
    levels = np.array(
        [
            rows[:, (3 * cell + 1) * width // (3 * CELLS) : max(1, (3 * cell + 2) * width // (3 * CELLS))].mean()
            for cell in range(CELLS)
        ]
    )
    if np.any(np.abs(levels - 126) < SURE):
        return None
    bits = levels > 126
    if not bits[0] or bits[1] or bits[34]:
        return None
    word = 0
    for bit in bits[2:34]:
        word = word << 1 | int(bit)
    number, checksum = word >> 4, word & 0xF
    if sum(number >> shift & 0xF for shift in range(0, 28, 4)) & 0xF != checksum:
        return None
    return number & 0xFF, number >> 8, bool(bits[35])
