"""Text from outside, made fit for one line of a terminal: nothing in it can steer the screen or break a column."""

import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

_REPLACED: Final = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_REMOVED: Final = {"Cf"}
"""Direction marks and joiners: they reorder or merge what stands beside them, and have no width."""
LONGEST: Final = 500
"""Characters that are looked at; no line is longer."""


@lru_cache(maxsize=4096)
def safe(text: str) -> str:
    """``text`` on one line, control characters shown as ``·``, direction marks and combining stacks taken out.

    It may still hold ``[`` and ``]``: what draws it must not read markup.
    """
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        return text
    kept: list[str] = []
    marks = 0
    for character in text[:LONGEST]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in _REMOVED or marks > 2:
            continue
        kept.append("·" if category in _REPLACED else " " if category == "Zs" else character)
    return "".join(kept)


@lru_cache(maxsize=8192)
def fit(text: str, width: int, *, right: bool = False) -> str:
    """Safe ``text`` in exactly ``width`` cells: padded, or cut with ``…``. Wide characters count two cells."""
    if width <= 0:
        return ""
    text = safe(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1).rstrip(" ") + "…" + " " * _lost(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def _lost(text: str, width: int) -> int:
    kept = set_cell_size(text, width - 1).rstrip(" ")
    return width - 1 - cell_len(kept)


def age(seconds: float) -> str:
    """How long ago: ``0.3 s``, ``12 s``, ``4:05``, ``1:02:03``."""
    if seconds < 0:
        seconds = 0.0
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
