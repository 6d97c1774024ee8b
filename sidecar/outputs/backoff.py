"""How long to wait before a place that failed is tried again."""

from typing import Final

FIRST_BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 10.0


def backoff_s(failures: int, chance: float) -> float:
    """Seconds to wait after the ``failures``-th failure in a row; ``chance`` in 0..1 spreads by 0.5 to 1.5."""
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 10)) * (0.5 + chance)
