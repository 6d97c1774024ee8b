"""What a node says of itself with every report."""

import os
import secrets
from collections.abc import Callable

from supervisor.agent.cards import Cards
from supervisor.agent.interface import Capability, NodeCondition
from supervisor.agent.launcher import Launcher
from supervisor.clock import Clock
from supervisor.version import program_version


class Condition:
    """One life of one agent: ``boot`` is made here. ``doubt``: why what it lists may not be all, empty when it is."""

    def __init__(
        self,
        *,
        incarnation: str,
        launcher: Launcher,
        doubt: Callable[[], str],
        capacity: int | None,
        cards: Cards,
        clock: Clock,
    ) -> None:
        self._incarnation = incarnation
        self._launcher = launcher
        self._doubt = doubt
        self._capacity = capacity
        self._cards = cards
        self._clock = clock
        self._boot = secrets.token_hex(8)
        self._version = program_version()

    def now(self) -> NodeCondition:
        devices = self._cards.seen
        capabilities: frozenset[Capability] = frozenset(("ffmpeg", "decklink") if devices else ("ffmpeg",))
        return NodeCondition(
            incarnation=self._incarnation,
            boot=self._boot,
            version=self._version,
            launcher=self._launcher.kind,
            capabilities=capabilities,
            devices=devices,
            at=self._clock.now(),
            load=_load(),
            engine_fault=self._launcher.fault or self._doubt(),
            capacity=self._capacity,
            capture_fault=self._cards.capture_fault,
        )


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0] / (os.cpu_count() or 1), 3)
    except OSError:
        return None
