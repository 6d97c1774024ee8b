"""The control network: delay, loss, cuts of one way or both, and requests that arrive long after they were given up."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.store import Way


@dataclass(frozen=True, slots=True)
class Trap:
    """For the next request of a kind to a node: by how many seconds it is late, and what happens while it is."""

    seconds: float
    then: Callable[[], None]


@dataclass(eq=False, slots=True)
class Network:
    """``cuts``: pairs (from, to) of host names between which nothing arrives. ``loss`` of each message; ``late`` of
    requests that arrive seconds later, when nobody waits for the answer any more."""

    chance: random.Random
    loss: float = 0.0
    late: float = 0.0
    slow: float = 0.0
    cuts: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    traps: dict[tuple[str, str], Trap] = field(default_factory=dict[tuple[str, str], Trap])
    """By node name and kind of request."""
    ways: dict[tuple[str, str], Way] = field(default_factory=dict[tuple[str, str], Way])

    @property
    def is_rough(self) -> bool:
        return bool(self.loss or self.late or self.slow)

    def delay(self) -> float:
        if self.slow and self.chance.random() < self.slow:
            return self.chance.uniform(0.2, 0.9)
        return self.chance.uniform(0.0005, 0.006)

    def lost(self, sender: str, receiver: str) -> bool:
        return (sender, receiver) in self.cuts or (self.loss > 0 and self.chance.random() < self.loss)

    def cut(self, sender: str, receiver: str) -> None:
        self.cuts.add((sender, receiver))
        self._tell_ways()

    def mend(self, sender: str, receiver: str) -> None:
        self.cuts.discard((sender, receiver))
        self._tell_ways()

    def mend_all(self) -> None:
        self.cuts.clear()
        self.traps.clear()
        self.loss = self.late = self.slow = 0.0
        self._tell_ways()

    def way(self, client: str, database: str) -> Way:
        """The client's way to the database; it changes with the cuts."""
        way = self.ways.setdefault((client, database), Way())
        self._tell_ways()
        return way

    def _tell_ways(self) -> None:
        for (client, database), way in self.ways.items():
            way.requests = (client, database) not in self.cuts
            way.answers = (database, client) not in self.cuts
