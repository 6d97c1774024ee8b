"""Where a source's picture lies in the channel's: never stretched, black beside or above it. Pure arithmetic."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Turn = Literal["none", "clock", "cclock", "clock_flip", "cclock_flip", "hflip", "vflip", "half"]
"""How a picture has to be turned to stand upright, in the words of FFmpeg's transpose filter; half is 180 degrees."""

SWAPPING: frozenset[Turn] = frozenset(("clock", "cclock", "clock_flip", "cclock_flip"))


@dataclass(frozen=True, slots=True)
class Placement:
    """The scaled picture's size and its upper left corner in the channel's picture, all even, in pixels."""

    width: int
    height: int
    x: int
    y: int


def place(width: int, height: int, sample_aspect: Fraction, channel: tuple[int, int]) -> Placement:
    """Fits an upright picture of ``width`` x ``height`` samples into the channel's square pixels.

    A difference of at most half a percent is taken for rounding (1920x1088, 854x480), not for a shape of its own.
    """
    channel_width, channel_height = channel
    shape = Fraction(width, height) * (sample_aspect if sample_aspect > 0 else 1)
    channel_shape = Fraction(channel_width, channel_height)
    if abs(shape - channel_shape) * 200 <= channel_shape:
        return Placement(channel_width, channel_height, 0, 0)
    if shape > channel_shape:
        inner_width, inner_height = channel_width, _even(channel_width / shape)
    else:
        inner_width, inner_height = _even(channel_height * shape), channel_height
    return Placement(
        inner_width, inner_height, (channel_width - inner_width) // 4 * 2, (channel_height - inner_height) // 4 * 2
    )


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def turn_of(matrix: tuple[int, ...], angle: int) -> Turn:
    """What undoes a display matrix (9 numbers, row by row) that turns by ``angle`` degrees counterclockwise.

    Follows ffmpeg's ``-autorotate``; an angle that is no multiple of 90 degrees is left alone.
    """
    match -angle % 360:
        case 90:
            return "cclock_flip" if matrix[3] > 0 else "clock"
        case 270:
            return "clock_flip" if matrix[3] < 0 else "cclock"
        case 180:
            if matrix[0] < 0 and matrix[4] < 0:
                return "half"
            return "hflip" if matrix[0] < 0 else "vflip"
        case 0:
            return "vflip" if matrix[4] < 0 else "none"
        case _:
            return "none"
