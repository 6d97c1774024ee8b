"""A channel plays real files, from its first call to its last, through the API alone: real sidecar, real time."""

import asyncio
import itertools
import os
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from db.errors import StoreUnavailable
from mcr_console.cli.background import ensure_supervisor
from mcr_console.cli.places import Home
from mcr_console.client import Client, Event
from supervisor.schemas.channel import CommandIn
from supervisor.schemas.event import Reset
from tests.fixtures.running import Json, Running, eventually, running_supervisor
from tests.fixtures.small_clips import make_small_clip
from tests.instruments.transport_stream import take_apart
from tests.instruments.udp_receiver import UdpReceiver

pytestmark = [pytest.mark.realtime, pytest.mark.short]
FORMAT = {"width": 128, "height": 72, "rate": "25"}


async def make_channel(supervisor: Running, folder: Path, **values: Json) -> dict[str, Any]:
    for number in range(1, 4):
        make_small_clip(folder / f"clip {number}.mp4", frames=500, shade=60 * number)
    imported = await supervisor.call(
        "POST", "/playlists/import", json={"name": "Day", "source": "folder", "path": str(folder)}
    )
    spec = {"name": "One", "format": FORMAT, "playlist_id": imported["playlist"]["id"], "after_last": "loop", **values}
    channel: dict[str, Any] = await supervisor.call("POST", "/channels", json=spec)
    return channel


async def on_air(supervisor: Running, channel_id: str, *, frames: int = 1) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        live: dict[str, Any] = (await supervisor.call("GET", f"/channels/{channel_id}"))["live"]
        return live if live["observed"] == "on_air" and live["item"] and live["frame"] >= frames else None

    return await eventually(look, "on air", deadline_s=30.0)


async def test_a_channel_plays_is_taken_seen_logged_and_taken_off_air(supervisor: Running, tmp_path: Path) -> None:
    """P8: a take is answered with the frame that showed it. P4: what aired is in the log."""
    channel = await make_channel(supervisor, tmp_path)
    path = f"/channels/{channel['id']}"
    refused = await supervisor.call("POST", f"{path}/take", expect=409)
    assert "code" in refused

    started = await supervisor.call("POST", f"{path}/start")
    assert started["desired"] == "on"
    live = await on_air(supervisor, channel["id"])
    shown = await supervisor.call("GET", f"{path}/rundown")
    assert sorted(row["state"] for row in shown["rows"]) == ["next", "on_air", "planned"]
    begin, following = (datetime.fromisoformat(row["start_at"]) for row in shown["rows"][:2])
    assert abs((following - begin).total_seconds() - 20.0) < 0.1

    command = {"command_id": "a-key-press", "expect_item_id": live["next"]["item_id"]}
    done = await supervisor.call("POST", f"{path}/take", json=command)
    assert (done["command_id"], done["item_id"]) == ("a-key-press", live["next"]["item_id"])
    assert done["frame"] > 0
    again = await supervisor.call("POST", f"{path}/take", json=command)
    assert (again["frame"], again["item_id"]) == (done["frame"], done["item_id"])
    presses = itertools.count()

    async def guarded() -> bool:
        """A busy machine may let the second pass that a take is guarded for; then that press was a take itself."""
        press = {"command_id": f"another-press-{next(presses)}"}
        answer = await supervisor.unix.post(f"/api/v1{path}/take", json=press)
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 409 and bool(answer.json()["code"] == "take_guard")

    await eventually(guarded, "a take right after another is refused")

    picture = await supervisor.unix.get(f"/api/v1{path}/thumbnail.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")

    async def segment() -> str | None:
        answer = await supervisor.unix.get(f"/live/{channel['id']}/index.m3u8")
        return answer.text if answer.status_code == 200 else None

    playlist = await eventually(segment, "a segment")
    (name, *_) = [line for line in playlist.splitlines() if line.endswith(".ts")]
    answer = await supervisor.unix.get(f"/live/{channel['id']}/{name}")
    assert answer.content[0] == 0x47
    assert len(answer.content) % 188 == 0

    async def logged() -> list[dict[str, Any]] | None:
        events = (await supervisor.call("GET", "/asrun", params={"channel_id": channel["id"], "order": "asc"}))["items"]
        return events if len(events) >= 2 and events[0]["status"] != "on air" else None

    first, second, *_ = await eventually(logged, "the log")
    assert (first["status"], first["end_cause"], first["frames"]) == ("cut", "take", done["frame"])
    assert (second["item_id"], second["start_frame"]) == (done["item_id"], done["frame"])
    records = await supervisor.call(
        "GET", "/asrun/records", params={"channel_id": channel["id"], "run_id": first["run_id"]}
    )
    assert [record["seq"] for record in records["items"]] == list(range(1, len(records["items"]) + 1))

    decisions = (await supervisor.call("GET", f"{path}/explain"))["decisions"]
    assert any("on air" in decision["sentence"] for decision in decisions)

    answer = await supervisor.call("POST", "/supervisor/shutdown", json={"off_air": True})
    assert answer == {"stopped": 1}
    assert await asyncio.wait_for(supervisor.task, 60) == 0
    assert not sidecars(supervisor.settings.home)


@pytest.mark.long
async def test_shutting_down_leaves_playout_alone_and_the_next_supervisor_takes_charge(
    short_home: Path, tmp_path: Path
) -> None:
    """P5: the sidecar is the same process before and after, and its frames go on; test_promises.py counts them."""
    async with running_supervisor(short_home) as first:
        channel = await make_channel(first, tmp_path)
        await first.call("POST", f"/channels/{channel['id']}/start")
        before = await on_air(first, channel["id"])
        await first.call("POST", "/supervisor/shutdown", json={"off_air": False})
        assert await asyncio.wait_for(first.task, 60) == 0
    playing = sidecars(short_home)
    assert len(playing) == 1
    async with running_supervisor(short_home) as second:
        after = await on_air(second, channel["id"], frames=before["frame"] + 1)
        assert (after["epoch"], sidecars(short_home)) == (before["epoch"], playing)
    assert not sidecars(short_home)


async def test_while_the_database_is_lost_a_console_opens_and_takes(
    supervisor: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: no second supervisor is started beside one that lives, and its console sees and takes."""
    channel = await make_channel(supervisor, tmp_path)
    await supervisor.call("POST", f"/channels/{channel['id']}/start")
    await on_air(supervisor, channel["id"])

    def away(*_: object, **__: object) -> object:
        raise StoreUnavailable("the disk is gone")

    def spawned(*_: object, **__: object) -> object:
        raise AssertionError("a second supervisor")

    monkeypatch.setattr("db.store.transaction", away)
    monkeypatch.setattr("mcr_console.cli.background.spawn", spawned)
    assert (await supervisor.unix.get("/readyz")).status_code == 503
    socket, started = await ensure_supervisor(Home(supervisor.settings.home, chosen=True))
    assert not started
    async with Client.at(socket=socket) as client, aclosing(client.events()) as messages:
        first = await asyncio.wait_for(anext(messages), 60)
        assert isinstance(first, Event)
        assert isinstance(first.payload, Reset)
        (seen,) = first.payload.channels
        assert (seen.id, seen.live.observed) == (channel["id"], "on_air")
        assert seen.live.next is not None
        done = await client.transport(seen.id, "take", CommandIn(expect_item_id=seen.live.next.item_id))
        assert done.item_id == seen.live.next.item_id
        assert await client.thumbnail(seen.id)
    monkeypatch.undo()


async def test_an_edit_of_the_playlist_reaches_what_plays(supervisor: Running, tmp_path: Path) -> None:
    channel = await make_channel(supervisor, tmp_path)
    path = f"/channels/{channel['id']}"
    await supervisor.call("POST", f"{path}/start")
    await on_air(supervisor, channel["id"])
    playlist = await supervisor.call("GET", f"/playlists/{channel['playlist_id']}")
    slate = {
        "revision": playlist["revision"],
        "at": 1,
        "items": [{"kind": "slate", "slate_frames": 50, "title": "Break"}],
    }
    edit = await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=slate)

    async def told() -> bool:
        live = (await supervisor.call("GET", path))["live"]
        return bool(live["playlist_revision"] == edit["revision"])

    await eventually(told, "the edit at the sidecar")
    current = await supervisor.call("GET", path)
    answer = await supervisor.unix.patch(
        f"/api/v1{path}",
        headers={"If-Match": f'"{current["rev"]}"'},
        json={"format": {**FORMAT, "rate": "50"}, "caspar": {"channel": 2}, "black_s": 9},
    )
    assert answer.status_code == 200
    assert answer.headers["mcr-effective-at-next-start"] == "caspar, format"
    problem = await supervisor.call("DELETE", path, rev=answer.json()["rev"], expect=409)
    assert problem["code"] in {"in_use", "stale_rev"}
    await supervisor.call("POST", f"{path}/stop")

    async def off() -> bool:
        return bool((await supervisor.call("GET", path))["live"]["phase"] == "off")

    await eventually(off, "off air")
    current = await supervisor.call("GET", path)
    await supervisor.call("DELETE", path, rev=current["rev"], expect=204)


async def test_held_at_the_end_of_its_loop_a_list_is_edited_and_airs_as_it_is_then(
    supervisor: Running, tmp_path: Path
) -> None:
    """All of it has aired, and all of it comes in the next round but what is held."""
    channel = await make_channel(supervisor, tmp_path)
    path = f"/channels/{channel['id']}"
    await supervisor.call("POST", f"{path}/start")
    await on_air(supervisor, channel["id"])

    async def rows() -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = (await supervisor.call("GET", f"{path}/rundown"))["rows"]
        return shown

    async def take(title: str) -> None:
        wanted = next(row["item_id"] for row in await rows() if row["title"] == title)

        async def taken() -> bool:
            """A take right after another is refused, and so is one of what is not decoded yet."""
            answer = await supervisor.unix.post(f"/api/v1{path}/take", json={"expect_item_id": wanted})
            return answer.status_code == 200 and bool(answer.json()["item_id"] == wanted)

        await eventually(taken, f"{title} taken")

    async def edited(**edit: Json) -> list[str]:
        revision = (await supervisor.call("GET", f"{path}/rundown"))["revision"]
        values = {"revision": revision, "edit": edit}
        would_be = await supervisor.call("POST", f"{path}/rundown/preview", json=values)
        done = await supervisor.call("POST", f"{path}/rundown/edit", json=values)
        titles = [row["title"] for row in done["rows"]]
        assert [row["title"] for row in would_be["rows"]] == titles
        return titles

    for title in ("clip 2", "clip 3"):
        await take(title)
    await supervisor.call("POST", f"{path}/hold", json={})

    async def held() -> bool:
        live = (await supervisor.call("GET", path))["live"]
        logged = (await supervisor.call("GET", "/asrun", params={"channel_id": channel["id"]}))["items"]
        return bool(live["hold"] and len([one for one in logged if one["item_id"]]) == 3)

    await eventually(held, "held, with all three in the log")
    one, two, three = await rows()
    assert [row["state"] for row in (one, two, three)] == ["next", "planned", "on_air"]
    slate = {"kind": "slate", "slate_frames": 500, "title": "Break"}
    assert await edited(do="insert", items=[slate]) == ["clip 1", "clip 2", "clip 3", "Break"]
    assert await edited(do="move", item_id=two["item_id"], to=0) == ["clip 2", "clip 1", "clip 3", "Break"]
    await edited(do="change", item_id=two["item_id"], changes={"out_frames": 250})
    assert await edited(do="remove", item_id=one["item_id"]) == ["clip 2", "clip 3", "Break"]
    values = {"revision": (await supervisor.call("GET", f"{path}/rundown"))["revision"],
              "edit": {"do": "remove", "item_id": three["item_id"]}}  # fmt: skip
    refused = await supervisor.call("POST", f"{path}/rundown/edit", json=values, expect=409)
    assert refused["detail"] == "'clip 3' is on air on One: it is not deleted"

    async def told() -> bool:
        return bool((await supervisor.call("GET", path))["live"]["playlist_revision"] == values["revision"])

    await eventually(told, "the edits at the sidecar")
    await take("Break")
    assert [(row["title"], row["state"], row["duration_frames"]) for row in await rows()] == [
        ("clip 2", "next", 250), ("clip 3", "planned", 500), ("Break", "on_air", 500),
    ]  # fmt: skip
    await supervisor.call("POST", f"{path}/standby", json={})
    values["edit"] = {"do": "remove", "item_id": (await rows())[2]["item_id"]}

    async def refusal() -> str | None:
        answer = await supervisor.unix.post(f"/api/v1{path}/rundown/preview", json=values)
        return answer.json()["detail"] if answer.status_code == 409 else None

    assert await eventually(refusal, "STANDBY, and the slate in the log") == (
        "'Break' is what aired last on One: it is not deleted"
    )


@pytest.mark.long
async def test_letting_the_leash_go_takes_everything_off_air(short_home: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    async with running_supervisor(short_home, leash_fd=reading) as running:
        channel = await make_channel(running, tmp_path)
        await running.call("POST", f"/channels/{channel['id']}/start")
        await on_air(running, channel["id"])
        os.close(writing)
        assert await asyncio.wait_for(running.task, 60) == 0
        assert not sidecars(short_home)
    os.close(reading)


def sidecars(home: Path) -> set[int]:
    """Processes that play for this home."""
    found: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # gone meanwhile
        if f"MCR_STATE_DIR={home}/".encode() in environment and state != "Z":
            found.add(int(process.name))
    return found


@pytest.mark.long
async def test_outputs_come_and_go_while_the_channel_is_on_air(supervisor: Running, tmp_path: Path) -> None:
    """The same sidecar goes on: what stays loses no datagram, and what it takes to be sure of it is written first."""
    with UdpReceiver() as steady, UdpReceiver() as second:
        stays = {"kind": "udp", "url": steady.url, "lease_stop": False}
        comes = {"kind": "udp", "url": second.url, "transport": {"service_id": 7, "mux_rate": 5_000_000}}
        channel = await make_channel(supervisor, tmp_path, outputs=[stays])
        path = f"/channels/{channel['id']}"
        await supervisor.call("POST", f"{path}/start")
        before = await on_air(supervisor, channel["id"], frames=25)

        async def patched(outputs: list[Json], states: list[str]) -> dict[str, Any]:
            seen = await supervisor.call("GET", path)
            answer = await supervisor.unix.patch(
                f"/api/v1{path}", json={"outputs": outputs}, headers={"If-Match": f'"{seen["rev"]}"'}
            )
            assert answer.status_code == 200, answer.text
            assert "mcr-effective-at-next-start" not in answer.headers

            async def look() -> dict[str, Any] | None:
                live: dict[str, Any] = (await supervisor.call("GET", path))["live"]
                shown = [one["state"] for one in live["outputs"] if one["role"] == "programme"]
                return live if shown == states else None

            return await eventually(look, f"outputs {states}", deadline_s=20.0)

        live = await patched([stays, comes], ["up", "up"])
        assert live["epoch"] == before["epoch"]
        at = live["frame"]
        await on_air(supervisor, channel["id"], frames=at + 50)
        live = await patched([stays], ["up"])
        assert live["epoch"] == before["epoch"]
        await on_air(supervisor, channel["id"], frames=live["frame"] + 25)
        await supervisor.call("POST", f"{path}/stop")

        async def off() -> bool:
            return bool((await supervisor.call("GET", path))["live"]["phase"] == "off")

        await eventually(off, "off", deadline_s=20.0)
    assert steady.reception.continuity_errors() == 0
    times = [pts for pts, _ in steady.reception.picture_arrivals()]
    assert {b - a for a, b in itertools.pairwise(times)} == {3600}, "every frame, each once"
    found = take_apart(second.reception.data())
    assert (found.faults, found.rate_faults(5_000_000)) == ([], [])
    assert found.services == {7: ("MCR Console", "One")}
