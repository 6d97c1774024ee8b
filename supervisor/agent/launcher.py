"""What runs a sidecar on its node: the docstrings are the contract that every launcher's test suite holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process beyond doubt: ``start_ticks`` is field 22 of /proc/<pid>/stat, so a reused pid is another."""

    boot_id: str
    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True)
class ContainerIdentity:
    """One run of a container beyond doubt: ``pid`` is its first process as the engine's machine counts, so that the
    same container started once more by somebody is another. Another engine knows nothing of it."""

    engine_id: str
    container_id: str
    pid: int


Identity = ProcessIdentity | ContainerIdentity
Life = Literal["lives", "gone", "unknown"]
"""``unknown``: whoever could tell does not answer. It is never an exit."""
LauncherKind = Literal["process", "docker"]


@dataclass(frozen=True, slots=True)
class Launch:
    """What a launcher is to run: ``environment`` is added to the launcher's own, ``log`` takes what it prints.

    ``writes`` and ``reads`` are the directories that it needs beside ``directory``, ``decklink`` whether it needs the
    machine's DeckLink cards: a container is given these and no more.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    log: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    decklink: bool = False


class Launcher(Protocol):
    """Makes and watches what runs a sidecar: plain processes, or containers. It never touches what it did not make."""

    @property
    def kind(self) -> LauncherKind: ...

    @property
    def fault(self) -> str:
        """Why nothing can be told of what runs; empty while it can."""
        ...

    async def launch(self, launch: Launch) -> Identity:
        """Starts it in a session of its own; nothing of it depends on its parent's life.

        Raises OSError when it was not started, and EngineAway when that is unknown: ``find`` tells it later.
        """
        ...

    async def find(self, environment: Mapping[str, str]) -> Identity | None:
        """What lives and was started with this environment: for a start whose identity was never written down.

        After a None, no earlier start with this environment comes to life any more. Raises EngineAway.
        """
        ...

    async def variable(self, identity: Identity, name: str) -> str | None:
        """What it has in its environment under ``name`` while it lives; None when that cannot be told.

        Raises EngineAway.
        """
        ...

    async def alive(self, identity: Identity) -> Life:
        """``gone`` as soon as it has exited, reaped or not, and where its name (a pid) is another's now."""
        ...

    async def exited(self, identity: Identity) -> int | None:
        """Waits for its exit, whoever's child it is. Its code as in ``Exit``, or None where that cannot be told.

        While ``alive`` would be ``unknown`` it waits on.
        """
        ...

    async def signal(self, identity: Identity, number: int) -> None:
        """Sends a signal to exactly this one; does nothing when it is gone. Raises EngineAway."""
        ...

    async def door(self, identity: Identity, port: int, pid: int) -> str | None:
        """The base URL at which this machine reaches the sidecar that says it listens on ``port`` as process ``pid``.

        None when that cannot be this one, or cannot be told now.
        """
        ...

    async def forget(self, identity: Identity) -> None:
        """Its exit is on record: takes away what is left of it. Never raises; what cannot be done now is done later."""
        ...
