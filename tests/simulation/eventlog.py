"""What happened, as lines with the world's time; their hash is what two runs of one seed must agree on."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

KEPT: Final = 4000


class EventLog:
    """``keep`` lines at least; with ``aloud`` every line is printed at once."""

    def __init__(self, keep: int = KEPT, *, aloud: bool = False) -> None:
        self.clock: Callable[[], float] = lambda: 0.0
        self.lines: deque[str] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self._aloud = aloud
        self._hash = hashlib.sha256()

    def say(self, kind: str, text: str) -> None:
        """``kind`` is counted. Nothing that differs between two runs of a seed may stand in ``text``."""
        self.counts[kind] += 1
        line = f"{self.clock():9.3f} {kind:<10} {text}"
        self._hash.update(line.encode())
        self.lines.append(line)
        if self._aloud:
            print(line)  # noqa: T201 - a replay is read at the terminal

    def count(self, kind: str) -> None:
        """Counted, and too frequent to be told."""
        self.counts[kind] += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
