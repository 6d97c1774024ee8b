"""Where the agent listens."""

import socket
from typing import Final

from supervisor.api.doors import UNREAD_MS
from supervisor.errors import Conflict, Invalid

_BACKLOG: Final = 128


def listening_socket(host: str, port: int) -> socket.socket:
    """``::`` is every address of both kinds; port 0 takes a free one. Raises Invalid and Conflict, in words."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    except (OSError, UnicodeError) as error:
        raise Invalid(f"--host {host} is no address of this machine: {error}") from error
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        door = socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise Conflict(
            f"{host}:{port} cannot be listened on: {error.strerror}", hint="Choose another --port."
        ) from error
    # Inherited by every connection. asyncio asks for it only where a socket's protocol is named, which this one's is
    # not: the body of an answer would wait up to 40 ms for the acknowledgement of its head.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)  # inherited too
    door.setblocking(False)
    return door
