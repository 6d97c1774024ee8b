"""What the encoder hands to every output: one coded picture or block of sound, immutable and shared."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """``pts`` and ``duration`` count ``time_base`` from the first frame of the run; sound begins a little below zero.

    There are no B-frames, so decoding order is display order. For a picture ``pts`` is the output frame number, and
    ``wall_ns`` its due instant, UTC in nanoseconds; for sound ``wall_ns`` is 0.
    """

    is_video: bool
    data: bytes
    pts: int
    duration: int
    time_base: Fraction
    keyframe: bool
    wall_ns: int = 0


Batch = tuple[EncodedPacket, ...]
"""What leaves the encoder at one frame time; a picture, if there is one, comes first."""
