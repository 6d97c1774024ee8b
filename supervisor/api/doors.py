"""The sockets that the API listens on: a unix socket, and TCP for who holds a token, beyond loopback by TLS alone."""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import struct
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Final, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor.api.authentication import Connection, is_loopback
from supervisor.api.problems import failure_of, response_of
from supervisor.api.tls import is_address
from supervisor.api.unreadable import Unreadable, is_news
from supervisor.errors import Conflict, Invalid, Unavailable

SHUTDOWN_S: Final = 3
"""Seconds that answers under way have when the supervisor shuts down."""
UNIX_CONNECTIONS: Final = 600
TCP_CONNECTIONS: Final = 300
"""Each door has its own: who has no token must not lock out the local user. By default there are 1024 descriptors."""
_REFUSED: Final = 50
"""Connections over a door's number that are told so; those beyond are cut off."""
HEAD_S: Final = 10.0
"""Seconds in which a request's head must be here, the first from the connection's beginning, and what is left of the
body of one that was answered already."""
UNREAD_MS: Final = 30_000
"""Milliseconds after which a TCP connection ends whose other end takes nothing of what is sent to it."""
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


class DoorProtocol(H11Protocol):
    """uvicorn's protocol, which tells the application by which door a connection came, and bounds how many there are.

    uvicorn's own limit counts both doors together, idle connections too, and waits for a head for ever.
    """

    by_unix = False
    shook_hands = False
    unreadable: Unreadable | None = None
    """Set by its server: what is told of bytes that are no HTTP."""
    _began_with = b""
    _head_due: asyncio.TimerHandle | None = None
    _rest_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as in the base class
        """Puts a ``Connection`` into the state of every request of this connection."""
        super().connection_made(transport)
        self.shook_hands = True
        connection = _connection(transport)
        self.by_unix = connection.address is None
        self.app_state = {**self.app_state, "connection": connection}
        room = UNIX_CONNECTIONS if self.by_unix else TCP_CONNECTIONS
        count = len([one for one in self.connections if getattr(one, "by_unix", None) == self.by_unix])
        if count > room + _REFUSED:
            transport.abort()
            return
        if count > room:
            self.app = _full
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Begins a head's time with its first byte, and ends it with its last."""
        self._began_with = self._began_with or data[:2]
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_is_here()
        elif self._head_due is None:
            self._await_head()
        if self.conn.their_state is not h11.SEND_BODY:
            self._rest_is_here()

    def send_400_response(self, msg: str) -> None:
        """As in the base class; what came is no HTTP."""
        if self.unreadable is not None:
            address = cast("Connection", self.app_state["connection"]).address
            self.unreadable.came(self._began_with, address, self.loop.time())
        super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Of a request that was answered before its body was here the rest is read and dropped, but not for ever."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._rest_due is None:
            self._rest_due = self.loop.call_later(HEAD_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._head_is_here()
        self._rest_is_here()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """As in the base class. A TLS connection over which nothing is under way is not waited for: its other end may
        read nothing, and TLS has both say that they leave."""
        is_idle = self.conn.our_state is h11.IDLE
        by_tls = self.scheme == "https"
        # One that is closing already can tell nothing any more.
        if is_idle and by_tls and (self.transport.is_closing() or not self.transport.get_write_buffer_size()):
            self.transport.abort()
        else:
            super().shutdown()

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _rest_is_here(self) -> None:
        if self._rest_due is not None:
            self._rest_due.cancel()
            self._rest_due = None


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """In place of the application, for a connection too many."""
    error = Unavailable("too many connections are open at this door", retry_after=5, hint="Close some of them.")
    response = response_of(failure_of(error))
    response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _connection(transport: asyncio.Transport) -> Connection:
    peer = cast("socket.socket", transport.get_extra_info("socket"))
    if peer.family == socket.AF_UNIX:
        _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return Connection(peer_uid=uid, address=None, abort=transport.abort)
    name = cast("tuple[object, ...] | None", transport.get_extra_info("peername"))
    return Connection(peer_uid=None, address=str(name[0]) if name else "unknown", abort=transport.abort)


class Server(uvicorn.Server):
    """Signals are the application's: this server ends when it is told to. ``tls`` is for its TCP sockets alone."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._tls = tls
        self._shaking: weakref.WeakSet[DoorProtocol] = weakref.WeakSet()
        self._unreadable = Unreadable()
        logging.getLogger("uvicorn.error").addFilter(is_news)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Captures none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens. uvicorn's own has one context for all sockets, and gives a handshake a minute."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        self.servers = []
        for one in sockets or ():
            tls = None if one.family == socket.AF_UNIX else self._tls
            handshake_s = None if tls is None else HEAD_S
            protocol = self._protocol if tls is None else self._shaking_protocol
            server = await loop.create_server(protocol, sock=one, ssl=tls, ssl_handshake_timeout=handshake_s)
            self.servers.append(server)
        self.started = True

    def _protocol(self) -> DoorProtocol:
        made = DoorProtocol(self.config, self.server_state, self.lifespan.state)
        made.unreadable = self._unreadable
        return made

    def _shaking_protocol(self) -> asyncio.Protocol:
        """For a TLS connection, made before its handshake, in which nobody has shown anything yet.

        Raises OSError when as many as the door has places are at that: asyncio drops the connection then."""
        shaking = [one for one in self._shaking if not one.shook_hands]
        if len(shaking) >= TCP_CONNECTIONS:
            raise ConnectionRefusedError("too many handshakes at once")
        made = self._protocol()
        self._shaking.add(made)
        return made


def make_server(app: ASGIApp, tls: ssl.SSLContext | None = None) -> Server:
    """A server for ``app``; its sockets are given to ``serve``. ``tls``: what TCP speaks, none is in the clear."""
    return Server(
        uvicorn.Config(
            app,
            http=DoorProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=SHUTDOWN_S,
        ),
        tls,
    )


def unix_socket(path: Path, mode: int = 0o600) -> socket.socket:
    """Listens on ``path`` with ``mode``. What an earlier supervisor left is replaced: the caller holds the lock."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise Invalid(
            f"no socket can be made at {path}: {error.strerror}", hint="Set MCR_HOME to another place."
        ) from error
    finally:
        os.umask(before)
    listener.listen(128)
    listener.setblocking(False)
    return listener


def tcp_socket(host: str, port: int, *, tls: bool = False) -> socket.socket:
    """Listens on an address; port 0 takes a free one. Raises Conflict when it is taken, and Invalid for a name, and
    for any other address than loopback without TLS: tokens would go out in the clear."""
    if not is_loopback(host):
        if not is_address(host.strip("[]")):
            raise Invalid(f"--host {host} is no address", hint="Give one of this machine's, or 0.0.0.0 for all.")
        if not tls:
            raise Invalid(
                f"--host {host} is not this machine's loopback, and tokens would go out in the clear",
                hint="Give --tls-cert and --tls-key, or use 127.0.0.1 and reach it from elsewhere through SSH.",
            )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by every connection. asyncio asks for it only where a socket's protocol is named, which this one's is
    # not: the body of an answer would wait up to 40 ms for the acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)  # inherited too
    try:
        listener.bind(("127.0.0.1" if host.lower() == "localhost" else host.strip("[]"), port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Conflict(
            f"{host}:{port} cannot be listened on: {error.strerror}", hint="Choose another --port."
        ) from error
    listener.setblocking(False)
    return listener
