"""The sockets that the API listens on: a unix socket for this user, TCP on loopback for who holds the token."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Generator
from pathlib import Path
from typing import Final, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor.api.authentication import Connection, is_loopback
from supervisor.errors import Conflict, Invalid

SHUTDOWN_S: Final = 3
"""Seconds that answers under way have when the supervisor shuts down."""
CONNECTIONS: Final = 1000
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


class DoorProtocol(H11Protocol):
    """uvicorn's protocol, which tells the application by which door a connection came."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as in the base class
        """Puts a ``Connection`` into the state of every request of this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": _connection(transport)}


def _connection(transport: asyncio.Transport) -> Connection:
    peer = cast("socket.socket", transport.get_extra_info("socket"))
    if peer.family == socket.AF_UNIX:
        _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return Connection(peer_uid=uid, address=None, abort=transport.abort)
    name = cast("tuple[object, ...] | None", transport.get_extra_info("peername"))
    return Connection(peer_uid=None, address=str(name[0]) if name else "unknown", abort=transport.abort)


class Server(uvicorn.Server):
    """Signals are the application's: this server ends when it is told to."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Captures none."""
        yield


def make_server(app: FastAPI) -> Server:
    """A server for ``app``; its sockets are given to ``serve``."""
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
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
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


def tcp_socket(host: str, port: int) -> socket.socket:
    """Listens on loopback; port 0 takes a free one. Raises Invalid for any other host, Conflict when it is taken."""
    if not is_loopback(host):
        raise Invalid(
            f"--host {host} is not this machine's loopback",
            hint="Use 127.0.0.1 and reach it from elsewhere through SSH; other addresses come with TLS.",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
