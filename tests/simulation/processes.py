"""Hosts and processes of the simulated world: whose callback this is, and whether it may run now."""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.loop import SimHandle

BEGINNING = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""What every wall clock shows when the simulation begins."""


@dataclass(eq=False, slots=True)
class Host:
    """A machine. ``base`` is what its monotonic clock showed at the beginning, ``lag`` for how long it stood in
    hypervisor pauses, ``wall`` how far its wall clock was stepped; all in seconds."""

    name: str
    base: float = 0.0
    lag: float = 0.0
    wall: float = 0.0
    paused_at: float | None = None
    parked: "list[SimHandle]" = field(default_factory=list["SimHandle"])

    def local(self, now: float) -> float:
        """The loop's virtual time as this machine counts it."""
        return (now if self.paused_at is None else self.paused_at) - self.lag

    def monotonic(self, now: float) -> float:
        return (now if self.paused_at is None else self.paused_at) - self.lag + self.base

    def wall_clock(self, now: float) -> datetime:
        return BEGINNING + timedelta(seconds=self.local(now) + self.wall)


@dataclass(eq=False, slots=True)
class Process:
    """Everything that runs in ``context`` is this process's. ``killed``: its callbacks never run again.

    ``stopped`` (SIGSTOP): they wait in ``held``; its clocks run on.
    """

    name: str
    host: Host
    killed: bool = False
    stopped: bool = False
    held: "list[SimHandle]" = field(default_factory=list["SimHandle"])
    tasks: list[asyncio.Task[object]] = field(default_factory=list[asyncio.Task[object]])
    at_death: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = copy_context()
        self.context.run(OWNER.set, self)

    @property
    def runs(self) -> bool:
        return not (self.killed or self.stopped or self.host.paused_at is not None)


OWNER: ContextVar[Process | None] = ContextVar("OWNER", default=None)
"""The process whose code is running; None is the world itself (network, disks, time)."""
BY_PEOPLE: ContextVar[bool] = ContextVar("BY_PEOPLE", default=False)
"""Whether a person's command is being carried out."""
