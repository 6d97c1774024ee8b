"""The whole API by schemathesis: no 500, no status, type or shape that is not declared, nothing of another's project.

``make fuzz`` sends fifty cases of each operation, while both projects' channels play, and writes what came of it to
``.campaigns/fuzz.txt``; CI sends one, the same each time, of every fifth operation by all three.
"""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests
from schemathesis import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.schemas import APIOperation

from supervisor.api.app import create_app
from tests.fixtures.agents import NodeHome
from tests.fixtures.fuzz_world import CANARY, Station, World
from tests.fixtures.fuzzing import Caller, Sender, cases_of, operations_of
from tests.fixtures.people import person
from tests.fixtures.running import Running, running_supervisor

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
PUBLIC = {"GET /healthz", "GET /readyz"}
CASES = int(os.environ.get("MCR_FUZZ_CASES", "50"))
"""Of each operation by each caller, at least; where there are fewer they are sent again, with other ids."""
SHARD, SHARDS = map(int, os.environ.get("MCR_FUZZ_SHARD", "0/1").split("/"))
"""Which of how many parts of the operations."""
REPORT = Path(os.environ.get("MCR_FUZZ_REPORT", Path(__file__).parents[2] / ".campaigns" / "fuzz.txt"))
ENDS_THINGS = re.compile(
    r"DELETE|/(stop|revoke|shelve|acknowledge|declare-lost|drop|undo|move)$|PATCH .*(project|channel|playlist)_id}$"
)
"""After these some of what there was may be gone."""

Made = Sequence[tuple[APIOperation, Sequence[Case]]]


def _not_401(label: str, answer: requests.Response) -> str | None:
    if label in PUBLIC or answer.status_code == 401:
        return None
    return "nobody is told something"


def _of_the_other(_label: str, answer: requests.Response) -> str | None:
    return "tells of the other project" if CANARY.encode() in answer.content else None


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(True, marks=(pytest.mark.campaign, pytest.mark.timeout(14_400))),
        pytest.param(False, marks=pytest.mark.timeout(480)),
    ],
)
async def test_the_whole_api_answers_as_it_says_and_tells_nobody_what_is_not_theirs(
    short_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    # Not while the supervisor runs: that would have half of the machine, and its loop be late.
    made = _made(create_app().openapi(), whole)
    monkeypatch.setattr("supervisor.api.throttle.FREE", 1_000_000)
    for name in ("MCR_REACH", "MCR_WEBHOOK_HOSTS"):
        monkeypatch.setenv(name, "127.0.0.1")
    try:
        async with running_supervisor(short_home) as running:
            await _all_ask(running, tmp_path, made, whole)
    finally:
        # A case may have taken a sidecar out of its supervisor's reach: its node declared lost, its channel deleted.
        for pid in NodeHome(short_home).processes():
            os.kill(pid, signal.SIGKILL)


async def _all_ask(reached: Running, tmp_path: Path, made: Made, whole: bool) -> None:
    first, second = World(reached, CANARY, tmp_path, plays=whole), World(reached, "Other", tmp_path, plays=whole)
    station = Station(reached, tmp_path)
    for one in (first, second, station):
        await one.ensure()
    token = (await person(reached, "bob", "operator", {second.ids["project_id"]: ("operate", "edit")}))[1]
    sender = Sender(f"http://{reached.host}:{reached.port}", str(tmp_path), _revs(reached))
    nobody = Caller("nobody", None, (first.ids,), _not_401)
    bob = Caller("the other's operator", token, (first.ids, second.ids), _of_the_other)
    admin = Caller("admin", reached.token, (first.ids | station.ids, second.ids | station.ids))

    callers = (nobody, bob, admin)
    before = await first.state()
    for operation, cases in made if whole else made[::5]:
        await asyncio.to_thread(_send, sender, cases, (nobody, bob))
        if whole:
            _report(callers)
        if whole and ENDS_THINGS.search(operation.label):
            await second.ensure()
            bob.ids = (first.ids, second.ids)
    assert await first.state() == before
    for operation, cases in made:
        await asyncio.to_thread(_send, sender, cases, (admin,))
        if whole and ENDS_THINGS.search(operation.label):
            for one in (first, second, station):
                await one.ensure()
            admin.ids = (first.ids | station.ids, second.ids | station.ids)
        if whole:
            _report(callers)
    await _by_hand(reached, token)
    faults = _faults(callers)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
    assert len(admin.statuses) == len(made)
    assert len(bob.statuses) == len(nobody.statuses) >= len(made) // 5


async def _by_hand(reached: Running, token: str) -> None:
    """What schemathesis cannot ask: a stream without end, and the supervisor's own."""
    for who, may_end in (("", 401), (token, 403), (reached.token, 422)):
        async with reached.tcp_client({"Authorization": f"Bearer {who}"} if who else {}) as client:
            for last in ("0", "x" * 100, "-1", "9" * 99, "1-\xff", "x" * 101):
                headers = {"Last-Event-ID": last.encode("latin-1")}
                async with client.stream("GET", "/api/v1/events", headers=headers) as answer:
                    expected = 401 if not who else 422 if len(last) > 100 else 200
                    assert answer.status_code == expected, f"{who[:9]} {last!r}: {answer.status_code}"
                    kind = "text/event-stream" if expected == 200 else "application/problem+json"
                    assert answer.headers["content-type"].startswith(kind)
            for body in (b"", b"[]", b"{", b'{"off_air": "perhaps"}', b'{"on_air": true}', b"\xff", b"null"):
                path, kind = "/api/v1/supervisor/shutdown", {"Content-Type": "application/json"}
                answer = await client.post(path, content=body, headers=kind)
                assert (answer.status_code, answer.json()["status"]) == (may_end, may_end), f"{who[:9]} {body!r}"


def _faults(callers: Sequence[Caller]) -> list[str]:
    return [f"{caller.name}: {what}\n  {how}" for caller in callers for what, how in caller.faults.items()]


def _report(callers: Sequence[Caller]) -> None:
    """After each operation: a run that is ended has told what it saw."""
    REPORT.parent.mkdir(exist_ok=True)
    labels = {label: None for caller in callers for label in caller.statuses}
    rows = [
        f"{label}: "
        + "; ".join(f"{it.name} {dict(sorted(it.statuses[label].items()))}" for it in callers if label in it.statuses)
        for label in labels
    ]
    told = [*(caller.told() for caller in callers), "", *_faults(callers), "", *rows]
    REPORT.write_text("\n".join(told) + "\n")


def _made(document: object, whole: bool) -> Made:
    found: list[tuple[APIOperation, Sequence[Case]]] = []
    for number, operation in list(enumerate(operations_of(document)))[SHARD::SHARDS]:
        if whole:
            cases = cases_of(operation, POSITIVE, CASES - CASES // 2) + cases_of(operation, NEGATIVE, CASES // 2)
            cases = (cases * CASES)[:CASES]
        else:
            cases = cases_of(operation, (POSITIVE, NEGATIVE)[number % 2], 1) or cases_of(operation, POSITIVE, 1)
        found.append((operation, cases))
    return found


def _send(sender: Sender, cases: Sequence[Case], callers: Sequence[Caller]) -> None:
    for caller in callers:
        for number, case in enumerate(cases):
            sender.send(caller, case, number)


def _revs(supervisor: Running) -> "Revs":
    return Revs(requests.Session(), f"http://{supervisor.host}:{supervisor.port}", supervisor.token)


class Revs:
    """Reads revs as an admin."""

    def __init__(self, session: requests.Session, base_url: str, token: str) -> None:
        self._session, self._base_url = session, base_url
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, path: str) -> int | None:
        answer = self._session.get(self._base_url + path, headers=self._headers, timeout=60.0)
        tag = answer.headers.get("ETag", "").strip('"')
        return int(tag) if answer.status_code == 200 and tag.isdecimal() else None
