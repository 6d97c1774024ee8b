"""Control of a channel through the doors: what each air command does while another session has it."""

import asyncio
import getpass
from typing import Any

import pytest

from mcr_console.client import Client, Event
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.control import seat_of
from tests.fixtures.agents import until
from tests.fixtures.people import person
from tests.fixtures.running import Running, eventually

ANN = {"X-MCR-Session": "a" * 32, "X-MCR-Station": "desk 1"}
BOB = {"X-MCR-Session": "b" * 32, "X-MCR-Station": "desk 2"}
AIR = ("start", "stop", "take", "skip", "play", "pause", "resume", "hold", "recue", "standby", "rejoin")
WITH_BODY: dict[str, dict[str, Any]] = {
    "adjust": {"ms": 1000},
    "drop": {"item_id": "x"},
    "undrop": {"item_id": "x"},
    "cue": {"item_id": None},
    "logo": {"show": "auto"},
    "move": {"node_id": None},
}


@pytest.fixture(autouse=True)
def no_control_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has control renews it every few seconds; between two calls of a test a busy machine may take longer."""
    monkeypatch.setattr("supervisor.control.LEASE_S", 600.0)


async def post(supervisor: Running, path: str, headers: dict[str, str], **more: Any) -> tuple[int, Any]:
    answer = await supervisor.tcp.post(f"/api/v1{path}", headers=headers, **more)
    return answer.status_code, answer.json()


async def test_every_air_command_of_another_is_refused_by_name_and_nothing_of_it_is_done(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport", "number": 3})
    path = f"/channels/{made['id']}"
    answer = await supervisor.unix.post(f"/api/v1{path}/control", json={}, headers=ANN)
    assert answer.json()["operator"] == getpass.getuser()

    async def renew() -> None:
        answer = await supervisor.unix.post("/api/v1/controls/renew", headers=ANN, json={"channel_ids": [made["id"]]})
        assert answer.json()["held"] == [made["id"]]

    for verb in (*AIR, *WITH_BODY):
        await renew()
        status, problem = await post(supervisor, f"{path}/{verb}", BOB, json=WITH_BODY.get(verb, {}))
        assert (status, problem["code"]) == (409, "controlled"), verb
        assert f"{getpass.getuser()} at desk 1 has control of 3 Sport" in problem["detail"]
    assert (await supervisor.call("GET", path))["desired"] == "off"
    _, token = await person(supervisor, "a script", "admin")
    await renew()
    status, problem = await post(supervisor, f"{path}/take", {"Authorization": f"Bearer {token}"})
    assert (status, problem["code"]) == (409, "controlled"), "a script is another, too"

    async def written() -> bool:
        refused = [row for row in await supervisor.audit() if row["detail"].get("code") == "controlled"]
        return len(refused) == len(AIR) + len(WITH_BODY) + 1

    await eventually(written, "each refusal in the audit log, once")


async def test_the_holder_commands_and_whoever_takes_over_commands_then(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    path = f"/channels/{made['id']}"
    status, live = await post(supervisor, f"{path}/start", ANN)
    assert status == 200
    assert live["live"]["control"]["seat"] == seat_of("a" * 32), "the first command took control"
    assert (await supervisor.call("GET", "/controls"))["items"][0]["control"]["station"] == "desk 1"
    status, problem = await post(supervisor, f"{path}/control", BOB, json={})
    assert (status, problem["code"]) == (409, "controlled")
    status, control = await post(supervisor, f"{path}/control", BOB, json={"over": True})
    assert (status, control["station"]) == (200, "desk 2")
    status, renewed = await post(supervisor, "/controls/renew", ANN, json={"channel_ids": [made["id"]]})
    assert renewed == {"held": [], "lost": [made["id"]]}
    status, _ = await post(supervisor, f"{path}/stop", BOB)
    assert status == 200
    status, _ = await post(supervisor, f"{path}/release-control", BOB)
    assert status == 200
    assert (await supervisor.call("GET", path))["live"]["control"] is None
    actions = [row["action"] for row in await supervisor.audit()]
    assert "renew_controls" not in actions
    assert {"take_control", "release_control"} <= set(actions)


async def test_readers_of_the_event_stream_are_told_who_has_control(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    path = f"/channels/{made['id']}"
    seen: list[str | None] = []

    async def listen(client: Client) -> None:
        async for message in client.events():
            match message:
                case Event(payload=ChannelLive() as live):
                    seen.append(None if live.control is None else live.control.station)
                    if len(seen) > 1 and seen[-1] is None and "desk 2" in seen:
                        return
                case _:
                    heard.set()

    heard = asyncio.Event()
    async with Client.at(socket=supervisor.settings.socket_path) as client:
        reader = asyncio.create_task(listen(client))
        await asyncio.wait_for(heard.wait(), 60)
        # A reader that is behind is told the newest state alone.
        await post(supervisor, f"{path}/control", ANN, json={})
        await until(lambda: len(seen) > 0 and seen[-1] is not None, what="told of the first")
        await post(supervisor, f"{path}/control", BOB, json={"over": True})
        await until(lambda: "desk 2" in seen, what="told of the second")
        await post(supervisor, f"{path}/release-control", BOB)
        await asyncio.wait_for(reader, 60)


@pytest.mark.parametrize("session", ["", "short", "A" * 32, "a" * 33])
async def test_what_is_no_session_is_none(supervisor: Running, session: str) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    status, problem = await post(
        supervisor, f"/channels/{made['id']}/control", {"X-MCR-Session": session}, json={"over": True}
    )
    assert (status, problem["code"]) == (422, "invalid")


async def test_the_audit_holds_every_air_command_as_soon_as_it_was_answered(supervisor: Running) -> None:
    """Though the answer to an operator's key waits for no disk."""
    made = await supervisor.call("POST", "/channels", json={"name": "News"})
    for number in range(20):
        status, _ = await post(supervisor, f"/channels/{made['id']}/take", {}, json={})
        assert status == 409  # it is off
        rows = (await supervisor.call("GET", "/audit", params={"action": "take"}))["items"]
        assert len(rows) == number + 1
    answer = await supervisor.tcp.post(f"/api/v1/channels/{made['id']}/hold", json={})
    assert answer.status_code == 409
    exported = await supervisor.tcp.get("/api/v1/audit/export", params={"format": "jsonl"})
    assert '"hold"' in exported.text.splitlines()[0]
