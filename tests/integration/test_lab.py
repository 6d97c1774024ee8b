"""The lab's own parts: a network whose links are cut, and a door that freezes, must do what fault tests rely on."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.fixtures.air import wait_until
from tests.fixtures.cuttable_door import CuttableDoor
from tests.fixtures.network import Loopback, Namespaces, Network, namespaces
from tests.fixtures.postgres import PostgresServer

ECHO = """
import socket, sys
with socket.create_server((sys.argv[1], 7000)) as door:
    while True:
        peer, _ = door.accept()
        with peer:
            peer.sendall(b"here")
"""


@pytest.fixture
def network() -> Iterator[Namespaces]:
    with namespaces("a", "b", "c") as made:
        yield made


def hears(network: Network, here: str, there: str) -> bool:
    """Whether a datagram from ``here`` arrives at ``there``."""
    with network.bound(here, socket.SOCK_DGRAM) as sender, network.bound(there, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(0.3)
        sender.sendto(b"x", receiver.getsockname())
        try:
            return receiver.recv(10) == b"x"
        except TimeoutError:
            return False


def test_a_link_is_cut_one_way_or_both_ways_in_silence_and_the_others_hold(network: Namespaces) -> None:
    assert hears(network, "a", "b")
    assert hears(network, "b", "a")
    network.cut("a", "b", one_way=True)
    assert not hears(network, "a", "b")
    assert hears(network, "b", "a")
    network.cut("a", "b")
    assert not hears(network, "b", "a")
    assert hears(network, "a", "c")
    assert hears(network, "c", "b")
    network.heal()
    assert hears(network, "a", "b")
    assert hears(network, "b", "a")


def test_a_program_runs_inside_a_host_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    with namespaces("a", "b") as network:
        process = network.run(
            "a", [sys.executable, "-c", ECHO, network.address("a")], environment=dict(os.environ), log=tmp_path / "log"
        )

        def answers() -> bool:
            with network.bound("b", socket.SOCK_STREAM) as client:
                client.settimeout(1)
                try:
                    client.connect((network.address("a"), 7000))
                except OSError:
                    return False
                return client.recv(10) == b"here"

        wait_until(answers, 10, "an answer from the other host")
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(
            lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", 5, "it stopped"
        )
        names = [path.name for path in Path("/run/netns").glob(f"mcr{os.getpid():x}-*")]
        assert len(names) == 3
    assert process.wait(60) == -signal.SIGKILL
    assert not list(Path("/run/netns").glob(f"mcr{os.getpid():x}-*"))


def test_without_namespaces_the_hosts_are_loopback_addresses_that_cannot_be_cut() -> None:
    network = Loopback(("a", "b"))
    assert hears(network, "a", "b")
    assert not network.can_cut
    with pytest.raises(NotImplementedError, match="cannot be cut"):
        network.cut("a", "b")


async def test_a_databases_connection_freezes_is_cut_and_comes_back(postgres_server: PostgresServer) -> None:
    directory = postgres_server.socket_directory
    bound = Loopback(("db",)).bound("db", socket.SOCK_STREAM)
    with CuttableDoor(bound, str(directory / ".s.PGSQL.5432")) as door:
        url = f"postgresql://postgres@{door.host}:{door.port}/postgres"
        connection = await asyncpg.connect(url, timeout=5)
        assert await connection.fetchval("SELECT 1") == 1
        door.freeze()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await connection.fetchval("SELECT 2", timeout=0.3)
        assert time.monotonic() - began >= 0.3
        door.open()
        again = await asyncpg.connect(url, timeout=5)
        assert await again.fetchval("SELECT 3") == 3
        door.cut()
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await again.fetchval("SELECT 4", timeout=5)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await asyncpg.connect(url, timeout=5)
        door.open()
        last = await asyncpg.connect(url, timeout=5)
        assert await last.fetchval("SELECT 5") == 5
        await last.close()
        connection.terminate()
        again.terminate()
