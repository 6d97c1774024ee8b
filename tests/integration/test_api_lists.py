"""Lists of traffic systems come in through the API: clips by house id, times in the channel's day, ids kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.running import Running, eventually
from tests.fixtures.small_clips import make_small_clip


def schedule(*events: object, **head: object) -> str:
    return json.dumps({"format": "mcr-schedule", "version": 1, "events": events, "date": "2026-03-28", **head})


async def make_assets(supervisor: Running, folder: Path, *house_ids: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for house_id in house_ids:
        clip = make_small_clip(folder / f"{house_id}.mp4", frames=50)
        asset = await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": house_id})
        made[house_id] = asset["id"]
    return made


async def items(supervisor: Running, playlist_id: str) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = (await supervisor.call("GET", f"/playlists/{playlist_id}/items"))["items"]
    return page


async def test_a_list_by_house_ids_becomes_a_playlist(supervisor: Running, tmp_path: Path) -> None:
    assets = await make_assets(supervisor, tmp_path, "N1", "N2")
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "time_zone": "Europe/Berlin"})
    content = schedule(
        {"traffic_id": "T1", "house_id": "N1", "title": "News", "start": "20:00:00", "in": "00:00:00:10",
         "duration": {"frames": 25}},
        {"traffic_id": "T2", "house_id": "N9", "start": "26:30:00", "duration": "00:00:30:00"},
        {"house_id": "N2", "start": "27:00:00", "start_mode": "hold", "duration": 60},
        {"kind": "slate", "title": "Back soon", "duration": 4},
        {"kind": "comment", "title": "Break"},
        {"kind": "live", "source": "srt://studio:9000", "start": "28:00:00", "start_mode": "fixed", "duration": 60},
        {"kind": "live", "source": "CAM 3", "expendable": True, "category": "Studio"},
        {"kind": "slate", "title": "How long?"},
        {"kind": "live", "source": "file:///etc/passwd"},
        {"kind": "live", "source": "srt://studio:9001?passphrase=not-to-be-told", "duration": 60},
    )  # fmt: skip
    values = {"name": "Day", "source": "json", "content": content, "channel_id": channel["id"]}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    assert result["missing"] == ["N9"]
    assert [line.partition(":")[0] for line in result["refused"]] == ["event 8", "event 9"]
    assert any("does not exist on 2026-03-29" in line for line in result["warnings"])
    assert any("ends 1450 frames before" in line for line in result["warnings"])
    assert any("'CAM 3' is no address" in line for line in result["warnings"])
    news, waits, held, slate, comment, fixed, camera, secret = await items(supervisor, result["playlist"]["id"])
    assert (news["asset_id"], news["in_frames"], news["out_frames"]) == (assets["N1"], 10, 35)
    assert (news["title"], news["traffic_id"], news["planned_start"]) == ("News", "T1", "2026-03-28T19:00:00Z")
    assert (waits["asset_id"], waits["house_id"], waits["title"]) == (None, "N9", "N9")
    assert waits["planned_start"] == "2026-03-29T01:00:00Z"
    assert (held["start_mode"], held["in_frames"], held["out_frames"]) == ("hold", 0, None)
    assert (slate["kind"], slate["slate_frames"]) == ("slate", 100)
    assert (comment["kind"], comment["title"]) == ("comment", "Break")
    assert (fixed["kind"], fixed["url"], fixed["slate_frames"]) == ("live", "srt://studio:9000", 1500)
    assert (fixed["start_mode"], fixed["fixed_at"]) == ("fixed", "2026-03-29T02:00:00Z")
    assert (camera["url"], camera["end_mode"], camera["expendable"]) == (None, "take", True)
    assert camera["category"] == "Studio"

    assert (secret["title"], secret["url"]) == (
        "srt://studio:9001", "srt://studio:9001?passphrase=not-to-be-told"
    ), "the title goes to everybody and into the as-run"  # fmt: skip

    preview = await supervisor.call(
        "GET", f"/playlists/{result['playlist']['id']}/preview", params={"channel_id": channel["id"]}
    )
    assert "not-to-be-told" not in str(preview)
    row = preview["rows"][1]
    assert (row["state"], row["duration_frames"]) == ("missing", 750)
    assert "house id N9" in row["note"]


async def test_of_two_clips_of_one_house_id_the_newest_airs(supervisor: Running, tmp_path: Path) -> None:
    await make_assets(supervisor, tmp_path, "N1")
    (tmp_path / "new").mkdir()
    newer = await make_assets(supervisor, tmp_path / "new", "N1")
    values = {"name": "Day", "source": "csv", "content": "House ID,Title\nN1,News\n"}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    (item,) = await items(supervisor, result["playlist"]["id"])
    assert item["asset_id"] == newer["N1"]


async def test_a_list_is_a_path_or_its_content(supervisor: Running, tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("house id\nN1\n")
    both = {"name": "x", "source": "csv", "content": "house id\nN1\n", "path": str(tmp_path / "day.csv")}
    assert (await supervisor.call("POST", "/playlists/import", json=both, expect=422))["code"] == "invalid"
    none = {"name": "x", "source": "csv"}
    assert (await supervisor.call("POST", "/playlists/import", json=none, expect=422))["code"] == "invalid"
    by_path = {"name": "x", "source": "csv", "path": str(tmp_path / "day.csv")}
    assert (await supervisor.call("POST", "/playlists/import", json=by_path, expect=201))["missing"] == ["N1"]


async def test_a_revised_list_is_shown_then_applied_and_never_over_a_newer_edit(
    supervisor: Running, tmp_path: Path
) -> None:
    await make_assets(supervisor, tmp_path, "N1", "N2", "N3")
    await supervisor.call("POST", "/channels", json={"name": "One"})

    def day(*events: tuple[str, str, str]) -> str:
        return schedule(*({"traffic_id": t, "house_id": h, "start": s} for t, h, s in events), time_zone="UTC")

    first = day(("T1", "N1", "20:00:00"), ("T2", "N2", "21:00:00"), ("T3", "N3", "22:00:00"))
    made = await supervisor.call("POST", "/playlists/import", json={"name": "D", "source": "json", "content": first})
    playlist = made["playlist"]
    before = await items(supervisor, playlist["id"])
    path = f"/playlists/{playlist['id']}/revise"
    second = day(("T1", "N1", "20:00:00"), ("T4", "N3", "20:30:00"), ("T2", "N3", "21:00:00"))
    values = {"revision": playlist["revision"], "source": "json", "content": second}
    shown = await supervisor.call("POST", path, json=values, params={"dry_run": True})
    assert not shown["applied"]
    assert await items(supervisor, playlist["id"]) == before
    told = {change["traffic_id"]: change["verdict"] for change in shown["changes"]}
    assert told == {"T1": "kept", "T4": "inserted", "T2": "changed", "T3": "removed"}

    done = await supervisor.call("POST", path, json=values)
    assert (done["applied"], done["playlist"]["revision"]) == (True, playlist["revision"] + 1)
    assert [change["verdict"] for change in done["changes"]] == [change["verdict"] for change in shown["changes"]]
    after = await items(supervisor, playlist["id"])
    assert [(item["traffic_id"], item["house_id"]) for item in after] == [("T1", "N1"), ("T4", "N3"), ("T2", "N3")]
    assert (after[0]["id"], after[2]["id"]) == (before[0]["id"], before[1]["id"])
    stale = await supervisor.call("POST", path, json=values, expect=409)
    assert stale["code"] == "stale_revision"
    again = await supervisor.call("POST", path, json={**values, "revision": done["playlist"]["revision"]})
    assert (again["applied"], again["playlist"]["revision"]) == (False, done["playlist"]["revision"])

    following = schedule(
        {"traffic_id": "T5", "house_id": "N1", "start": "06:00:00"}, time_zone="UTC", date="2026-03-29"
    )
    values = {"revision": done["playlist"]["revision"], "source": "json", "content": following}
    joined = await supervisor.call("POST", path, json=values)
    assert [change["verdict"] for change in joined["changes"]] == ["kept", "kept", "kept", "inserted"]
    unusable = schedule({"kind": "slate", "title": "x"})
    nothing = {**values, "content": unusable, "revision": joined["playlist"]["revision"]}
    assert (await supervisor.call("POST", path, json=nothing, expect=422))["extra"]["refused"]


def bxf_event(name: str, start: str, *, action: str = "add", after: str = "", title: str = "") -> str:
    return (
        f'<ScheduledEvent><EventData eventType="Primary" action="{action}"><EventId><EventId>urn:uuid:{name}</EventId>'
        f"</EventId>{f'<InsertAfterEventId>urn:uuid:{after}</InsertAfterEventId>' if after else ''}"
        '<StartDateTime><SmpteDateTime broadcastDate="2026-03-28">'
        f"<SmpteTimeCode>{start}</SmpteTimeCode></SmpteDateTime></StartDateTime></EventData>"
        f"<Content><ContentId><HouseNumber>H{name}</HouseNumber></ContentId><Name>{title or name}</Name></Content>"
        "</ScheduledEvent>"
    )


def bxf(*events: str, ends: str = "") -> str:
    said = f' scheduleEnd="{ends}"' if ends else ""
    return (
        f'<BxfMessage><BxfData action="add"><Schedule type="Primary"{said}>{"".join(events)}</Schedule></BxfData>'
        "</BxfMessage>"
    )


async def test_bxf_changes_single_events_and_a_part_of_the_day(supervisor: Running) -> None:
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "time_zone": "UTC"})
    day = [bxf_event(name, f"{hour}:00:00:00") for name, hour in (("A", 20), ("B", 21), ("C", 22), ("D", 23))]
    as_bxf = {"source": "bxf", "channel_id": channel["id"]}
    first = {"name": "Day", "content": bxf(*day), **as_bxf}
    playlist = (await supervisor.call("POST", "/playlists/import", json=first, expect=201))["playlist"]

    async def revise(content: str) -> list[tuple[str, str]]:
        nonlocal playlist
        values = {"revision": playlist["revision"], "content": content, **as_bxf}
        done = await supervisor.call("POST", f"/playlists/{playlist['id']}/revise", json=values)
        playlist = done["playlist"]
        return [(one["verdict"], one["title"]) for one in done["changes"] if one["verdict"] != "kept"]

    async def titles() -> str:
        return "".join(item["title"] for item in await items(supervisor, playlist["id"]))

    single = bxf(
        bxf_event("B", "21:00:00:00", action="update", title="b"),
        bxf_event("C", "22:00:00:00", action="remove"),
        bxf_event("X", "23:30:00:00", after="A"),
    )
    refused = await supervisor.call("POST", "/playlists/import", json={**first, "content": single}, expect=422)
    assert "only changes single events" in refused["detail"]
    appended = {"revision": playlist["revision"], "content": single, "append": True, **as_bxf}
    told = await supervisor.call("POST", f"/playlists/{playlist['id']}/revise", json=appended, expect=422)
    assert "with --append a list only adds" in told["detail"]
    assert await revise(single) == [("inserted", "X"), ("changed", "b"), ("removed", "C")]
    assert await titles() == "AXbD"
    assert await revise(bxf(bxf_event("X", "", action="remove").replace("<SmpteTimeCode></SmpteTimeCode>", ""))) == [
        ("removed", "X")
    ]
    assert await revise(bxf(bxf_event("Y", "20:30:00:00"), ends="2026-03-28T22:30:00.00")) == [
        ("inserted", "Y"), ("removed", "b"),
    ]  # fmt: skip
    assert await titles() == "AYD", "after its end the day stays as it was"
    assert await revise(bxf(bxf_event("Z", "20:40:00:00"), ends="2026-03-28T20:10:00.00")) == [
        ("inserted", "Z"), ("removed", "D"),
    ]  # fmt: skip
    assert await titles() == "AYZ", "an end before its own last start is none"


@pytest.mark.realtime
async def test_a_list_revised_on_air_leaves_what_airs_and_its_ids_come_back(
    supervisor: Running, tmp_path: Path
) -> None:
    """The item on air stays though the list no longer has it; the journal names the traffic system's event."""
    await make_assets(supervisor, tmp_path, "N2")
    long = make_small_clip(tmp_path / "long.mp4", frames=1500)
    await supervisor.call("POST", "/assets", json={"path": str(long), "house_id": "N1"})
    table = "id,house id\nT1,N1\nT2,N2\nT3,N2\n"
    made = await supervisor.call("POST", "/playlists/import", json={"name": "D", "source": "csv", "content": table})
    playlist = made["playlist"]
    spec = {"name": "One", "format": {"width": 128, "height": 72, "rate": "25"}, "playlist_id": playlist["id"]}
    channel = await supervisor.call("POST", "/channels", json=spec)
    await supervisor.call("POST", f"/channels/{channel['id']}/start")

    async def on_air() -> bool:
        live = (await supervisor.call("GET", f"/channels/{channel['id']}"))["live"]
        return live["observed"] == "on_air" and live["item"] is not None and live["frame"] > 0

    await eventually(on_air, "on air", deadline_s=40.0)
    values = {"revision": playlist["revision"], "source": "csv", "content": "id,house id\nT9,N2\n", "lock_s": 10}
    done = await supervisor.call("POST", f"/playlists/{playlist['id']}/revise", json=values)
    assert [(change["traffic_id"], change["verdict"]) for change in done["changes"]] == [
        ("T1", "kept"), ("T9", "inserted"), ("T2", "removed"), ("T3", "removed"),
    ]  # fmt: skip
    assert done["changes"][0]["what"] == "on air on One"

    async def recorded() -> bool:
        events = (await supervisor.call("GET", "/asrun", params={"channel_id": channel["id"]}))["items"]
        if not events:
            return False
        query = {"channel_id": channel["id"], "run_id": events[0]["run_id"]}
        records = (await supervisor.call("GET", "/asrun/records", params=query))["items"]
        return any('"traffic_id":"T1"' in record["line"] for record in records if record["kind"] == "item_start")

    await eventually(recorded, "the traffic system's id in the as-run")


async def test_trims_are_in_the_files_own_timecode(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "N1.mov", frames=100, timecode="10:00:00:00")
    asset = await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": "N1"})
    assert asset["start_timecode"] == "10:00:00:00"
    content = schedule(
        {"house_id": "N1", "in": "10:00:01:00", "duration": "00:00:01:00"},
        {"house_id": "N1", "in": "00:00:02:00"},
    )
    values = {"name": "Day", "source": "json", "content": content}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    assert [line for line in result["warnings"] if "begins with 10:00:00:00" in line]
    playlist = result["playlist"]
    own, plain = await items(supervisor, playlist["id"])
    assert (own["in_frames"], own["out_frames"]) == (25, 50)
    assert (own["in_timecode"], own["out_timecode"]) == ("10:00:01:00", "10:00:02:00")
    assert (plain["in_frames"], plain["out_frames"]) == (50, None)

    path = f"/playlists/{playlist['id']}/items"
    given = {"asset_id": asset["id"], "in_timecode": "10:00:03:00", "out_timecode": "10:00:03:10"}
    insert = {"revision": playlist["revision"], "items": [given]}
    revision = (await supervisor.call("POST", path, json=insert))["revision"]
    last = (await items(supervisor, playlist["id"]))[2]
    assert (last["in_frames"], last["out_frames"]) == (75, 85)
    await supervisor.call("PATCH", f"{path}/{last['id']}", rev=revision, json={"in_timecode": "10:00:03:05"})
    assert (await items(supervisor, playlist["id"]))[2]["in_frames"] == 80
    twice = {**insert, "revision": revision + 1, "items": [{**given, "in_frames": 1}]}
    assert "two words" in (await supervisor.call("POST", path, json=twice, expect=422))["detail"]
    behind = {**insert, "revision": revision + 1, "items": [{**given, "out_timecode": "10:00:05:00"}]}
    await supervisor.call("POST", path, json=behind, expect=422)
