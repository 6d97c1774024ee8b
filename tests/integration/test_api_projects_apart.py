"""A second project's operator neither sees nor touches what is the first's, by no route, stream or console (P7)."""

import asyncio
import re
from contextlib import aclosing
from pathlib import Path

from mcr_console.cli.desk import connected
from mcr_console.client import Event
from mcr_console.clock import SystemClock
from mcr_console.wall_state import WallBuilder
from supervisor.schemas.event import Channel, Reset
from tests.fixtures.people import client_of, operations, person
from tests.fixtures.projects import project_of
from tests.fixtures.running import Json, Running

SECRET = "Canary"
"""In every name and text of the first project, and in nothing else."""
NOTHING_OF_A_PROJECT = {
    ("GET", "/api/v1/me"), ("GET", "/api/v1/supervisor"), ("GET", "/healthz"), ("GET", "/readyz"),
}  # fmt: skip
BODIES: dict[str, Json] = {
    "adjust": {"ms": 1000}, "drop": {"item_id": "x"}, "undrop": {"item_id": "x"}, "cue": {"item_id": None},
    "logo": {"show": "auto"}, "move": {"node_id": None}, "control": {"over": True},
    "shelve": {"minutes": 5, "reason": "why"}, "notes": {"run_id": "r", "seq": 1, "text": "hello"},
    "undo": {"revision": 1},
}  # fmt: skip
CHANGES: dict[str, Json] = {
    "/api/v1/assets/{asset_id}": {"title": "x"}, "/api/v1/playlists/{playlist_id}": {"name": "x"},
}  # fmt: skip
TOLD_INVALID = {
    "POST /api/v1/channels/{channel_id}/asrun/issues", "POST /api/v1/channels/{channel_id}/insert-next",
    "POST /api/v1/channels/{channel_id}/rundown/edit", "POST /api/v1/channels/{channel_id}/rundown/preview",
    "POST /api/v1/playlists/{playlist_id}/items", "POST /api/v1/playlists/{playlist_id}/items/drop",
    "POST /api/v1/playlists/{playlist_id}/items/{item_id}/move", "POST /api/v1/playlists/{playlist_id}/revise",
}  # fmt: skip
"""Their bodies are of many shapes; that an empty one cannot be used is all that is said. Their
sight is the channel's or the list's, as of the others."""


async def test_no_route_and_no_listing_tells_of_another_project(supervisor: Running) -> None:
    theirs = await project_of(supervisor, SECRET)
    mine = (await supervisor.call("POST", "/projects", json={"name": "Mine"}))["id"]
    _, token = await person(supervisor, "bob", "operator", {mine: ("operate", "edit")})
    there = operations(await supervisor.call("GET", "/openapi.json"))
    before = await _state(supervisor, theirs)
    touched = 0
    async with client_of(supervisor, token) as bob:
        for method, path, _ in there:
            if path in {"/api/v1/events", "/api/v1/supervisor/shutdown"}:
                continue
            filled = path.replace("{path}", "index.m3u8").replace("{token_id}", "0" * 12)
            filled = re.sub(r"{([a-z_]+)}", lambda name: theirs.get(name[1], "0" * 32), filled)
            body = BODIES.get(path.rpartition("/")[2], CHANGES.get(path, {}) if method == "PATCH" else {})
            answer = await bob.request(
                method, filled, json=None if method in {"GET", "DELETE"} else body, headers={"If-Match": '"1"'}
            )
            what = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
            assert SECRET not in answer.text, what
            assert theirs["channel_id"] not in answer.text or answer.status_code == 404, what
            if "{" in path:
                touched += 1
                named = f"{method} {path}"
                expected = {422} if named in TOLD_INVALID or "asrun/records" in path else {403, 404}
                assert answer.status_code in expected, what
        for path in ("history", "alarms", "shift-log", "asrun", "asrun/records"):
            query = {"channel_id": theirs["channel_id"], "run_id": "r"}
            answer = await bob.get(f"/api/v1/{path}", params=query)
            assert SECRET not in answer.text, path
    assert touched > 60
    assert await _state(supervisor, theirs) == before


async def test_the_same_is_there_for_who_may(supervisor: Running) -> None:
    """The walk above would find it: who was granted the project sees and changes it, and no more than was granted."""
    theirs = await project_of(supervisor, SECRET)
    _, looks = await person(supervisor, "looks", "operator", {theirs["project_id"]: ()})
    _, works = await person(supervisor, "works", "operator", {theirs["project_id"]: ("operate",)})
    channel = f"/api/v1/channels/{theirs['channel_id']}"
    async with client_of(supervisor, looks) as one, client_of(supervisor, works) as other:
        for client in (one, other):
            shown = (await client.get(channel)).json()
            assert shown["name"] == f"{SECRET} channel"
            assert SECRET not in shown["outputs"][0]["url"], "the stream key is for who configures"
            for path in ("channels", "playlists", "recorders", "schedules", "alarms", "history", "shift-log",
                         "handover", "instructions", "projects"):  # fmt: skip
                assert SECRET in (await client.get(f"/api/v1/{path}")).text, path
            for path in ("alarms", "history", "shift-log", "handover"):
                assert f"{SECRET} of the station" not in (await client.get(f"/api/v1/{path}")).text, path
                assert f"{SECRET} leads" not in (await client.get(f"/api/v1/{path}")).text, path
        refused = await one.post(f"{channel}/hold-failover")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert (await other.post(f"{channel}/hold-failover")).status_code == 200
        renamed = await other.patch(
            f"/api/v1/playlists/{theirs['playlist_id']}", json={"name": "x"}, headers={"If-Match": '"2"'}
        )
        assert renamed.status_code == 403


async def test_the_stream_tells_who_may_see_a_project_of_its_schedules(supervisor: Running) -> None:
    theirs = await project_of(supervisor, SECRET)
    _, token = await person(supervisor, "looks", "viewer", {theirs["project_id"]: ()})
    schedule = f"/schedules/{theirs['schedule_id']}"
    told: list[str] = []
    async with client_of(supervisor, token) as looks, looks.stream("GET", "/api/v1/events") as raw:
        lines = raw.aiter_lines()
        async with asyncio.timeout(20.0):
            async for line in lines:
                if line == "event: reset":
                    break
            rev = (await supervisor.call("GET", schedule))["rev"]
            await supervisor.call("PATCH", schedule, rev=rev, json={"title": f"{SECRET} later"})
            async for line in lines:
                told.append(line)
                if f"{SECRET} later" in line:
                    break
    assert told[-2] == "event: schedule"


async def test_neither_the_stream_nor_the_console_tells_of_another_project(supervisor: Running, tmp_path: Path) -> None:
    theirs = await project_of(supervisor, SECRET)
    mine = (await supervisor.call("POST", "/projects", json={"name": "Mine"}))["id"]
    own = await supervisor.call("POST", "/channels", json={"name": "Own", "project_id": mine})
    _, token = await person(supervisor, "bob", "operator", {mine: ("operate",)})
    file = tmp_path / "token"
    file.write_text(token)
    seen: list[str] = []
    builder = WallBuilder(SystemClock())
    async with (
        client_of(supervisor, token) as bob,
        bob.stream("GET", "/api/v1/events") as raw,
        connected(f"http://{supervisor.host}:{supervisor.port}", file) as client,
        aclosing(client.events()) as events,
    ):
        lines = raw.aiter_lines()

        async def read(until: str) -> None:
            async with asyncio.timeout(60):
                async for line in lines:
                    seen.append(line)
                    if until in line:
                        return

        await read("event: reset")
        async with asyncio.timeout(60):
            async for message in events:
                builder.merge(message)
                if isinstance(message, Event) and isinstance(message.payload, Reset):
                    break
        await supervisor.call("POST", f"/channels/{theirs['channel_id']}/hold-failover")
        await supervisor.call("POST", f"/alarms/{theirs['alarm_id']}/acknowledge")
        rev = (await supervisor.call("GET", f"/schedules/{theirs['schedule_id']}"))["rev"]
        await supervisor.call(
            "PATCH", f"/schedules/{theirs['schedule_id']}", rev=rev, json={"title": f"{SECRET} later"}
        )
        await supervisor.call("POST", f"/channels/{own['id']}/hold-failover")
        await read('"hold_failover":true')
        async with asyncio.timeout(60):
            async for message in events:
                builder.merge(message)
                if (
                    isinstance(message, Event)
                    and isinstance(message.payload, Channel)
                    and message.payload.hold_failover
                ):
                    break
        # A channel that leaves the project is gone for its operator, and nothing of it is told any more.
        row = await supervisor.call("GET", f"/channels/{own['id']}")
        values = {"project_id": theirs["project_id"], "name": f"{SECRET} taken"}
        await supervisor.call("PATCH", f"/channels/{own['id']}", json=values, rev=row["rev"])
        await read("event: channel_deleted")
    assert [state.channel.name for state in builder.state().channels.values()] == ["Own"]
    whole = "\n".join(seen)
    assert "Own" in whole
    assert SECRET not in whole
    assert theirs["channel_id"] not in whole
    assert theirs["alarm_id"] not in whole


async def _state(supervisor: Running, of: dict[str, str]) -> list[Json]:
    """What could have been touched, without what is seen live."""
    paths = (
        f"/channels/{of['channel_id']}", f"/playlists/{of['playlist_id']}", f"/recorders/{of['recorder_id']}",
        f"/schedules/{of['schedule_id']}", f"/projects/{of['project_id']}",
    )  # fmt: skip
    found = [await supervisor.call("GET", path) for path in paths]
    return [{name: value for name, value in one.items() if name != "live"} for one in found]
