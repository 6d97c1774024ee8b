"""A channel on air says in time what it will lack, and no more once it has come."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.running import Running, eventually
from tests.fixtures.small_clips import make_small_clip

pytestmark = pytest.mark.realtime
DEADLINE_S = 90.0
LIST = "house id,title\nN1,News\nN9,Late film\nN1,Again\n"


async def test_a_clip_that_is_missing_soon_is_an_alarm_until_it_comes(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "N1.mp4", frames=5000)
    await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": "N1"})
    values = {"name": "Day", "source": "csv", "content": LIST}
    playlist = (await supervisor.call("POST", "/playlists/import", json=values, expect=201))["playlist"]
    spec = {"name": "One", "playlist_id": playlist["id"], "format": {"width": 64, "height": 64, "rate": "25"}}
    channel = await supervisor.call("POST", "/channels", json=spec)
    await supervisor.call("POST", f"/channels/{channel['id']}/start")

    async def alarms() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await supervisor.call("GET", "/alarms"))["items"]
        return [alarm for alarm in found if alarm["code"] == "ahead_not_ready"]

    (alarm,) = await eventually(alarms, "nobody says what is missing", DEADLINE_S)
    assert 'One: "Late film", needed by ' in alarm["text"]
    assert alarm["severity"] == "critical", "it is needed within five minutes"
    report = await supervisor.call("GET", f"/channels/{channel['id']}/ahead")
    (missing,) = [item for item in report["items"] if item["severity"] == "critical"]
    assert (missing["house_id"], missing["position"]) == ("N9", 1)
    on_air = await supervisor.call("GET", f"/channels/{channel['id']}/rundown")
    starts = {row["title"]: row["start_at"] for row in on_air["rows"]}
    needed, begun = (datetime.fromisoformat(text) for text in (missing["needed_by"], starts["News"]))
    assert abs((needed - begun).total_seconds() - 200) < 0.1

    async def coming() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await supervisor.call("GET", "/coming"))["items"]
        return [one for one in found if (one["kind"], one["severity"]) == ("media", "critical")]

    (told,) = await eventually(coming, "the list over all channels does not have it", DEADLINE_S)
    assert (told["channel_id"], told["severity"], told["at"]) == (channel["id"], "critical", missing["needed_by"])

    media = tmp_path / "media"
    media.mkdir()
    await supervisor.call("POST", "/watched-folders", json={"kind": "media", "path": str(media)}, expect=201)
    make_small_clip(media / "N9.mp4", frames=1000)

    async def over() -> bool:
        return await alarms() == []

    await eventually(over, "the alarm stays though the clip is there", DEADLINE_S)


async def test_the_coming_hours_of_a_loop_tell_a_fixed_start_that_was_as_its_rundown_does(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    spec = {"name": "One", "playlist_id": playlist["id"], "after_last": "loop",
            "format": {"width": 64, "height": 64, "rate": "25"}}  # fmt: skip
    channel = await supervisor.call("POST", "/channels", json=spec)
    path = f"/channels/{channel['id']}"
    slates = [{"kind": "slate", "slate_frames": 5000, "title": title} for title in "AB"]
    items = {"revision": playlist["revision"], "items": slates}
    edit = await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=items)
    await supervisor.call("POST", f"{path}/start")

    async def on_air() -> str | None:
        live = (await supervisor.call("GET", path))["live"]
        return live["item"]["title"] if live["observed"] == "on_air" and live["item"] else None

    await eventually(on_air, "on air", DEADLINE_S)
    at = datetime.now(UTC) + timedelta(seconds=4)
    cup = {"kind": "live", "title": "Cup", "url": "udp://127.0.0.1:9", "slate_frames": 25, "start_mode": "fixed",
           "fixed_at": at.isoformat()}  # fmt: skip
    more = {"revision": edit["revision"], "items": [cup]}
    await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=more)

    async def aired() -> bool:
        log = (await supervisor.call("GET", "/asrun", params={"channel_id": channel["id"]}))["items"]
        return any(event["title"] == "Cup" for event in log) and await on_air() == "A"

    await eventually(aired, "the fixed start came, and the list went round", DEADLINE_S)

    async def told() -> bool:
        """What was looked at before the fixed start came is kept for some seconds."""
        found = (await supervisor.call("GET", "/coming"))["items"]
        rows = (await supervisor.call("GET", f"{path}/rundown"))["rows"]
        due = next(row["start_at"] for row in rows if row["title"] == "Cup")
        soon = [one["at"] for one in found if one["kind"] == "live"]
        apart = [abs(datetime.fromisoformat(one) - datetime.fromisoformat(due)) for one in soon]
        return len(apart) == 1 and apart[0] < timedelta(seconds=1)

    await eventually(told, "the coming hours tell another start than the rundown", DEADLINE_S)


async def test_filler_and_the_standby_clip_are_looked_at_though_nothing_is_listed(
    supervisor: Running, tmp_path: Path
) -> None:
    paths = {
        name: make_small_clip(tmp_path / f"{name}.mp4", frames=frames) for name, frames in (("F1", 50), ("S1", 60))
    }
    assets = {
        name: await supervisor.call("POST", "/assets", json={"path": str(path), "house_id": name})
        for name, path in paths.items()
    }
    values = {"name": "Filler", "source": "csv", "content": "house id,title\nF1,Ident\nF2,Not there\n"}
    filler = (await supervisor.call("POST", "/playlists/import", json=values, expect=201))["playlist"]
    spec = {
        "name": "One", "filler_playlist_id": filler["id"], "standby_asset_id": assets["S1"]["id"],
        "format": {"width": 64, "height": 64, "rate": "25"},
    }  # fmt: skip
    channel = await supervisor.call("POST", "/channels", json=spec)
    paths["S1"].unlink()

    report = await supervisor.call("GET", f"/channels/{channel['id']}/ahead")
    assert report["checked"] == 3
    bad = {item["role"]: item for item in report["items"] if item["severity"] == "critical"}
    assert {role: item["title"] for role, item in bad.items()} == {"filler": "Not there", "standby": "S1"}
    assert all(item["needed_by"] == report["at"] for item in bad.values())
    assert bad["standby"]["item_id"] == assets["S1"]["id"]
    assert "there is no file at" in bad["standby"]["findings"][0]["text"]

    await supervisor.call("POST", f"/channels/{channel['id']}/start")

    async def alarms() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await supervisor.call("GET", "/alarms"))["items"]
        return [alarm for alarm in found if alarm["code"] == "spare_not_ready"]

    (alarm,) = await eventually(alarms, "nobody says that the STANDBY clip is missing", DEADLINE_S)
    assert alarm["severity"] == "critical"
    assert 'One: the STANDBY clip "S1", needed by now: there is no file at' in alarm["text"]
