"""What happened, counted since this supervisor began. Plain numbers, read when somebody asks for them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

ANSWER_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
"""A key press is to be answered within 0.15 s."""
RECOVERY_S: Final = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)


class Spread:
    """How many durations, in seconds, were at most each of ``bounds``."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def cumulated(self) -> list[tuple[str, int]]:
        """By bound; the last is ``+Inf`` and counts all."""
        seen = 0
        found: list[tuple[str, int]] = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            seen += count
            found.append((bound, seen))
        return found


class Tally:
    """Belongs to one event loop; nothing here blocks or fails. By channel, recorder or operation id."""

    def __init__(self) -> None:
        self.restarts: Final[Counter[str]] = Counter()
        """Of a channel, or of a recorder: ends of its sidecar while it was wanted."""
        self.failovers: Final[Counter[str]] = Counter()
        self.failover_s: Final = Spread(RECOVERY_S)
        """From when a channel was not seen on air until it was, on another node."""
        self.interruption_s: Final = Spread(RECOVERY_S)
        """The same wherever it came back, the failovers included."""
        self.task_faults = 0
        self.passes = 0
        """Over everything that concerns no single channel, once a second; a supervisor that hangs makes none."""
        self.answers: Final[Counter[tuple[str, int]]] = Counter()
        """By operation id and status."""
        self.answer_s: Final[dict[str, Spread]] = {}
        self.webhook_calls: Final[Counter[str]] = Counter({"taken": 0, "refused": 0})
        self.webhooks: Mapping[str, tuple[int, int]] = {}
        """By receiver, while this supervisor leads: what waits for it, and what was given up."""

    def restarted(self, owner_id: str) -> None:
        """Its sidecar went although it was wanted."""
        self.restarts[owner_id] += 1

    def back_on_air(self, channel_id: str, seconds: float | None, *, elsewhere: bool) -> None:
        """``seconds`` for which it was not seen on air; None: it was all the time, and moved."""
        if seconds is not None:
            self.interruption_s.add(seconds)
        if elsewhere:
            self.failovers[channel_id] += 1
            self.failover_s.add(seconds or 0.0)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """A call was answered; of a stream its beginning."""
        self.answers[operation, status] += 1
        spread = self.answer_s.get(operation)
        if spread is None:
            spread = self.answer_s[operation] = Spread(ANSWER_S)
        spread.add(seconds)

    def forget(self, owner_id: str) -> None:
        """The channel or recorder was deleted."""
        for known in (self.restarts, self.failovers):
            known.pop(owner_id, None)
