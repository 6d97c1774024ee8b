"""A sidecar obeys only who has the token of its own start (P2, P7)."""

import hmac
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from tests.fixtures.agent_orders import CHANNEL, muted, on_air, start, stop
from tests.fixtures.agents import NodeHome, running
from tests.fixtures.sidecar_doors import sidecar_door

TOKEN, OTHERS = "t" * 43, "u" * 43


async def test_no_route_of_its_table_opens_to_another_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own table is asked for every route there is; each look at a token takes as long as any other."""
    compared = list[bytes]()

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return hmac_compare(given, expected)

    hmac_compare = hmac.compare_digest
    async with sidecar_door(tmp_path, TOKEN) as door:
        routes = [
            (method, one.path) for one in door.app.routes if isinstance(one, Route) for method in one.methods or ()
        ]
        assert {"/status", "/arm", "/stop", "/playlist", "/outputs", "/lease"} <= {path for _, path in routes}
        refused = [
            {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {OTHERS}"},
            {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Bearer {TOKEN}t"},
            {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}, {"X-Token": TOKEN},
        ]  # fmt: skip
        async with httpx.AsyncClient(base_url=door.url, trust_env=False, timeout=20.0) as client:
            monkeypatch.setattr("hmac.compare_digest", compare)
            for method, path in [*routes, ("GET", "/nothing")]:
                for headers in refused:
                    answer = await client.request(method, path, headers=headers)
                    assert answer.status_code == 401, (method, path, headers)
            assert len(compared) == (len(routes) + 1) * len(refused)
            for method, path in routes:
                answer = await client.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
                assert answer.status_code != 401, (method, path)


def told_to(pid: int) -> tuple[str, int]:
    """The token that the process was started with, and where it listens."""
    environment = dict(
        part.split("=", 1) for part in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in part
    )
    door = (Path(environment["MCR_STATE_DIR"]) / "door.json").read_text()
    return environment["MCR_TOKEN"], int(door.partition('"port":')[2].partition(",")[0].strip(" }"))


async def test_every_start_has_a_token_of_its_own_and_an_agents_next_life_knows_which(node_home: NodeHome) -> None:
    """P5: an agent that was started anew commands the sidecar that runs, by the token of that one's start."""
    async with running(node_home) as agent:
        first = await agent.start(start())
        await muted(agent)
        old, _ = told_to(first)
        await agent.stop(stop(patient=False))
        second = await agent.start(start(2))
        await muted(agent, 2)
        new, port = told_to(second)
        assert old != new
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20.0) as client:
        for token, status in ((old, 401), (new, 200)):
            answer = await client.get("/status", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status
    async with running(node_home) as agent:
        seen = await on_air(agent, 2)
        assert (seen.channel_id, seen.pid) == (CHANNEL, second)
        assert seen.status is not None
        assert seen.status.state == "on_air"
