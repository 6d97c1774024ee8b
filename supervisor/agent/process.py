"""Plain processes: started on their own, known beyond doubt, watched by pidfd whoever's children they are."""

import asyncio
import os
import signal as signals
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from supervisor.agent.interface import Identity, Launch, LauncherKind, Life, ProcessIdentity

_PROC: Final = Path("/proc")


class _Child(subprocess.Popen[bytes]):
    """A process that may outlive this one (P5): ``Popen`` would warn of that at the end."""

    def __del__(self) -> None:
        """Leaves it running."""


_children: dict[int, _Child] = {}
"""Every process that this one started and has not reaped; kept so that none stays a zombie."""


class ProcessLauncher:
    """A ``Launcher``. ``leash_fd``, when given, is inherited by every process it starts, as ``MCR_LEASH_FD``."""

    def __init__(self, leash_fd: int | None = None) -> None:
        self._leash_fd = leash_fd
        self._boot_id = _boot_id()

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
        environment = {**os.environ, **launch.environment}
        environment.pop("MCR_LEASH_FD", None)
        if self._leash_fd is not None:
            environment["MCR_LEASH_FD"] = str(self._leash_fd)
        with Path(launch.log).open("ab") as log:
            child = _Child(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=launch.directory,
                start_new_session=True,
                pass_fds=() if self._leash_fd is None else (self._leash_fd,),
            )
        _children[child.pid] = child
        started = _stat(child.pid)
        # Our own child that is not reaped yet always has an entry, however short its life was.
        assert started is not None
        return ProcessIdentity(self._boot_id, child.pid, started[1])

    async def find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        """A living process of this user that was started with all of ``environment``."""
        return await asyncio.to_thread(self._find, environment)

    def _find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        wanted = {os.fsencode(f"{name}={value}") for name, value in environment.items()}
        for entry in _PROC.iterdir():
            if not entry.name.isdigit():
                continue
            try:
                has = set((entry / "environ").read_bytes().split(b"\0"))
            except OSError:
                # Somebody else's, or gone since.
                continue
            if wanted <= has:
                stat = _stat(int(entry.name))
                if stat is not None and stat[0] not in "ZX":
                    return ProcessIdentity(self._boot_id, int(entry.name), stat[1])
        return None

    async def variable(self, identity: Identity, name: str) -> str | None:
        """As in ``Launcher``."""
        return await asyncio.to_thread(self._variable, identity, name)

    def _variable(self, identity: Identity, name: str) -> str | None:
        try:
            lines = (_PROC / str(identity.pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return None
        if not self._lives(identity):
            return None
        start = os.fsencode(f"{name}=")
        return next((os.fsdecode(line[len(start) :]) for line in lines if line.startswith(start)), None)

    async def alive(self, identity: Identity) -> Life:
        """As in ``Launcher``; a container is none of ours to tell of."""
        if not isinstance(identity, ProcessIdentity):
            return "unknown"
        return "lives" if self._lives(identity) else "gone"

    def _lives(self, identity: Identity) -> bool:
        if not isinstance(identity, ProcessIdentity) or identity.boot_id != self._boot_id:
            return False
        stat = _stat(identity.pid)
        return stat is not None and stat[1] == identity.start_ticks and stat[0] not in "ZX"

    async def exited(self, identity: Identity) -> int | None:
        """As in ``Launcher``; known within milliseconds of the exit."""
        if not isinstance(identity, ProcessIdentity):
            # Whoever changed the launcher while its sidecars ran must end them by hand: nobody here can tell.
            await asyncio.get_running_loop().create_future()
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
        return self._reap(identity)

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
        # Looked at after opening: the descriptor stays with the process it was opened for.
        if not self._lives(identity):
            os.close(descriptor)
            return None
        return descriptor

    def _reap(self, identity: Identity) -> int | None:
        child = _children.get(identity.pid)
        if child is None:
            return None
        code = child.poll()
        if code is not None:
            del _children[identity.pid]
        return code


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (field 22) of a process; None when there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in field 2 may hold anything, brackets and spaces too.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
