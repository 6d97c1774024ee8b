"""What a soak is made on: a supervisor with SQLite and a node of its own, an agent, and three channels that air.

Nothing of it is simulated. The two homes lie in one folder under ``/tmp``, so that a soak which was broken off
finds its database and its journals again.
"""

import contextlib
import os
import secrets
import signal
import sqlite3
from collections.abc import Awaitable, Iterator
from fractions import Fraction
from pathlib import Path

from mcr_console.client import Client
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from supervisor.schemas.channel import Channel, ChannelFormat, ChannelIn, OutputIn
from supervisor.schemas.playlist import PlaylistImport
from tests.e2e.supervisor_process import eventually
from tests.fixtures.homes import TestHome
from tests.fixtures.machines import Machine, SupervisorMachine, free_port
from tests.fixtures.network import Loopback

SUPERVISOR, NODE = "sup", "n1"
STEADY, LOCAL, REMOTE = "Soak steady", "Soak local", "Soak remote"
CHANNELS = (STEADY, LOCAL, REMOTE)
"""The first is spared what ends a sidecar once memory is judged, the last plays on the agent's node."""

_CLIPS = tuple(ClipSpecification(n, f"Soak {n}", 320, 180, Fraction(25), 60 + 15 * n) for n in range(1, 5))
"""Short ones: what is bounded by a number of events is to be full before memory is judged."""
UP_S = 60.0


class Station:
    """Enter it with ``station``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        network = Loopback((SUPERVISOR, NODE))
        key = folder / "cluster_key"
        if not key.exists():
            key.touch(0o600)
            key.write_text(secrets.token_hex(32) + "\n")
        note = folder / "agent_port"
        if not note.exists():
            note.write_text(str(free_port(network, NODE)))
        address, port = network.address(NODE), note.read_text()
        self.supervisor = SupervisorMachine(
            network, SUPERVISOR, folder / SUPERVISOR, ("-P", "-m", "supervisor", "serve", "--name", SUPERVISOR),
            {"MCR_CLUSTER_KEY_FILE": str(key), "MCR_NODES": f"{NODE}=http://{address}:{port}"},
        )  # fmt: skip
        self.agent = Machine(
            network, NODE, folder / NODE,
            ("-P", "-m", "supervisor", "agent", "--name", NODE, "--host", address, "--port", port,
             "--cluster-key-file", str(key)), {},
        )  # fmt: skip
        self.channel_ids: dict[str, str] = {}

    @property
    def database(self) -> Path:
        return self.supervisor.home / "mcr.db"

    def client(self) -> Client:
        return Client.at(socket=self.supervisor.socket)

    async def begin(self, client: Client) -> None:
        """Everything runs and is on air: as it was, or made now."""
        self.supervisor.start()
        self.agent.start()
        await eventually(lambda: _true(client.ready()), "the supervisor is ready", UP_S)
        await eventually(lambda: self._node(client), "the node answers", UP_S)
        known = {channel.name: channel for channel in await client.channels()}
        playlist_id = "" if len(known) == len(CHANNELS) else await self._media(client)
        for number, name in enumerate(CHANNELS):
            channel = known.get(name) or await self._channel(client, name, playlist_id, 41_000 + number)
            self.channel_ids[name] = channel.id
            if channel.desired == "off":
                await client.start(channel.id)
        await eventually(lambda: self.all_on_air(client), "every channel on air", UP_S)

    async def _node(self, client: Client) -> str:
        return next((node.id for node in await client.nodes() if node.name == NODE and node.state == "answers"), "")

    async def _media(self, client: Client) -> str:
        media = self.folder / "clips"
        media.mkdir(exist_ok=True)
        for clip in _CLIPS:
            make_clip(clip, media)
        await client.create_media_root(str(media))
        made = await client.import_playlist(PlaylistImport(name="Soak", source="folder", path=str(media)))
        return made.playlist.id

    async def _channel(self, client: Client, name: str, playlist_id: str, port: int) -> Channel:
        nodes = {node.name: node.id for node in await client.nodes()}
        udp = OutputIn(kind="udp", url=f"udp://127.0.0.1:{port}")
        return await client.create_channel(
            ChannelIn(
                name=name, format=ChannelFormat(width=320, height=180, rate="25"), playlist_id=playlist_id,
                after_last="loop", node_id=nodes[NODE if name == REMOTE else SUPERVISOR],
                outputs=(OutputIn(kind="hls"), udp) if name != REMOTE else (OutputIn(kind="hls"),),
            )
        )  # fmt: skip

    async def all_on_air(self, client: Client) -> bool:
        return all(
            channel.live.phase == "running" and channel.live.observed in ("on_air", "late") and channel.live.frame > 0
            for channel in await client.channels()
        )

    def machine_of(self, name: str) -> Machine:
        return self.agent if name == REMOTE else self.supervisor

    def sidecar_of(self, name: str) -> int | None:
        """The process that plays the channel; None while none or more than one does."""
        found = self.machine_of(name).sidecars_of(self.channel_ids[name])
        return found[0] if len(found) == 1 else None

    def journal_lines(self, name: str) -> list[str]:
        """Every whole line that is still on a disk."""
        lines: list[str] = []
        for machine in (self.supervisor, self.agent):
            for path in (machine.home / "journal" / self.channel_ids[name]).glob("*/*.jsonl"):
                lines += [line.decode() for line in path.read_bytes().split(b"\n")[:-1]]
        return lines

    def stored_lines(self, name: str) -> set[str]:
        """What the store has of the channel, read past the supervisor."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as store:
            rows = store.execute("SELECT line FROM as_run WHERE channel_id = ?", (self.channel_ids[name],))
            return {str(line) for (line,) in rows}

    def end(self) -> None:
        for machine in (self.supervisor, self.agent):
            with contextlib.suppress(ProcessLookupError):
                if machine.runs:
                    machine.send(signal.SIGCONT)
            with contextlib.suppress(AssertionError):  # it never ran
                machine.end()


@contextlib.contextmanager
def station(folder: Path) -> Iterator[Station]:
    """Ends every process of it; its files stay."""
    made = Station(folder)
    for machine in (made.supervisor, made.agent):
        for pid in TestHome(machine.home).processes():  # of a soak that was killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    try:
        yield made
    finally:
        made.end()


def measured(pid: int) -> dict[str, int]:
    """Memory in KiB (``rss``; ``anon``: what no file stands behind; ``dirty``: what it alone has written to), and
    descriptors, threads and clock ticks of CPU.

    Raises OSError when it is gone.
    """
    folder = Path(f"/proc/{pid}")
    text = (folder / "status").read_text() + (folder / "smaps_rollup").read_text()
    status = {name: value.split()[0] for name, _, value in map(_halves, text.splitlines()) if value.strip()}
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return {
        "pid": pid, "rss": int(status["VmRSS"]), "anon": int(status["RssAnon"]),
        "dirty": int(status["Private_Dirty"]), "threads": int(status["Threads"]),
        "descriptors": sum(1 for _ in (folder / "fd").iterdir()), "ticks": int(fields[11]) + int(fields[12]),
    }  # fmt: skip


def _halves(line: str) -> tuple[str, str, str]:
    return line.partition(":")


async def _true(work: Awaitable[None]) -> bool:
    await work
    return True
