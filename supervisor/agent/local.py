"""The agent of this very machine, in the supervisor's process."""

from pathlib import Path

from supervisor.agent.interface import Launcher
from supervisor.clock import Clock


class LocalAgent:
    """A ``NodeAgent``. ``async with LocalAgent(...) as agent:`` finds this node's sidecars again and watches them.

    Leaving the block closes connections and stops watching; every sidecar plays on. ``leash_fd``, when given, is
    passed to every sidecar it starts: when its other end closes, they leave the air and exit.
    """

    def __init__(
        self,
        *,
        agent_dir: Path,
        sidecars_dir: Path,
        journal_dir: Path,
        media_root: Path,
        clock: Clock,
        leash_fd: int | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> "LocalAgent":
        raise NotImplementedError

    async def __aexit__(self, *_: object) -> None:
        raise NotImplementedError
