"""The server as long as it is there: a connection that is made again, and commands that are answered or not."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sidecar.caspar.amcp import Reply, UnwritableTextError
from sidecar.caspar.connection import CommandFailedError, Connection, NoReplyError, ServerAwayError
from sidecar.caspar.info import ChannelInfo, UnreadableInfoError, media_folder, read_info
from sidecar.caspar.osc import Ear
from sidecar.caspar.version import Version

log = logging.getLogger(__name__)

RETRY_NS: Final = 1_000_000_000
"""Between two tries to connect."""
_GLANCE_S: Final = 0.02
"""So long a look waits for a server that did not answer the last one."""
_OSC_PATIENCE_S: Final = 0.1
"""So long it waits for one that tells the same by OSC."""
_LOOKS: Final = ("INFO", "VERSION")
ASK_AGAIN_NS: Final = 10_000_000_000
"""Until a server that did not tell its version is asked once more."""


class Link:
    """``monotonic_ns`` paces the tries. Nothing here waits for a server that is away."""

    def __init__(
        self, host: str, port: int, monotonic_ns: Callable[[], int], *, reply_s: float = 0.5, connect_s: float = 1.0
    ) -> None:
        self._host = host
        self._port = port
        self._now = monotonic_ns
        self._reply_s = reply_s
        self._connect_s = connect_s
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._looking: asyncio.Task[ChannelInfo | None] | None = None
        self.is_silent = False
        """The last look that is over was not answered."""
        self._told = self._told_before = 0
        """How many commands were told that change something, and how many before the look that is asked now."""
        self._next_try_ns = self._ask_again_ns = 0
        self.connections = 0
        """How many there were: behind another there may be another server."""
        self.fault = "not connected yet"
        """Why the server does not answer; empty while it does."""
        self.version = ""
        self.known = Version()
        self.listens_to: int | None = None
        """The server's channel whose OSC is wanted beside the replies."""
        self._ear: Ear | None = None
        self.its_media = ""
        """Its media folder, as it names it; only asked of a version that finds nothing else."""
        self.barred = ""
        """Why nobody is to be connected to: the server that would be there is not the one that is meant."""

    @property
    def is_up(self) -> bool:
        return self._connection is not None and not self._connection.over

    async def settled(self) -> None:
        """Until a connection that is being made is there, or is not to be."""
        if self._connecting is not None:
            await asyncio.wait({self._connecting})

    async def keep(self) -> bool:
        """Sees to it that there is a connection, or that one is being made. True: there is one, made just now."""
        if self.barred:
            if self._connection is not None:
                await self._lose(self.barred)
            self.fault = self.barred
            return False
        if self.is_up:
            if not self.version and self._now() >= self._ask_again_ns:
                await self._get_to_know()  # it was too slow to answer when it was new
            return False
        if self._connection is not None:
            await self._lose(self._connection.over)
        if self._connecting is None and self._now() >= self._next_try_ns:
            self._next_try_ns = self._now() + RETRY_NS
            connect = Connection.connect(self._host, self._port, within_s=self._connect_s)
            self._connecting = asyncio.create_task(connect, name="amcp-connect")
            await asyncio.wait({self._connecting}, timeout=0.05)
        return await self._connected()

    async def _connected(self) -> bool:
        task = self._connecting
        if task is None or not task.done():
            return False
        self._connecting = None
        try:
            self._connection = task.result()
        except ServerAwayError as error:
            self.fault = str(error)
            return False
        self.is_silent = False
        self.connections += 1
        await self._get_to_know()
        log.info("connected to the CasparCG server at %s port %d, version %s", self._host, self._port, self.version)
        return self.is_up

    async def _get_to_know(self) -> None:
        """What it is, and, where that matters, where its media are."""
        self._ask_again_ns = self._now() + ASK_AGAIN_NS
        try:
            self.version = (await self.ask("VERSION")).data[0]
        except (NoReplyError, ServerAwayError, IndexError):
            self.version = ""
        self.known = Version.read(self.version)
        await self._listen()
        self.its_media = ""
        if self.known.takes_whole_paths:
            return
        try:
            paths = await self.ask("INFO PATHS")
            self.its_media = media_folder(paths.data[0]) if paths.code == 201 else ""
        except (NoReplyError, ServerAwayError, IndexError, UnreadableInfoError) as error:
            log.warning("the CasparCG server does not tell its media folder: %s", error)

    async def _listen(self) -> None:
        """From 2.4 on it sends OSC to who asks for it, until that disconnects."""
        connection = self._connection
        if self.listens_to is None or connection is None or not self.known.subscribes_osc:
            return
        try:
            if self._ear is None:
                self._ear = await Ear.open(self.listens_to, connection.peer, self._now)
            await self.do(f"OSC SUBSCRIBE {self._ear.port}")
        except (OSError, NoReplyError, ServerAwayError, CommandFailedError) as error:
            log.info("no OSC from the CasparCG server: %s", error)

    def heard(self) -> ChannelInfo | None:
        """What OSC told just now of the channel; None where it tells nothing."""
        return None if self._ear is None else self._ear.info()

    async def _lose(self, why: str) -> None:
        connection, self._connection = self._connection, None
        self.fault = f"the connection to the CasparCG server is gone: {why}"
        log.warning("%s", self.fault)
        if connection is not None:
            await connection.close()

    async def ask(self, command: str) -> Reply:
        """Raises NoReplyError, ServerAwayError, UnwritableTextError."""
        if self._connection is None:
            raise ServerAwayError(self.fault)
        if not command.startswith(_LOOKS):
            self._told += 1
        try:
            reply = await self._connection.ask(command, within_s=self._reply_s)
        except NoReplyError:
            self.fault = f"the CasparCG server has not answered a command within {self._reply_s:g} s"
            raise
        self.fault = ""
        return reply

    async def do(self, command: str) -> Reply:
        """As ``ask``; raises CommandFailedError for a refusal."""
        reply = await self.ask(command)
        if not reply.ok:
            raise CommandFailedError(command[:80], reply)
        return reply

    async def tried(self, command: str) -> str:
        """Does it; what went wrong, empty where nothing did."""
        try:
            await self.do(command)
        except (NoReplyError, ServerAwayError, CommandFailedError, UnwritableTextError) as error:
            log.warning("%s", error)
            return str(error)
        return ""

    async def info(self, channel: int) -> ChannelInfo | None:
        """None where the server said nothing of it, or cannot be driven; ``fault`` says why."""
        if self.known.fault:
            self.fault = self.known.fault
            return None
        try:
            reply = await self.ask(f"INFO {channel}")
        except (NoReplyError, ServerAwayError):
            return None
        if reply.code != 201 or not reply.data:
            self.fault = f"the CasparCG server has no channel {channel}: {reply.code} {reply.words}"
            return None
        try:
            return read_info(reply.data[0])
        except UnreadableInfoError as error:
            self.fault = str(error)
            return None

    async def look(self, channel: int) -> ChannelInfo | None:
        """As ``info``. A server that does not answer is waited for once: after that it is asked on, and the list goes
        on meanwhile."""
        hears = self.heard() is not None
        if self._looking is not None and self._looking.done():
            self._seen()  # what it tells is of then: it is asked anew
        glances = self.is_silent or self._looking is not None
        if self._looking is None:
            self._told_before = self._told
            self._looking = asyncio.create_task(self.info(channel), name="amcp-look")
        await asyncio.wait({self._looking}, timeout=_GLANCE_S if glances else _OSC_PATIENCE_S if hears else None)
        return self._seen() if self._looking.done() else None

    def _seen(self) -> ChannelInfo | None:
        """Nothing too of a look that was asked before something else was told: it does not know of that."""
        looked = None if self._looking is None else self._looking.result()
        self._looking, self.is_silent = None, looked is None
        return looked if self._told == self._told_before else None

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
            self._looking = None
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
            if not self._connecting.cancelled() and self._connecting.exception() is None:
                self._connection = self._connecting.result()
        if self._connection is not None:
            await self._connection.close()
        self._connection = self._connecting = None
        if self._ear is not None:
            self._ear.close()
            self._ear = None
