"""Which numbers an epoch's playlist begins with, so that they never go back whatever node it starts on.

docs/decisions/0011-playlist-numbers-across-nodes.md has the argument. Pure.
"""

from collections.abc import Set
from typing import Final

TICKS: Final = 8
"""A second. No segment is shorter than one tick: keyframes are at least 133 ms apart."""
EPOCH_TICKS: Final = 16 * TICKS
"""How far an epoch begins above the one before: a node whose clock is behind by less than that does not go back."""
_ZERO_S: Final = 1_735_689_600  # 2025-01-01: keeps the numbers below 31 bits until 2033, for old players


def first_number(wall_ns: int, epoch: int) -> int:
    """The media sequence, and the discontinuity sequence, of an epoch whose first segment starts at ``wall_ns``."""
    return max(0, (wall_ns - _ZERO_S * 1_000_000_000) * TICKS // 1_000_000_000) + EPOCH_TICKS * epoch


def is_predecessor(candidate: int, epoch: int, *, opened: Set[int], written: Set[int]) -> bool:
    """Whether ``candidate`` is the last epoch before ``epoch`` that anybody can have played.

    ``opened`` and ``written``: the epochs that left a directory here, and a playlist. An epoch airs on one node only:
    if each one between opened here and wrote nothing, then none of them wrote anything anywhere.
    """
    return all(between in opened and between not in written for between in range(candidate + 1, epoch))
