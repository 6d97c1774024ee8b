"""What a supervisor costs by the number of its channels: simulated sidecars behind real agent services over HTTP.

One real supervisor on SQLite, 20 agents in four processes, a heartbeat a second. The simulated side runs in processes
of its own, so that the supervisor's cost is its own; on a small machine it takes what the supervisor may not have.
One channel in five has a UDP output with a lease.
"""

import asyncio
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.cost import cpu_seconds, memory_mib, waited_for_a_core
from bench.record import keep
from bench.simulated_nodes import node_name
from db.repositories.channels import OutputSpec
from db.repositories.playlists import ItemSpec
from db.store import Store
from tests.fixtures.machines import Api, ApiError, Json

SIZES = (10, 100, 1000)
AGENTS, PROCESSES = 20, 4
SECONDS = 60.0
SETTLE_S = 15.0
UP_S = 900.0
_ITEMS, _ITEM_FRAMES = 10, 1500
_CHUNK = 50
"""Channels in one transaction."""


@dataclass
class Samples:
    """Milliseconds, but for ``cpu`` in cores."""

    heartbeat_age: list[int] = field(default_factory=list[int])
    channel: list[float] = field(default_factory=list[float])
    supervisor: list[float] = field(default_factory=list[float])
    lag: list[float] = field(default_factory=list[float])


def measure(_clips: list[Path], sizes: tuple[int, ...] = SIZES, seconds: float = SECONDS) -> None:
    figures: dict[str, object] = {"agents": AGENTS, "seconds": seconds}
    samples: dict[str, object] = {}
    for size in sizes:
        found, raw = one(size, seconds)
        figures |= {f"{name}_{size}": value for name, value in found.items()}
        samples[str(size)] = raw
        print(f"scale {size}: {found}", file=sys.stderr)
        keep("scale", figures=figures, samples=samples)


def one(size: int, seconds: float) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The figures at ``size`` channels, and what they are made of."""
    with tempfile.TemporaryDirectory(prefix="mcrscale", dir="/tmp") as folder, ExitStack() as stack:
        home = Path(folder)
        simulated, environment = stack.enter_context(_nodes(home))
        asyncio.run(_fill(home, size, environment))
        supervisor = stack.enter_context(_supervisor(home, environment))
        api = Api(home / "run" / "mcr.sock")
        began = time.monotonic()
        channels = _all_on_air(api, size, supervisor)
        up = time.monotonic() - began
        time.sleep(SETTLE_S)  # the start itself is not what is measured
        held_before = _held_up(home)
        waited = waited_for_a_core(supervisor.pid)
        cpu, others = cpu_seconds(supervisor.pid), sum(cpu_seconds(process.pid) for process in simulated)
        began = time.monotonic()
        taken = _watched(api, channels, began + seconds)
        passed = time.monotonic() - began
        cpu, others = cpu_seconds(supervisor.pid) - cpu, sum(cpu_seconds(it.pid) for it in simulated) - others
        waited = waited_for_a_core(supervisor.pid) - waited
        held = _held_up(home)[len(held_before) :]
        figures = {
            "cpu_cores": round(cpu / passed, 3),
            "simulated_cpu_cores": round(others / passed, 3),
            "waited_for_a_core": round(waited / passed, 3),
            "memory_mib": round(memory_mib(supervisor.pid)),
            "heartbeat_age_p99_ms": _percentile(taken.heartbeat_age, 0.99),
            "heartbeat_age_latest_ms": max(taken.heartbeat_age),
            "api_channel_p50_ms": _percentile(taken.channel, 0.5),
            "api_channel_p99_ms": _percentile(taken.channel, 0.99),
            "api_supervisor_p99_ms": _percentile(taken.supervisor, 0.99),
            "loop_lag_worst_ms": max([*held, *taken.lag], default=0.0),
            "loop_held_up": float(len(held)),
            "to_air_s": round(up, 1),
        }
        raw = {
            "api_channel_ms": [round(it, 2) for it in taken.channel],
            "api_supervisor_ms": [round(it, 2) for it in taken.supervisor], "loop_held_up_ms": held,
        }  # fmt: skip
        return figures, raw


def _watched(api: Api, channels: list[str], until: float) -> Samples:
    """Ten reads a second by turns, and every second the age of every heartbeat."""
    taken = Samples()
    number = 0
    while time.monotonic() < until:
        began = time.monotonic()
        if number % 10 == 0:
            taken.lag.append(float(_timed(api, "/supervisor", taken.supervisor)["loop_lag_ms"]))
        if number % 100 == 50:
            for channel in api.everything("/channels"):
                age = channel["live"]["heartbeat_age_ms"]
                taken.heartbeat_age.append(-1 if age is None else int(age))
        _timed(api, f"/channels/{channels[number * 7 % len(channels)]}", taken.channel)
        number += 1
        time.sleep(max(0.0, began + 0.1 - time.monotonic()))  # ten rounds a second
    return taken


def _timed(api: Api, path: str, into: list[float]) -> Json:
    began = time.perf_counter()
    answer = api.get(path)
    into.append((time.perf_counter() - began) * 1000)
    return answer


def _percentile(values: list[int] | list[float], part: float) -> float:
    ordered = sorted(values)
    return round(float(ordered[min(len(ordered) - 1, int(len(ordered) * part))]), 1)


def _held_up(home: Path) -> list[float]:
    """Every hold-up of the loop that the supervisor has logged, in milliseconds."""
    lines = (home / "log").read_text(errors="replace").splitlines()
    found = (re.search(r'"ms": ([0-9.]+)', line) for line in lines if "the loop was held up" in line)
    return [float(match.group(1)) for match in found if match]


def _all_on_air(api: Api, size: int, supervisor: subprocess.Popen[bytes]) -> list[str]:
    deadline = time.monotonic() + UP_S
    while True:
        try:
            channels = api.everything("/channels")
        except (OSError, ApiError):
            channels = []
        on_air = sum(_settled(channel["live"]) for channel in channels)
        if on_air == size:
            return [channel["id"] for channel in channels]
        print(f"scale {size}: {on_air} on air", file=sys.stderr)
        assert supervisor.poll() is None, "the supervisor ended"
        assert time.monotonic() < deadline, f"{size} channels are not on air after {UP_S} s"
        time.sleep(2.0)  # rarely: the question costs the supervisor as much as the channels do


def _settled(live: Json) -> bool:
    return bool(live["observed"] == "on_air" and live["phase"] == "running")


@contextmanager
def _nodes(home: Path) -> Iterator[tuple[list[subprocess.Popen[bytes]], dict[str, str]]]:
    """The processes, and what a supervisor's environment needs to know of them."""
    key = home / "cluster_key"
    key.write_text(secrets.token_hex(32) + "\n")
    key.chmod(0o600)
    first_port = _free_ports(AGENTS)
    each = AGENTS // PROCESSES
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.simulated_nodes", str(first), str(each), str(first_port), str(key)],
            stdin=subprocess.PIPE,
        )
        for first in range(0, AGENTS, each)
    ]  # fmt: skip
    nodes = ",".join(f"{node_name(n)}=http://127.0.0.1:{first_port + n}" for n in range(AGENTS))
    try:
        yield processes, {**os.environ, "MCR_HOME": str(home), "MCR_CLUSTER_KEY_FILE": str(key), "MCR_NODES": nodes}
    finally:
        for process in processes:
            process.kill()
            process.wait(10)
            assert process.stdin is not None
            process.stdin.close()


def _free_ports(count: int) -> int:
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
def _supervisor(home: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "supervisor", "serve", "--no-node"], env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def _fill(home: Path, size: int, environment: dict[str, str]) -> None:
    """Nodes with room, and ``size`` channels that are wanted on air: the supervisor comes as after a power cut."""
    upgrade = [sys.executable, "-P", "-m", "supervisor", "db-upgrade"]
    await asyncio.to_thread(subprocess.run, upgrade, env=environment, check=True)
    store = Store(f"sqlite+aiosqlite:///{home / 'mcr.db'}")
    now = datetime.now(UTC)
    async with store.write() as tx:
        for name, url in (pair.split("=") for pair in environment["MCR_NODES"].split(",")):
            await tx.nodes.add(name=name, kind="agent", url=url, capacity=max(16, 2 * size // AGENTS), now=now)
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
                        "name": f"Channel {number + 1}", "number": number + 1, "width": 1280, "height": 720,
                        "rate": "25", "playlist_id": playlist.id, "after_last": "loop",
                    }, outputs, now,
                )  # fmt: skip
                await tx.channels.set_desired(row.id, row.rev, "on")
    await store.close()
