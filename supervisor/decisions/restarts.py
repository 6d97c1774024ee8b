"""The restart history of one channel: back-off that never ends, and items that bring the engine down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

BACKOFF: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds before the next start, by failures in a row; the last holds for ever."""
SKIP_AT: Final = 2
LEAVE_OUT_AT: Final = 3
TROUBLED_AT: Final = 4
"""Failures on one node within ``Timing.troubled`` after which another is tried."""
_REMEMBERED: Final = 16


def backoff(failures: int, jitter: float) -> float:
    """Seconds to wait after ``failures`` in a row. ``jitter`` in [0, 1) spreads starts over the upper half of the step.

    The lower half is kept: full jitter would now and then retry a broken channel at once.
    """
    step = BACKOFF[min(failures, len(BACKOFF)) - 1] if failures > 0 else 0.0
    return step / 2 + step / 2 * jitter


@dataclass(frozen=True, slots=True)
class Restarts:
    """Fed with facts; times are our monotonic clock, ``wait`` in seconds.

    ``brought_down``: by item, how often the engine died on it. ``lately``: the last failures, when and on which node.
    """

    failures: int = 0
    wait: float = 0.0
    not_before: float = 0.0
    last_failure: float | None = None
    cause: str = ""
    brought_down: Mapping[str, int] = field(default_factory=dict[str, int])
    on_air_since: float | None = None
    item_id: str | None = None
    item_since: float = 0.0
    lately: tuple[tuple[float, str], ...] = ()

    def failed(
        self, now: float, cause: str, jitter: float, *, item_id: str | None, node_id: str | None = None
    ) -> "Restarts":
        """The sidecar went although it was wanted; ``item_id`` was on air then, None where none was."""
        counts = dict(self.brought_down)
        if item_id is not None:
            counts[item_id] = counts.get(item_id, 0) + 1
        failures = self.failures + 1
        wait = backoff(failures, jitter)
        return Restarts(
            failures=failures,
            wait=wait,
            not_before=now + wait,
            last_failure=now,
            cause=cause,
            brought_down=counts,
            lately=(*self.lately, (now, node_id or ""))[-_REMEMBERED:],
        )

    def troubled(self, now: float, within: float) -> frozenset[str]:
        """Nodes on which it failed so often in the last ``within`` seconds that another is to be tried."""
        recent = [node_id for at, node_id in self.lately if now - at < within]
        return frozenset(node_id for node_id in recent if recent.count(node_id) >= TROUBLED_AT)

    def on_air(self, now: float, item_id: str | None, *, good_spell: float, forgive: float) -> "Restarts":
        """The sidecar is on air with ``item_id``: time heals."""
        since = self.on_air_since if self.on_air_since is not None else now
        item_since = self.item_since if item_id == self.item_id and self.item_id is not None else now
        counts = self.brought_down
        # It played for long, or to where another followed: what ended the engine then was not this item.
        innocent = {item_id} if now - item_since >= good_spell else set[str | None]()
        innocent |= {self.item_id} if item_id != self.item_id else set()
        if self.last_failure is not None and now - self.last_failure >= forgive:
            counts = {}
        elif not innocent.isdisjoint(counts):
            counts = {known: count for known, count in counts.items() if known not in innocent}
        healed = now - since >= good_spell
        return replace(
            self,
            failures=0 if healed else self.failures,
            cause="" if healed else self.cause,
            brought_down=counts,
            on_air_since=since,
            item_id=item_id,
            item_since=item_since,
        )

    def edited(self) -> "Restarts":
        """The playlist was edited: its items are to be tried anew."""
        return replace(self, brought_down={})

    def reprieved(self) -> "Restarts":
        """What was left out is to be tried once more: one more failure on an item, and it is suspected again."""
        return replace(self, brought_down={item: min(count, SKIP_AT - 1) for item, count in self.brought_down.items()})

    @property
    def skipped(self) -> frozenset[str]:
        """Items that brought the engine down twice: a start does not begin in them."""
        return frozenset(item for item, count in self.brought_down.items() if count >= SKIP_AT)

    def left_out(self, items: Iterable[str]) -> frozenset[str]:
        """Of the list's ``items``, those that are not played at all: they did it again, or nothing else is left."""
        everything = frozenset(items)
        if everything and everything <= self.skipped:
            return everything
        again = {item for item, count in self.brought_down.items() if count >= LEAVE_OUT_AT}
        return everything & again
