"""Every TCP door: who sends slowly, for ever or nothing holds a place for a while; the others are served (P7)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fixtures.agents import NodeHome, served
from tests.fixtures.running import Running
from tests.fixtures.sidecar_doors import sidecar_door

PATIENT_S = 20.0
"""Within which whoever is to be cut off is, on a machine that runs many tests at once; the doors give half a second."""


@dataclass(frozen=True)
class Door:
    """``good`` makes one call that is answered; ``path`` takes a body."""

    host: str
    port: int
    path: str
    good: Callable[[], Awaitable[None]]


@asynccontextmanager
async def silent_sidecar(folder: Path) -> AsyncGenerator[Door]:
    async with sidecar_door(folder) as it:

        async def good() -> None:
            headers = {"Authorization": f"Bearer {it.token}"}
            async with httpx.AsyncClient(headers=headers, timeout=PATIENT_S, trust_env=False) as client:
                assert (await client.get(f"{it.url}/status")).status_code == 200

        yield Door(it.host, it.port, "/hold", good)


@asynccontextmanager
async def agent_door(home: NodeHome) -> AsyncGenerator[Door]:
    async with served(home) as node:

        async def good() -> None:
            async with node.remote(margin=PATIENT_S) as remote:
                await remote.report(-1, 0.0)

        host, _, port = node.url.removeprefix("http://").partition(":")
        yield Door(host, int(port), "/sidecar/start", good)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every door's patience is half a second."""
    for name in (
        "supervisor.api.doors.HEAD_S",
        "supervisor.api.gate.BODY_S",
        "supervisor.agent.service.requests._BODY_S",
        "sidecar.control.connections.HEAD_S",
    ):
        monkeypatch.setattr(name, 0.5)


@pytest.fixture(params=["sidecar", "agent"])
async def inner(
    request: pytest.FixtureRequest, tmp_path: Path, node_home: NodeHome, hurried: None
) -> AsyncGenerator[Door]:
    """A door that only programs of ours have a key to."""
    del hurried
    async with silent_sidecar(tmp_path) if request.param == "sidecar" else agent_door(node_home) as it:
        yield it


@pytest.fixture
def outer(supervisor: Running, hurried: None) -> Door:
    """The supervisor's TCP door."""
    del hurried

    async def good() -> None:
        assert (await supervisor.tcp.get("/api/v1/channels")).status_code == 200

    return Door(supervisor.host, supervisor.port, "/api/v1/channels", good)


async def drip(door: Door, begin: bytes, piece: bytes) -> None:
    """Sends ``piece`` again and again until it is cut off; fails when that does not happen."""
    reader, writer = await asyncio.open_connection(door.host, door.port)
    try:
        async with asyncio.timeout(PATIENT_S):
            with contextlib.suppress(ConnectionError):
                writer.write(begin)
                while not reader.at_eof():
                    writer.write(piece)
                    await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(65536), 0.05)
    finally:
        writer.transport.abort()


async def hold_by_heads(door: Door) -> None:
    slow = [asyncio.create_task(drip(door, b"GET / HTTP/1.1\r\nx: ", b"y")) for _ in range(40)]
    for _ in range(3):
        await door.good()
    await asyncio.gather(*slow)
    await door.good()


async def hold_by_bodies(door: Door) -> None:
    head = f"POST {door.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n".encode()
    slow = [asyncio.create_task(drip(door, head, b"z")) for _ in range(10)]
    fast = [asyncio.create_task(drip(door, head, b"z" * 65536)) for _ in range(2)]
    for _ in range(3):
        await door.good()
    await asyncio.gather(*slow, *fast)
    await door.good()


async def test_heads_that_never_end_are_cut_off(inner: Door) -> None:
    await hold_by_heads(inner)


async def test_heads_that_never_end_are_cut_off_at_the_supervisor(outer: Door) -> None:
    await hold_by_heads(outer)


async def test_a_body_without_end_is_cut_off_though_it_was_answered(inner: Door) -> None:
    await hold_by_bodies(inner)


async def test_a_body_without_end_is_cut_off_at_the_supervisor(outer: Door) -> None:
    await hold_by_bodies(outer)


async def test_strangers_take_no_place_of_the_agents_at_a_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: whoever reaches the port of a sidecar without its token does not make it look dead."""
    monkeypatch.setattr("sidecar.control.connections.STRANGERS", 3)
    async with silent_sidecar(tmp_path) as door:
        idle = [await asyncio.open_connection(door.host, door.port) for _ in range(200)]
        await door.good()
        async with asyncio.timeout(PATIENT_S):
            for reader, _ in idle[:-3]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        for _, writer in idle:
            writer.transport.abort()
