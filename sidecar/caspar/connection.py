"""One connection to a CasparCG server: every command has an id and a deadline, and a lost reply costs nothing more."""

import asyncio
import itertools
import logging
from typing import Final

from sidecar.caspar.amcp import GarbledReplyError, Reply, ReplyReader, line

log = logging.getLogger(__name__)

PORT: Final = 5250
MOST_WAITING: Final = 64
"""Commands under way; the server answers ``504 QUEUE OVERFLOW`` beyond some 128."""
_CHUNK: Final = 1 << 16


class ServerAwayError(Exception):
    """The server cannot be reached, or the connection ended; whether a command under way was done is not known."""


class NoReplyError(Exception):
    """No reply within the deadline. Some commands never get one; whether it was done is not known."""


class CommandFailedError(Exception):
    """The server refused. ``code`` is AMCP's (supervision of what each means: 404 file or consumer unknown, 403 a
    value it cannot use or a card that is not there, 501 a device that is in use, 504 its queue is full)."""

    def __init__(self, command: str, reply: Reply) -> None:
        super().__init__(f"{command}: {reply.code} {reply.words}")
        self.code = reply.code


class Connection:
    """Open it with ``connect``. Replies may come in any order, as they do over the server's queues."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._over = ""
        self._task = asyncio.create_task(self._read(), name="amcp-reader")

    @classmethod
    async def connect(cls, host: str, port: int = PORT, *, within_s: float = 2.0) -> "Connection":
        """Raises ServerAwayError."""
        try:
            async with asyncio.timeout(within_s):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise ServerAwayError(f"no CasparCG server at {host} port {port}: {error or 'no answer'}") from error
        return cls(reader, writer)

    @property
    def peer(self) -> str:
        """The server's address."""
        name = self._writer.get_extra_info("peername")
        return str(name[0]) if name else ""

    @property
    def over(self) -> str:
        """Why the connection is over; empty while it stands."""
        return self._over

    async def ask(self, command: str, *, within_s: float = 2.0) -> Reply:
        """The reply to ``command``, whatever it is. Raises UnwritableTextError, ServerAwayError, NoReplyError."""
        if self._over:
            raise ServerAwayError(self._over)
        if len(self._waiting) >= MOST_WAITING:
            raise NoReplyError(f"{MOST_WAITING} commands wait for the server already: {command[:80]}")
        request_id = f"m{next(self._ids)}"
        data = line(command, request_id)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(data)
                await self._writer.drain()
                return await answer
        except TimeoutError:
            raise NoReplyError(f"no reply within {within_s:g} s: {command[:80]}") from None
        except OSError as error:
            self._end(f"the connection broke: {error}")
            raise ServerAwayError(self._over) from error
        finally:
            del self._waiting[request_id]

    async def do(self, command: str, *, within_s: float = 2.0) -> Reply:
        """As ``ask``, and raises CommandFailedError for a refusal."""
        reply = await self.ask(command, within_s=within_s)
        if not reply.ok:
            raise CommandFailedError(command[:80], reply)
        return reply

    async def close(self) -> None:
        self._end("closed by us")
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _read(self) -> None:
        replies = ReplyReader()
        try:
            while data := await self._reader.read(_CHUNK):
                for reply in replies.feed(data):
                    self._take(reply)
            self._end("the server closed the connection")
        except (OSError, GarbledReplyError) as error:
            self._end(f"the connection broke: {error}")

    def _take(self, reply: Reply) -> None:
        answer = self._waiting.get(reply.request_id or "")
        if answer is None:
            log.info("a reply to nobody, or too late: %s %s %s", reply.request_id, reply.code, reply.words)
        elif not answer.done():
            answer.set_result(reply)

    def _end(self, why: str) -> None:
        if self._over:
            return
        self._over = why
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ServerAwayError(why))
