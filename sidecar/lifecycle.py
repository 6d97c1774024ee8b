"""The life of one sidecar process: start muted, be there, leave the air cleanly, end."""

import asyncio
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

from sidecar.caspar.playout import CasparPlayout
from sidecar.configuration import BadConfiguration, Configuration
from sidecar.control.application import Acts, application
from sidecar.control.commands import Commands
from sidecar.control.nonces import Lease, Nonces, boot_seconds
from sidecar.control.reads import Identity, Reads
from sidecar.control.server import announce, listening_socket, server
from sidecar.engine.playout import Playout
from sidecar.journal import Journal
from sidecar.outputs.interface import not_leased
from sidecar.protocol.status import Status
from sidecar.recorder.commands import RecorderCommands
from sidecar.recorder.engine import RecorderEngine
from sidecar.rundown.model import Fact

log = logging.getLogger(__name__)

EXIT_UNCLEAN = 1
"""The air was left, but an output or the journal did not end in time."""
EXIT_PLAYS_ON = 3
"""The CasparCG server was left playing, for the next run: it was a signal that ended this one, and no stop."""
EXIT_DOOR_LOST = 70
"""Nobody could have commanded this sidecar any more."""
_FINAL = frozenset({"stop", "leash"})
"""Causes with which the programme ends, and not only this run of it."""
_OUTPUTS_S = 8.0
_JOURNAL_S = 3.0


class Sidecar:
    """One run. ``run`` returns the process's exit code."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises BadConfiguration for what only the playout can tell to be unusable."""
        self._configuration = configuration
        document = configuration.document
        self._lease = Lease(boot_seconds)
        self._journal = Journal(
            configuration.journal_dir, document.channel_id, uuid4().hex, configuration.epoch, document.format.rate
        )
        try:
            self._engine = self._make_engine(configuration)
        except ValueError as error:
            raise BadConfiguration(f"MCR_DOCUMENT: {error}") from error
        self._asked_to_stop = asyncio.Event()
        self._stopped_by, self._cause = "", "stop"

    async def run(self) -> int:
        """Until somebody stops it, by command, signal or leash."""
        configuration = self._configuration
        self._listen_for_the_end()
        self._journal.start()
        self._journal.write(Fact("run_start", 0, detail=f"pid {os.getpid()}"), time.time_ns())
        self._engine.start()
        nonces = Nonces(boot_seconds)
        identity = Identity(
            configuration.channel_id,
            configuration.epoch,
            configuration.document.format.rate,
            os.getpid(),
            configuration.document.leased,
        )
        reads = Reads(identity, self._engine, self._journal, self._lease, nonces)
        commands = self._commands(configuration.epoch, nonces, reads.now)
        door = listening_socket(configuration.door)
        http = server(application(reads, commands, configuration.token))
        serving = asyncio.create_task(http.serve(sockets=[door]), name="http")
        asked = asyncio.create_task(self._asked_to_stop.wait(), name="asked to stop")
        announce(configuration.state_dir, door.getsockname()[1], self._journal.run_id)
        log.info("muted, listening on port %d", door.getsockname()[1])
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        lost_door = serving.done()
        if lost_door:
            log.error("the HTTP server ended: %r", serving.exception())
            self._cause = "control lost"
        # An executor of its own: asyncio.run waits for the default one's threads, however long.
        leaving = asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(1), self._leave_air)
        await asyncio.wait({leaving}, timeout=_OUTPUTS_S + _JOURNAL_S + 2)
        if not leaving.done():
            log.error("leaving the air did not end in time")
        http.should_exit = True
        asked.cancel()
        await asyncio.wait({serving}, timeout=2)
        if lost_door:
            return EXIT_DOOR_LOST
        return leaving.result() if leaving.done() else EXIT_UNCLEAN

    def _make_engine(self, configuration: Configuration) -> Playout | CasparPlayout | RecorderEngine:
        document, journal, root = configuration.document, self._journal, configuration.media_root
        if document.recording is not None:
            return RecorderEngine(
                document,
                document.recording,
                epoch=configuration.epoch,
                journal=journal,
                media_root=root,
                environment=os.environ,
            )
        lease_left = self._lease.left_s if document.leased else not_leased
        epoch = configuration.epoch
        if document.caspar is None:
            return Playout(document, epoch=epoch, journal=journal, media_root=root, lease_left=lease_left)
        folder = configuration.journal_dir / "caspar"
        return CasparPlayout(
            document, epoch=epoch, journal=journal, media_root=root, folder=folder, lease_left=lease_left
        )

    def _commands(self, epoch: int, nonces: Nonces, status: Callable[[], Status]) -> Acts:
        stop = partial(self._stop, "stop")
        if isinstance(self._engine, RecorderEngine):
            return RecorderCommands(epoch, self._engine, self._lease, nonces, stop)
        # A CasparCG server is asked for more before the status shows what a command did.
        told = None if isinstance(self._engine, CasparPlayout) else status
        return Commands(epoch, self._engine, self._lease, nonces, stop, told)

    def _listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, signal.Signals(number).name, "")
        if self._configuration.leash_fd is not None:
            watch_leash(self._configuration.leash_fd, lambda: loop.call_soon_threadsafe(self._stop, "leash", ""))

    def _stop(self, cause: str, by: str) -> None:
        if not self._asked_to_stop.is_set():
            log.info("leaves the air: %s", cause)
            self._cause, self._stopped_by = cause, by
            self._asked_to_stop.set()

    def _leave_air(self) -> int:
        """Blocks, for at most the sum of both deadlines."""
        # A signal comes from a machine that shuts down or a session that ends: the channel is still wanted, and a
        # player that read the end of the list would not wait for the next run.
        final = self._cause in _FINAL
        ended = self._engine.stop(self._stopped_by or self._cause, _OUTPUTS_S, final=final)
        frame = self._engine.status().frame
        self._journal.write(Fact("run_end", frame, cause=self._cause, by=self._stopped_by), time.time_ns())
        written = self._journal.close(_JOURNAL_S)
        if not ended:
            log.error("an output did not end within %g s and was abandoned", _OUTPUTS_S)
        if not written:
            log.error("the journal did not end well: %s", self._journal.degraded)
        if not ended or not written:
            return EXIT_UNCLEAN
        return EXIT_PLAYS_ON if isinstance(self._engine, CasparPlayout) and not final else 0


def watch_leash(descriptor: int, gone: Callable[[], object]) -> None:
    """Calls ``gone`` from a thread of its own when the other end of ``descriptor`` closes."""

    def watch() -> None:
        leash = select.poll()
        leash.register(descriptor, 0)  # only hang-up and error: whoever shares the pipe may write what he likes
        while not any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in leash.poll()):
            pass
        gone()

    threading.Thread(target=watch, name="leash", daemon=True).start()
