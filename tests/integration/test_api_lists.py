"""Lists of traffic systems come in through the API: clips by house id, times in the channel's day, ids kept."""

import json
from pathlib import Path
from typing import Any

from tests.fixtures.running import Running
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
    )  # fmt: skip
    values = {"name": "Day", "source": "json", "content": content, "channel_id": channel["id"]}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    assert result["missing"] == ["N9"]
    assert [line.partition(":")[0] for line in result["refused"]] == ["event 5"]
    assert any("does not exist on 2026-03-29" in line for line in result["warnings"])
    assert any("ends 1450 frames before" in line for line in result["warnings"])
    news, waits, held, slate = await items(supervisor, result["playlist"]["id"])
    assert (news["asset_id"], news["in_frames"], news["out_frames"]) == (assets["N1"], 10, 35)
    assert (news["title"], news["traffic_id"], news["planned_start"]) == ("News", "T1", "2026-03-28T19:00:00Z")
    assert (waits["asset_id"], waits["house_id"], waits["title"]) == (None, "N9", "N9")
    assert waits["planned_start"] == "2026-03-29T01:00:00Z"
    assert (held["start_mode"], held["in_frames"], held["out_frames"]) == ("hold", 0, None)
    assert (slate["kind"], slate["slate_frames"]) == ("slate", 100)

    preview = await supervisor.call(
        "GET", f"/playlists/{result['playlist']['id']}/preview", params={"channel_id": channel["id"]}
    )
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
