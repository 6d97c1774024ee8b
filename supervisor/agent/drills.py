"""Faults that a leader orders on purpose, so that the way back from them is tried while nothing is at stake.

Each is bounded in time and undoes itself: an agent that never hears from a supervisor again is as before after
``seconds``, and a sidecar that was frozen runs on, unless it was replaced meanwhile.
"""

import asyncio
import signal
from dataclasses import dataclass
from typing import Final, Literal, Protocol, runtime_checkable

import structlog

from supervisor.agent.interface import EngineAway, NotRunning
from supervisor.agent.launcher import Launcher
from supervisor.agent.terms import Terms
from supervisor.agent.watching import Watching
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

LONGEST_S: Final = 120.0

DrillKind = Literal["kill", "freeze", "isolate"]
"""``kill``: the processes are ended at once. ``freeze``: they stand still. ``isolate``: they run on, and nobody hears
of them."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """One sidecar."""

    channel_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class DrillOrder:
    """``whole_node``: the agent itself answers nobody for ``seconds``, as if its machine were gone; of its sidecars
    those in ``sidecars`` have the fault."""

    term: int
    kind: DrillKind
    seconds: float
    sidecars: tuple[Drilled, ...]
    whole_node: bool = False


@runtime_checkable
class CanDrill(Protocol):
    """What a ``NodeAgent`` may be besides."""

    async def drill(self, order: DrillOrder) -> None:
        """Makes the fault and returns at once. Raises StaleTerm, NotRunning (of any of them; then nothing was done),
        ValueError for a time longer than ``LONGEST_S``, AgentAway."""
        ...


@runtime_checkable
class FallsSilent(Protocol):
    """An agent that a drill may have answer nobody."""

    @property
    def silent_for(self) -> float:
        """Seconds from now; 0 when it answers."""
        ...


class Drills:
    """Makes them. ``silent_for`` is asked before a supervisor is answered."""

    def __init__(self, terms: Terms, watching: Watching, launcher: Launcher, clock: Clock, nursery: Nursery) -> None:
        self._terms = terms
        self._watching = watching
        self._launcher = launcher
        self._clock = clock
        self._nursery = nursery
        self._silent_until = clock.monotonic()

    @property
    def silent_for(self) -> float:
        """As in ``FallsSilent``."""
        return max(0.0, self._silent_until - self._clock.monotonic())

    async def drill(self, order: DrillOrder) -> None:
        """As in ``CanDrill``."""
        if not 0 < order.seconds <= LONGEST_S:
            raise ValueError(f"a drill of {order.seconds:g} s: at most {LONGEST_S:g}")
        await self._terms.take(order.term)
        chosen = [self._watching.living(it.channel_id, it.epoch) for it in order.sidecars]
        if not chosen and not order.whole_node:
            raise NotRunning("there is no sidecar for this drill")
        log.warning(
            "a drill", kind=order.kind, seconds=order.seconds, whole_node=order.whole_node,
            channels=[watched.handle.channel_id for watched in chosen],
        )  # fmt: skip
        until = self._clock.monotonic() + order.seconds
        if order.whole_node:
            self._silent_until = until
        if order.kind == "freeze":
            # Before anything stands still: whatever fails from here on, it runs on again.
            self._nursery.once("end of a drill", self._thaw(order, until))
            await asyncio.sleep(0)  # it has begun, and does its part even when it is cancelled
        for watched in chosen:
            match order.kind:
                case "kill":
                    await self._launcher.signal(watched.process, signal.SIGKILL)
                case "freeze":
                    await self._launcher.signal(watched.process, signal.SIGSTOP)
                case "isolate":
                    watched.apart_until = until

    async def _thaw(self, order: DrillOrder, until: float) -> None:
        """Those that are left: a frozen one is killed by whoever replaces it. At once when the agent ends."""
        try:
            await self._clock.sleep(until - self._clock.monotonic())
        finally:
            for it in order.sidecars:
                watched = self._watching.find(it.channel_id, it.epoch)
                if watched is None or watched.exit is not None:
                    continue
                try:
                    await self._launcher.signal(watched.process, signal.SIGCONT)
                except (EngineAway, OSError) as error:
                    log.warning("a frozen sidecar is not told to run on", channel=it.channel_id, why=str(error))
