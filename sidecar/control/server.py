"""The listening side: loopback and a port of the kernel's choosing unless told otherwise; ``door.json`` tells which."""

import contextlib
import os
import socket
from collections.abc import Generator
from pathlib import Path

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import Server

from sidecar.control.connections import DoorProtocol

UNREAD_MS = 15_000
"""Milliseconds after which a connection ends whose other end takes nothing of what is sent to it."""


class DoorServer(Server):
    """uvicorn without hands on this process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listening_socket(address: tuple[str, int]) -> socket.socket:
    """Connections are taken from now on, and answered when the server runs. Raises OSError."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    door = socket.create_server(address, family=family, backlog=128)
    # Inherited by every connection. asyncio asks for it only where a socket's protocol is named, which this one's is
    # not: the body of an answer would wait up to 40 ms for the acknowledgement of its head.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)  # inherited too
    door.setblocking(False)
    return door


def server(application: ASGIApp) -> DoorServer:
    """Logs no request: paths carry run ids and headers the token."""
    return DoorServer(
        uvicorn.Config(
            application,
            loop="asyncio",
            http=DoorProtocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16 << 10,
        )
    )


def announce(state_dir: Path, port: int, run_id: str) -> None:
    """Writes ``door.json`` so that a reader sees all of it or nothing."""
    path = state_dir / "door.json"
    fresh = state_dir / f".door.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode({"port": port, "pid": os.getpid(), "run_id": run_id}))
    fresh.chmod(0o600)
    fresh.replace(path)
