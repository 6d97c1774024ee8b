"""Plain processes: started on their own, known beyond doubt, watched by pidfd whoever's children they are."""

import asyncio
import os
import signal as signals
from collections.abc import Mapping

from supervisor.agent import children
from supervisor.agent.children import PROC
from supervisor.agent.launcher import Identity, Launch, LauncherKind, Life, ProcessIdentity
from supervisor.agent.spare import Spare


class ProcessLauncher:
    """A ``Launcher``. ``leash_fd``, when given, is inherited by every process it starts, as ``MCR_LEASH_FD``.

    ``spare``, when given, becomes the process that is asked for, if it is warm; its owner keeps it so. Its environment
    then shows the same variables as that of a process started plainly, so ``find`` and ``variable`` know it.
    """

    def __init__(self, leash_fd: int | None = None, spare: Spare | None = None) -> None:
        self._leash_fd = leash_fd
        self._spare = spare
        self._boot_id = children.boot_id()

    @property
    def kind(self) -> LauncherKind:
        """As in ``Launcher``."""
        return "process"

    @property
    def fault(self) -> str:
        """As in ``Launcher``: the kernel always answers."""
        return ""

    async def launch(self, launch: Launch) -> ProcessIdentity:
        """As in ``Launcher``: stdin is empty, output goes to the log, the session is its own."""
        return await asyncio.to_thread(self._spawn, launch)

    def _spawn(self, launch: Launch) -> ProcessIdentity:
        if self._spare is not None:
            self._spare.disturbed()
            warm = self._spare.take(launch)
            if warm is not None:
                return warm
        environment = {**os.environ, **launch.environment}
        environment.pop("MCR_LEASH_FD", None)
        if self._leash_fd is not None:
            environment["MCR_LEASH_FD"] = str(self._leash_fd)
        descriptors = () if self._leash_fd is None else (self._leash_fd,)
        return children.start(launch.argv, environment, launch.directory, launch.log, descriptors)

    async def find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        """A living process of this user that was started with all of ``environment``."""
        return await asyncio.to_thread(self._find, environment)

    def _find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        wanted = {os.fsencode(f"{name}={value}") for name, value in environment.items()}
        for entry in PROC.iterdir():
            if not entry.name.isdigit():
                continue
            try:
                has = set((entry / "environ").read_bytes().split(b"\0"))
            except OSError:
                # Somebody else's, or gone since.
                continue
            if wanted <= has:
                stat = children.stat(int(entry.name))
                if stat is not None and stat[0] not in "ZX":
                    return ProcessIdentity(self._boot_id, int(entry.name), stat[1])
        return None

    async def variable(self, identity: Identity, name: str) -> str | None:
        """As in ``Launcher``."""
        return await asyncio.to_thread(self._variable, identity, name)

    def _variable(self, identity: Identity, name: str) -> str | None:
        try:
            lines = (PROC / str(identity.pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return None
        if self._state(identity) in (None, "Z", "X"):
            return None
        start = os.fsencode(f"{name}=")
        return next((os.fsdecode(line[len(start) :]) for line in lines if line.startswith(start)), None)

    async def alive(self, identity: Identity) -> Life:
        """As in ``Launcher``; a container is none of ours to tell of."""
        if not isinstance(identity, ProcessIdentity):
            return "unknown"
        return "gone" if self._state(identity) in (None, "Z", "X") else "lives"

    async def exited(self, identity: Identity) -> int | None:
        """As in ``Launcher``; known within milliseconds of the exit."""
        if not isinstance(identity, ProcessIdentity):
            # Whoever changed the launcher while its sidecars ran must end them by hand: nobody here can tell.
            return await asyncio.get_running_loop().create_future()
        descriptor = self._pidfd(identity)
        if descriptor is not None:
            loop = asyncio.get_running_loop()
            gone = asyncio.Event()
            loop.add_reader(descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        return children.reap(identity.pid)

    async def signal(self, identity: Identity, number: int) -> None:
        """As in ``Launcher``: through a pidfd, so that a reused pid is never hit."""
        descriptor = self._pidfd(identity)
        if descriptor is None:
            return
        try:
            signals.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)

    async def door(self, identity: Identity, port: int, pid: int) -> str | None:
        """As in ``Launcher``: on loopback, of exactly this process."""
        return f"http://127.0.0.1:{port}" if pid == identity.pid else None

    async def forget(self, identity: Identity) -> None:
        """As in ``Launcher``: nothing is left of a process."""

    def _pidfd(self, identity: Identity) -> int | None:
        try:
            descriptor = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            return None
        # Looked at after opening: the descriptor stays with the process it was opened for. One that is a zombie is
        # good too: while its other threads are still ending, nobody can be told its code yet.
        if self._state(identity) is None:
            os.close(descriptor)
            return None
        return descriptor

    def _state(self, identity: Identity) -> str | None:
        """The letter of proc(5); None when there is no such process, or another with its pid."""
        if not isinstance(identity, ProcessIdentity) or identity.boot_id != self._boot_id:
            return None
        stat = children.stat(identity.pid)
        return stat[0] if stat is not None and stat[1] == identity.start_ticks else None
