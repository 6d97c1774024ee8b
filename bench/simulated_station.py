"""A real supervisor whose sidecars are simulated ones, behind real agent services over HTTP; on SQLite, or on a real
server of PostgreSQL on the same machine that waits for its disk."""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench.simulated_nodes import node_name
from db.repositories.channels import OutputSpec
from db.repositories.playlists import ItemSpec
from db.store import Store
from tests.fixtures.machines import Api, ApiError, Json
from tests.fixtures.postgres import PostgresServer

Database = Literal["sqlite", "postgresql"]

UP_S = 900.0
_ITEMS, _ITEM_FRAMES = 10, 1500
_CHUNK = 50
"""Channels in one transaction."""


@dataclass(frozen=True)
class SimulatedStation:
    """``url`` is the supervisor's TCP door; its token lies in ``token_file``. ``simulated`` play the nodes."""

    home: Path
    api: Api
    url: str
    supervisor: subprocess.Popen[bytes]
    simulated: Sequence[subprocess.Popen[bytes]]
    size: int

    @property
    def token_file(self) -> Path:
        return self.home / "token"

    def all_on_air(self) -> list[str]:
        """The channels' ids by number, once all of them are on air."""
        deadline = time.monotonic() + UP_S
        while True:
            try:
                channels = self.api.everything("/channels")
            except (OSError, ApiError):
                channels = []
            on_air = sum(_settled(channel["live"]) for channel in channels)
            if on_air == self.size:
                return [channel["id"] for channel in sorted(channels, key=lambda it: it["number"])]
            print(f"{self.size} channels: {on_air} on air", file=sys.stderr)
            assert self.supervisor.poll() is None, "the supervisor ended"
            assert time.monotonic() < deadline, f"{self.size} channels are not on air after {UP_S} s"
            time.sleep(2.0)  # rarely: the question costs the supervisor as much as the channels do


@contextmanager
def simulated_station(
    size: int, *, agents: int, processes: int, names: Sequence[str] = (), database: Database = "sqlite"
) -> Iterator[SimulatedStation]:
    """``size`` channels, wanted on air, on so many nodes in so many processes; ended at the end."""
    with tempfile.TemporaryDirectory(prefix="mcrsim", dir="/tmp") as folder, ExitStack() as stack:
        home = Path(folder)
        simulated, environment = stack.enter_context(_nodes(home, agents, processes))
        if database == "postgresql":
            environment["MCR_DATABASE_URL"] = stack.enter_context(_postgresql())
        asyncio.run(_fill(home, size, environment, agents, names))
        port = free_ports(1)
        supervisor = stack.enter_context(_supervisor(home, environment, port))
        api = Api(home / "run" / "mcr.sock")
        yield SimulatedStation(home, api, f"http://127.0.0.1:{port}", supervisor, simulated, size)


def _settled(live: Json) -> bool:
    return bool(live["observed"] == "on_air" and live["phase"] == "running")


@contextmanager
def _postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="mcrpg", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # root's server runs as a user of its own
        server = PostgresServer(Path(folder))
        try:
            yield server.url()
        finally:
            server.stop()


@contextmanager
def _nodes(home: Path, agents: int, count: int) -> Iterator[tuple[list[subprocess.Popen[bytes]], dict[str, str]]]:
    """The processes, and what a supervisor's environment needs to know of them."""
    key = home / "cluster_key"
    key.write_text(secrets.token_hex(32) + "\n")
    key.chmod(0o600)
    first_port = free_ports(agents)
    each = agents // count
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.simulated_nodes", str(first), str(each), str(first_port), str(key)],
            stdin=subprocess.PIPE,
        )
        for first in range(0, agents, each)
    ]  # fmt: skip
    nodes = ",".join(f"{node_name(n)}=http://127.0.0.1:{first_port + n}" for n in range(agents))
    try:
        ours = {"MCR_HOME": str(home), "MCR_CLUSTER_KEY_FILE": str(key), "MCR_NODES": nodes, "MCR_DATABASE_URL": ""}
        yield processes, {**os.environ, **ours}
    finally:
        for process in processes:
            process.kill()
            process.wait(10)
            assert process.stdin is not None
            process.stdin.close()


def free_ports(count: int) -> int:
    """The first of so many in a row that nobody listens at."""
    for first in range(21_000, 32_000, count):
        doors = [socket.socket() for _ in range(count)]
        try:
            for number, door in enumerate(doors):
                door.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        else:
            return first
        finally:
            for door in doors:
                door.close()
    raise RuntimeError("no free ports")


@contextmanager
def _supervisor(home: Path, environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = ["-m", "supervisor", "serve", "--no-node", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-P", *command], env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def _fill(home: Path, size: int, environment: dict[str, str], agents: int, names: Sequence[str]) -> None:
    """Nodes with room, and ``size`` channels that are wanted on air: the supervisor comes as after a power cut."""
    upgrade = [sys.executable, "-P", "-m", "supervisor", "db-upgrade"]
    await asyncio.to_thread(subprocess.run, upgrade, env=environment, check=True)
    store = Store(environment.get("MCR_DATABASE_URL") or f"sqlite+aiosqlite:///{home / 'mcr.db'}")
    now = datetime.now(UTC)
    async with store.write() as tx:
        for name, url in (pair.split("=") for pair in environment["MCR_NODES"].split(",")):
            await tx.nodes.add(name=name, kind="agent", url=url, capacity=max(16, 2 * size // agents), now=now)
        playlist = await tx.playlists.add("Scale", None, now)
        items = [ItemSpec(title=f"item {n}", kind="slate", slate_frames=_ITEM_FRAMES) for n in range(_ITEMS)]
        await tx.playlists.insert(playlist.id, playlist.revision, items)
    for first in range(0, size, _CHUNK):
        async with store.write() as tx:
            for number in range(first, min(first + _CHUNK, size)):
                outputs = [OutputSpec("hls")]
                if number % 5 == 0:
                    outputs.append(OutputSpec("udp", f"udp://127.0.0.1:{40_000 + number}", lease_stop=True))
                row = await tx.channels.add(
                    {
                        "name": names[number] if names else f"Channel {number + 1}", "number": number + 1,
                        "width": 1280, "height": 720, "rate": "25", "playlist_id": playlist.id, "after_last": "loop",
                    }, outputs, now,
                )  # fmt: skip
                await tx.channels.set_desired(row.id, row.rev, "on")
    await store.close()
