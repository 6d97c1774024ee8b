"""Every route by every role, as the API's own description tells of them (P7)."""

import re
from pathlib import Path

import httpx
import pytest

from tests.fixtures.people import client_of, operations, person
from tests.fixtures.running import Running

ROLES = ("nobody", "viewer", "operator", "engineer", "admin")
LOWEST = {
    (method, path): role
    for method, path, role in (
        line.split()
        for line in Path(__file__).with_name("route_roles.txt").read_text().splitlines()
        if not line.startswith("#")
    )
}
NO_ONE = "0" * 32


async def test_every_route_is_open_to_whom_the_table_says_and_to_nobody_else(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies are no objects and ids of nothing: whoever is let through is told that, and nothing is done."""
    monkeypatch.setattr("supervisor.api.throttle.FREE", 10_000)
    document = await supervisor.call("GET", "/openapi.json")
    there = operations(document)
    assert {(method, path) for method, path, _ in there} == set(LOWEST), "tests/integration/route_roles.txt"
    answered = dict.fromkeys(ROLES, 0)
    for role in ROLES:
        token = "mcr_000000000000_wrong" if role == "nobody" else (await person(supervisor, role, role))[1]
        async with client_of(supervisor, token) as client:
            for method, path, _ in there:
                answer = await _call(client, method, path)
                let = ROLES.index(role) >= ROLES.index(LOWEST[method, path])
                what = f"{role}: {method} {path} {answer.status_code} {answer.text[:200]}"
                if role == "nobody" and not let:
                    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), what
                elif not let:
                    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), what
                else:
                    assert answer.status_code not in {401, 403, 500}, what
                    answered[role] += 1
    assert answered["nobody"] == 2
    assert answered["admin"] == len(there)
    assert answered["viewer"] < answered["operator"] < answered["engineer"] < answered["admin"]


async def _call(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    path = path.replace("{path}", "index.m3u8").replace("{token_id}", "0" * 12)
    path = re.sub(r"{[a-z_]+}", NO_ONE, path)
    content = None if method in {"GET", "DELETE"} else b"[]"
    headers = {"Content-Type": "application/json"}
    async with client.stream(method, path, content=content, headers=headers) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return httpx.Response(answer.status_code)
        await answer.aread()
        return answer
