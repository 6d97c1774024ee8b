"""One sidecar kept warm: started muted and without a channel, so that a restart in place does not wait for imports."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from sidecar.protocol.spare import DESCRIPTOR, NAMED, READY, RESERVED, Becoming, reservation
from supervisor.agent import children
from supervisor.agent.launcher import Launch, ProcessIdentity
from supervisor.clock import Clock

log = structlog.get_logger(__name__)

QUIET_S: Final = 3.0
"""After every start it is waited so long before a spare is prepared: what goes to air needs the processor first."""
_READY_S: Final = 60.0
_NAMED_S: Final = 0.5
"""A spare that does not answer by then is killed, and the sidecar started plainly."""


class SpareLost(Exception):
    """A spare ended, or never got ready; another is started."""


@dataclass(frozen=True, slots=True)
class _Warm:
    process: ProcessIdentity
    channel: socket.socket


class Spare:
    """At most one process beside the sidecars. It holds nothing of ours but its end of a socket, and the leash; it ends
    when that socket closes, so it never outlives this process.

    ``keep`` is for one owner's task; ``take`` is called from any thread.
    """

    def __init__(
        self,
        program: tuple[str, ...],
        environment: Mapping[str, str],
        log_path: str,
        clock: Clock,
        leash_fd: int | None,
    ) -> None:
        """``program`` and ``environment`` are those of every launch that a spare may serve; ``log_path`` takes what a
        spare says that never became a sidecar."""
        self._program = program
        self._environment = environment
        self._log_path = log_path
        self._clock = clock
        self._leash_fd = leash_fd
        self._lock = threading.Lock()
        self._warm: _Warm | None = None
        self._is_closed = False
        self._quiet_since = clock.monotonic() - QUIET_S
        self._taken: Callable[[], object] = lambda: None

    @property
    def process(self) -> ProcessIdentity | None:
        """The one that is warm now."""
        warm = self._warm
        return None if warm is None else warm.process

    def disturbed(self) -> None:
        """A sidecar is being started: the next spare waits."""
        self._quiet_since = self._clock.monotonic()

    async def keep(self) -> None:
        """Starts a spare whenever there is none and it is quiet, for ever. Raises SpareLost, OSError."""
        while True:
            while (left := self._quiet_since + QUIET_S - self._clock.monotonic()) > 0:
                await self._clock.sleep(left)
            warm = await asyncio.to_thread(self._start)
            try:
                await self._get_ready(warm)
            except BaseException:
                warm.channel.close()
                raise
            await self._be_there(warm)
            if self._is_closed:
                return

    def take(self, launch: Launch) -> ProcessIdentity | None:
        """Makes the spare what ``launch`` asks for, and answers once its environment shows it; None when there is no
        spare that can be it. Blocks for some milliseconds."""
        becoming = Becoming(dict(launch.environment), launch.directory, launch.log)
        if launch.argv != self._program or not becoming.fits():
            return None
        with self._lock:
            warm, self._warm = self._warm, None
        if warm is None:
            return None
        self._taken()
        try:
            warm.channel.settimeout(_NAMED_S)
            warm.channel.sendall(becoming.encode())
            if warm.channel.recv(1) == NAMED:
                return warm.process
            why = "it ended"
        except OSError as error:
            why = str(error)
        finally:
            warm.channel.close()
        # Killed before anything else is started for the channel: it must not come to itself later.
        children.kill(warm.process.pid)
        log.warning("a spare sidecar could not be used", pid=warm.process.pid, why=why)
        return None

    async def close(self) -> None:
        """Ends the spare, if there is one, within seconds. No other is started."""
        with self._lock:
            self._is_closed = True
            warm, self._warm = self._warm, None
        if warm is not None:
            warm.channel.close()
            await asyncio.to_thread(children.kill, warm.process.pid)

    def _start(self) -> _Warm:
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **self._environment}
        environment.pop("MCR_LEASH_FD", None)
        descriptors = [theirs.fileno()]
        if self._leash_fd is not None:
            environment["MCR_LEASH_FD"] = str(self._leash_fd)
            descriptors.append(self._leash_fd)
        environment[DESCRIPTOR] = str(theirs.fileno())
        environment[RESERVED] = reservation().partition("=")[2]
        try:
            process = children.start((*self._program, "--spare"), environment, None, self._log_path, descriptors)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        with self._lock:
            if self._is_closed:
                ours.close()
        return _Warm(process, ours)

    async def _get_ready(self, warm: _Warm) -> None:
        warm.channel.setblocking(False)
        async with asyncio.timeout(_READY_S):
            said = await asyncio.get_running_loop().sock_recv(warm.channel, 1)
        if said != READY:
            raise SpareLost(f"the spare sidecar ended before it was ready; {self._log_path} may say why")
        log.info("a spare sidecar is warm", pid=warm.process.pid)

    async def _be_there(self, warm: _Warm) -> None:
        """Until it is taken. Raises SpareLost when it ends."""
        loop = asyncio.get_running_loop()
        gone, taken = asyncio.Event(), asyncio.Event()
        is_ours = False
        watch = os.pidfd_open(warm.process.pid)  # not reaped yet, so it is no other's
        loop.add_reader(watch, gone.set)
        self._taken = lambda: loop.call_soon_threadsafe(taken.set)
        with self._lock:
            self._warm = warm
        waits = [asyncio.ensure_future(event.wait()) for event in (gone, taken)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            loop.remove_reader(watch)
            os.close(watch)
            with self._lock:
                is_ours, self._warm = self._warm is warm, None
            if is_ours:  # else whoever took it closes it
                warm.channel.close()
        if is_ours:
            children.reap(warm.process.pid)
            raise SpareLost(f"the spare sidecar, process {warm.process.pid}, ended")
