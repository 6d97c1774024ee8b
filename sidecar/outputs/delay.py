"""How long after a frame left the playout clock an output had handed its picture on: measured, not set."""

import time
from collections.abc import Callable
from typing import Final

from sidecar.outputs.packet import Batch

_WINDOW_NS: Final = 5_000_000_000
_MS: Final = 1_000_000


class DelayMeter:
    """The worst of the last five to ten seconds. One thread writes, any may read."""

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self._oldest: int | None = None
        self._window = 0
        self._worst = self._worst_before = 0
        self._is_known = False

    def taken(self, batch: Batch) -> None:
        """The sink has it; whether it went on, or waits there for more, is told apart."""
        if self._oldest is None:
            self._oldest = _due(batch)

    def handed_on(self, next_batch: Batch | None = None) -> None:
        """All that the sink had is with the network, or is a file that others see; ``next_batch`` begins another."""
        oldest, self._oldest = self._oldest, None if next_batch is None else _due(next_batch)
        if oldest is None:
            return
        now = self._wall_ns()
        window = now // _WINDOW_NS
        if window != self._window:
            self._worst_before = self._worst if window == self._window + 1 else 0
            self._window, self._worst = window, 0
        # A wall clock that was set back in between measures nothing.
        self._worst = max(self._worst, now - oldest)
        self._is_known = True

    def forget(self) -> None:
        """The output failed: what it had is lost, and what it takes when it is opened again shows anew."""
        self._oldest, self._is_known = None, False
        self._worst = self._worst_before = 0

    @property
    def ms(self) -> int | None:
        """None until something went on."""
        return max(self._worst, self._worst_before) // _MS if self._is_known else None


def _due(batch: Batch) -> int | None:
    return next((packet.wall_ns for packet in batch if packet.is_video), None)
