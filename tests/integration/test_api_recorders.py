"""Recorders and schedules through a whole supervisor, with real sidecars."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.recordings import held
from tests.fixtures.running import Running, eventually, running_supervisor

DEADLINE_S = 150.0
pytestmark = [pytest.mark.realtime, pytest.mark.timeout(400)]


async def make(supervisor: Running, name: str = "Ingest", **values: object) -> dict[str, Any]:
    spec = {"name": name, "input": {"kind": "test"}, "floor_mb": 0, **values}
    made: dict[str, Any] = await supervisor.call("POST", "/recorders", json=spec, expect=201)
    return made


async def until(supervisor: Running, recorder_id: str, **wanted: object) -> dict[str, Any]:
    """The recorder once its ``live`` shows all of ``wanted``; a number is the least."""

    async def look() -> dict[str, Any] | None:
        row: dict[str, Any] = await supervisor.call("GET", f"/recorders/{recorder_id}")
        live = row["live"]
        for name, value in wanted.items():
            is_there = live[name] >= value if isinstance(value, int) else live[name] == value
            if not is_there:
                return None
        return row

    return await eventually(look, f"{wanted}", DEADLINE_S)


async def recordings(supervisor: Running, recorder_id: str, ended: int) -> list[dict[str, Any]]:
    """Oldest first, once so many have ended."""

    async def look() -> list[dict[str, Any]] | None:
        found = (await supervisor.call("GET", f"/recorders/{recorder_id}/recordings"))["items"]
        return found[::-1] if sum(file["sha256"] is not None for file in found) >= ended else None

    return await eventually(look, f"{ended} files in the log", DEADLINE_S)


async def test_a_recorder_records_survives_and_tells_what_it_recorded(short_home: Path) -> None:
    """Started, killed (a new epoch goes on in another file), adopted by the next supervisor, stopped."""
    async with running_supervisor(short_home) as supervisor:
        made = await make(supervisor)
        id_ = made["id"]
        started = await supervisor.call("POST", f"/recorders/{id_}/start")
        assert (started["desired"], started["wanted_by"]) == ("on", "person")
        shown = await until(supervisor, id_, observed="recording", frames=30)
        assert shown["live"]["decision"].startswith("recording")
        refused = await supervisor.unix.delete(f"/api/v1/recorders/{id_}", headers={"If-Match": f'"{shown["rev"]}"'})
        assert refused.status_code == 409
        picture = await supervisor.unix.get(f"/api/v1/recorders/{id_}/thumbnail.jpg")
        assert picture.content.startswith(b"\xff\xd8")
        os.kill(_pid_of(supervisor, id_), signal.SIGKILL)
        again = await until(supervisor, id_, epoch=2, observed="recording", frames=30)
        assert again["live"]["path"] != shown["live"]["path"]
        await supervisor.call("POST", f"/recorders/{id_}/stop")
        off = await until(supervisor, id_, phase="off")
        first, second = (await recordings(supervisor, id_, ended=1))[:2]
        assert (first["epoch"], first["end_at"], second["epoch"], second["end_cause"]) == (1, None, 2, "stop")
        assert len(held(Path(second["path"])).numbers) == second["frames"]
        assert held(Path(first["path"])).numbers
        await supervisor.call("DELETE", f"/recorders/{id_}", rev=off["rev"])
        assert (await supervisor.call("GET", "/recorders"))["items"] == []


async def test_a_window_that_runs_already_begins_late_and_says_so_and_the_next_loses_no_frame(
    supervisor: Running,
) -> None:
    made = await make(supervisor, template="{title}")
    now = datetime.now(UTC)
    first = now - timedelta(seconds=60)
    await schedule(supervisor, made["id"], "Morning", first, 120)
    await schedule(supervisor, made["id"], "Noon", first + timedelta(seconds=120), 15)
    await until(supervisor, made["id"], title="Morning")
    alarms = (await supervisor.call("GET", "/alarms"))["items"]
    (late,) = [alarm["text"] for alarm in alarms if alarm["code"] == "schedule_late"]
    assert late.startswith("Ingest begins Morning ")
    assert late.endswith(" s late")
    await until(supervisor, made["id"], title="Noon")
    done = await until(supervisor, made["id"], phase="off")
    assert (done["desired"], done["wanted_by"]) == ("off", "schedule")
    files = await recordings(supervisor, made["id"], ended=2)
    assert [file["title"] for file in files] == ["Morning", "Noon"]
    numbers = [held(Path(file["path"])).numbers for file in files]
    assert numbers[1][0] == numbers[0][-1] + 1


async def test_a_clash_is_shown_when_it_is_planned(supervisor: Running) -> None:
    made, other = await make(supervisor), await make(supervisor, "Other")
    at = datetime.now(UTC) + timedelta(days=2)
    one = await schedule(supervisor, made["id"], "One", at, 600)
    assert one["clashes"] == []
    two = await schedule(supervisor, made["id"], "Two", at + timedelta(seconds=300), 600)
    assert [(clash["title"], clash["what"]) for clash in two["clashes"]] == [("One", "the recorder Ingest")]
    three = await schedule(supervisor, other["id"], "Three", at, 600)
    assert three["clashes"] == []
    shown = (await supervisor.call("GET", "/schedules"))["items"]
    assert [len(one["clashes"]) for one in shown] == [1, 1, 0]


async def test_a_port_is_kept_ahead_and_its_clash_is_listed(supervisor: Running) -> None:
    node = (await supervisor.call("GET", "/nodes"))["items"][0]["id"]
    port = {"kind": "decklink", "device_index": 3}
    made = await make(supervisor, input=port, node_id=node)
    other = await make(supervisor, "Other", input=port, node_id=node)

    async def told() -> bool:
        notice: str = (await supervisor.call("GET", f"/recorders/{made['id']}"))["notice"]
        return notice.startswith("It will record nothing: no Blackmagic card is in that machine")

    await eventually(told, "what is missing", DEADLINE_S)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    await schedule(supervisor, made["id"], "One", at, 600)
    two = await schedule(supervisor, other["id"], "Two", at + timedelta(seconds=300), 600)
    (clash,) = two["clashes"]
    assert (clash["owner"], clash["title"], clash["what"]) == ("recorder Ingest", "One", "DeckLink port 3")
    assert clash["goes_first"] is False
    upcoming = (await supervisor.call("GET", "/schedules/upcoming"))["items"]
    assert [(it["title"], it["reserved"], len(it["clashes"])) for it in upcoming] == [
        ("One", True, 1), ("Two", False, 1),
    ]  # fmt: skip
    now = await schedule(supervisor, made["id"], "Now", datetime.now(UTC) - timedelta(seconds=60), 3600)
    problem = await supervisor.call("POST", f"/recorders/{other['id']}/start", expect=409)
    assert (problem["code"], problem["extra"]["owner_name"]) == ("port_taken", "Ingest")
    # As the other owns nothing, it may have the port as soon as nobody plans with it.
    await supervisor.call("DELETE", f"/schedules/{now['id']}", rev=now["rev"])
    upcoming = (await supervisor.call("GET", "/schedules/upcoming"))["items"]
    assert [it["title"] for it in upcoming] == ["One", "Two"]


async def test_what_cannot_be_recorded_is_refused(supervisor: Running) -> None:
    for wrong in (
        {"input": {"kind": "srt", "url": "udp://239.1.1.1:5000"}},
        {"input": {"kind": "decklink", "device_index": 1}},
        {"input": {"kind": "test"}, "template": "../{title}"},
        {"input": {"kind": "test"}, "template": "{secret}"},
        {"input": {"kind": "test"}, "time_zone": "Mars/Olympus"},
    ):
        answer = await supervisor.unix.post("/api/v1/recorders", json={"name": "Ingest", **wrong})
        assert answer.status_code == 422, wrong


async def schedule(supervisor: Running, recorder_id: str, title: str, at: datetime, seconds: int) -> dict[str, Any]:
    spec = {
        "recorder_id": recorder_id, "title": title, "date": f"{at:%Y-%m-%d}", "at": f"{at:%H:%M:%S}",
        "duration_s": seconds,
    }  # fmt: skip
    made: dict[str, Any] = await supervisor.call("POST", "/schedules", json=spec, expect=201)
    return made


def _pid_of(supervisor: Running, recorder_id: str) -> int:
    (door,) = (supervisor.settings.home).rglob(f"{recorder_id}/1/door.json")
    return int(json.loads(door.read_text())["pid"])
