"""Every TCP door answers at once, whatever the kernel would wait for."""

import socket
from collections.abc import Callable

import pytest

from sidecar.control.server import listening_socket as sidecar_socket
from supervisor.agent.service.serving import listening_socket as agent_socket
from supervisor.api.doors import tcp_socket


@pytest.mark.parametrize(
    "listen",
    [
        pytest.param(lambda: sidecar_socket(("127.0.0.1", 0)), id="sidecar"),
        pytest.param(lambda: agent_socket("127.0.0.1", 0), id="agent"),
        pytest.param(lambda: tcp_socket("127.0.0.1", 0), id="supervisor"),
    ],
)
def test_no_part_of_an_answer_waits_for_an_acknowledgement(listen: Callable[[], socket.socket]) -> None:
    """Head and body of an answer are two writes. With Nagle's algorithm the second waits for the receiver's delayed
    acknowledgement of the first, which on Linux takes 40 ms: half of what a take may take."""
    with listen() as door:
        door.setblocking(True)
        with socket.create_connection(door.getsockname(), timeout=5.0):
            accepted, _ = door.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                # Whoever takes nothing of an answer does not keep it in memory for ever.
                assert 0 < accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
