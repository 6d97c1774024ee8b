"""A supervisor that does not lead: it answers reads, and refuses every change with the leader's address."""

import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from supervisor.api.app import all_routes
from supervisor.api.permissions import ANYWHERE
from tests.fixtures.running import Running, eventually, running_supervisor

NOBODY = "0" * 32
SAFE = {"GET", "HEAD", "OPTIONS"}


class Two(NamedTuple):
    leader: Running
    follower: Running


@pytest.fixture
def homes() -> Iterator[Path]:
    """Two homes with short paths, as sockets need them."""
    with tempfile.TemporaryDirectory(prefix="mcr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(os.path.realpath(folder))


@pytest.fixture
async def two(homes: Path, migrated_postgres_url: str) -> AsyncGenerator[Two]:
    """Two supervisors of one PostgreSQL."""
    async with AsyncExitStack() as stack:
        leader = await stack.enter_async_context(
            running_supervisor(homes / "a", database_url=migrated_postgres_url, name="a")
        )
        follower = await stack.enter_async_context(
            running_supervisor(homes / "b", database_url=migrated_postgres_url, leads=False, name="b")
        )
        yield Two(leader, follower)


async def test_a_follower_reads_refuses_every_change_and_ends_alone(two: Two) -> None:
    """P2, P7: walks every route there is. What the leader is for is refused, with the leader's address."""
    leader, follower = two

    async def knows_the_leader() -> bool:
        answer = await follower.unix.request("POST", "/api/v1/projects", json={"name": "x"})
        return bool(answer.json()["extra"].get("leader"))

    await eventually(knows_the_leader, "the follower's first look at the lease")
    made = await leader.call("POST", "/channels", json={"name": "One"})
    assert [it["id"] for it in (await follower.call("GET", "/channels"))["items"]] == [made["id"]]
    refused = 0
    for route in all_routes():
        path = route.path.replace("{path:path}", "index.m3u8")
        for name in route.param_convertors:
            path = path.replace(f"{{{name}}}", NOBODY)
        for method in sorted((route.methods or set()) - SAFE):
            if route.name in ANYWHERE:
                continue
            answer = await follower.unix.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (503, "follows"), f"{method} {path}: {answer.text}"
            assert answer.json()["extra"]["leader"] == f"unix:{leader.settings.socket_path}"
            assert answer.headers["Retry-After"].isdigit()
            refused += 1
    assert refused > 30
    rows = [row for row in await follower.audit() if row["detail"].get("code") == "follows"]
    assert {row["outcome"] for row in rows} == {"refused"}

    # P5: its own end is its own business, which takes nothing off air; off air is the leader's.
    answer = await follower.unix.post("/api/v1/supervisor/shutdown", json={"off_air": True})
    assert (answer.status_code, answer.json()["code"]) == (503, "follows")
    assert (await follower.unix.get("/healthz")).status_code == 200
    assert (await follower.unix.get("/readyz")).json()["code"] == "follows"
    await follower.call("POST", "/supervisor/shutdown", json={"off_air": False})
    assert await follower.task == 0
