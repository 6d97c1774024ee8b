"""Lists and media that come in by themselves, through a whole supervisor."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.models import WatchedFolder
from supervisor.intake.lists import ListIntake, Outcome
from supervisor.intake.seen import FolderSeen
from supervisor.intake.waiting import WaitingItems
from tests.fixtures.running import Running, eventually
from tests.fixtures.small_clips import make_small_clip

DEADLINE_S = 60.0


def schedule(*events: object, **head: object) -> str:
    head = {"time_zone": "UTC", "date": "2030-03-28", **head}
    return json.dumps({"format": "mcr-schedule", "version": 1, "events": events, **head})


async def items(supervisor: Running, channel_id: str) -> list[dict[str, Any]]:
    playlist_id = (await supervisor.call("GET", f"/channels/{channel_id}"))["playlist_id"]
    if playlist_id is None:
        return []
    page: list[dict[str, Any]] = (await supervisor.call("GET", f"/playlists/{playlist_id}/items"))["items"]
    return page


def read_report(path: Path) -> dict[str, Any] | None:
    report = path.with_name(path.name + ".report.json")
    return json.loads(report.read_text()) if path.exists() and report.exists() else None


async def put_away(path: Path) -> dict[str, Any]:
    """The report of a list, once it is there."""

    async def look() -> dict[str, Any] | None:
        return read_report(path)

    return await eventually(look, f"{path} was not put away", DEADLINE_S)


async def open_alarms(supervisor: Running, count: int) -> list[tuple[str, str]]:
    """Code and channel of what is open, once it is so many."""

    async def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await supervisor.call("GET", "/alarms"))["items"]
        return [{}, *found] if len(found) == count else None

    _, *found = await eventually(look, f"there are not {count} alarms", DEADLINE_S)
    return [(alarm["code"], alarm["channel_id"]) for alarm in found]


async def watch(supervisor: Running, folder: Path, **values: object) -> dict[str, Any]:
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    made: dict[str, Any] = await supervisor.call(
        "POST", "/watched-folders", json={"path": str(folder), **values}, expect=201
    )
    return made


async def test_lists_come_in_by_themselves_and_the_next_day_joins(supervisor: Running, tmp_path: Path) -> None:
    channel = await supervisor.call("POST", "/channels", json={"name": "One"})
    folder = tmp_path / "lists"
    await watch(supervisor, folder, kind="lists", channel_id=channel["id"])
    outside = make_small_clip(tmp_path / "outside.mp4")

    first = schedule(
        {"traffic_id": "T1", "house_id": "N1", "start": "20:00:00"},
        {"traffic_id": "T2", "path": str(outside), "start": "21:00:00"},
        {"traffic_id": "T3", "house_id": "N2", "start": "22:00:00"},
    )
    with open(folder / "day1.json", "w") as writer:  # noqa: ASYNC230, PTH123 - what another program does
        writer.write(first)
        writer.flush()

        async def arriving() -> bool:
            (seen,) = (await supervisor.call("GET", "/watched-folders"))["items"]
            return [(file["name"], file["state"]) for file in seen["files"]] == [("day1.json", "arriving")]

        await eventually(arriving, "the list is not seen", DEADLINE_S)
    report = await put_away(folder / "done" / "day1.json")
    assert (report["result"], report["missing"]) == ("applied", ["N1", "N2"])
    assert len(report["refused"]) == 1
    assert "outside.mp4 lies in no media root" in report["refused"][0]
    assert [item["traffic_id"] for item in await items(supervisor, channel["id"])] == ["T1", "T3"]
    assert await open_alarms(supervisor, 1) == [("list_refused", channel["id"])]

    following = schedule({"traffic_id": "T4", "house_id": "N1", "start": "06:00:00"}, date="2030-03-29")
    (folder / "day2.part").write_text(following)
    (folder / "day2.part").rename(folder / "day2.json")
    report = await put_away(folder / "done" / "day2.json")
    assert report["counts"] == {"inserted": 1, "kept": 2}
    assert [item["traffic_id"] for item in await items(supervisor, channel["id"])] == ["T1", "T3", "T4"]

    assert await open_alarms(supervisor, 0) == []
    (folder / "nonsense.json").write_text("{")
    report = await put_away(folder / "refused" / "nonsense.json")
    assert report["result"] == "refused"
    assert await open_alarms(supervisor, 1) == [("list_refused", channel["id"])]

    async def kept() -> bool:
        texts = [event["text"] for event in (await supervisor.call("GET", "/history"))["items"]]
        return any("nonsense.json was refused" in text for text in texts)

    await eventually(kept, "the history does not tell of it", DEADLINE_S)


async def test_a_list_names_nothing_of_the_programs_home_but_its_media(supervisor: Running, tmp_path: Path) -> None:
    home = supervisor.settings.home
    channel = await supervisor.call("POST", "/channels", json={"name": "One"})
    await supervisor.call("POST", "/media-roots", json={"path": str(home.parent)}, expect=201)
    await watch(supervisor, tmp_path / "lists", kind="lists", channel_id=channel["id"])
    clips = [make_small_clip(home / folder / "clip.mp4") for folder in ("run", "media")]
    events = [
        {"traffic_id": f"T{index}", "path": str(clip), "start": f"2{index}:00:00"} for index, clip in enumerate(clips)
    ]
    (tmp_path / "lists" / "day.json").write_text(schedule(*events))
    report = await put_away(tmp_path / "lists" / "done" / "day.json")
    assert [str(clips[0]) in line for line in report["refused"]] == [True]
    assert [item["traffic_id"] for item in await items(supervisor, channel["id"])] == ["T1"]


async def test_a_clip_that_comes_is_an_asset_and_the_items_that_wait_have_it(
    supervisor: Running, tmp_path: Path
) -> None:
    events = [
        {"house_id": "N1", "in": "00:00:00:05", "duration": {"frames": 10}},
        {"house_id": "N1", "title": "Again", "in": "00:00:00:20"},
        {"house_id": "N2"},
    ]
    values = {"name": "Day", "source": "json", "content": schedule(*events)}
    playlist = (await supervisor.call("POST", "/playlists/import", json=values, expect=201))["playlist"]
    folder = tmp_path / "media"
    await watch(supervisor, folder, kind="media")
    whole = make_small_clip(tmp_path / "N1.mp4", frames=15).read_bytes()
    (folder / "sub").mkdir()
    clip = folder / "sub" / "N1.mp4"
    (folder / "broken.mp4").write_text("no film")
    with clip.open("wb") as writer:
        writer.write(whole[: len(whole) // 2])
        writer.flush()

        async def arriving() -> bool:
            (seen,) = (await supervisor.call("GET", "/watched-folders"))["items"]
            states = {file["name"]: file["state"] for file in seen["files"]}
            return states == {"broken.mp4": "refused", "sub/N1.mp4": "arriving"}

        await eventually(arriving, "the other is refused while this one is written", DEADLINE_S)
        assert (await supervisor.call("GET", "/assets"))["items"] == []
        writer.write(whole[len(whole) // 2 :])

    async def linked() -> list[dict[str, Any]] | None:
        page = (await supervisor.call("GET", f"/playlists/{playlist['id']}/items"))["items"]
        return page if page[0]["asset_id"] else None

    first, again, other = await eventually(linked, "nobody linked it", DEADLINE_S)
    (asset,) = (await supervisor.call("GET", "/assets"))["items"]
    assert (asset["house_id"], asset["path"]) == ("N1", str(clip))
    assert (first["asset_id"], first["in_frames"], first["out_frames"]) == (asset["id"], 5, None)
    assert first["title"] == asset["title"]
    assert again["asset_id"] is None, "its in point lies behind the end"
    assert other["asset_id"] is None

    async def revision() -> int:
        return (await supervisor.call("GET", f"/playlists/{playlist['id']}"))["revision"]

    before = await revision()
    (folder / "moved").mkdir()
    clip.rename(folder / "moved" / "N1.mp4")

    async def moved() -> bool:
        (same,) = (await supervisor.call("GET", "/assets"))["items"]
        return (same["id"], same["path"]) == (asset["id"], str(folder / "moved" / "N1.mp4"))

    async def announced() -> int | None:
        return now if (now := await revision()) != before else None

    await eventually(moved, "the moved file is not the same asset", DEADLINE_S)
    assert await eventually(announced, "the channels were not told where it is now", DEADLINE_S) == before + 1


async def test_what_will_be_missing_is_told_ahead(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "N1.mp4", frames=50)
    await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": "N1"})
    await supervisor.call("POST", "/assets", json={"path": str(make_small_clip(tmp_path / "N2.mp4")), "house_id": "N2"})
    events = [{"house_id": "N1", "duration": {"frames": 75}}, {"house_id": "N9"}, {"house_id": "N2"}]
    values = {"name": "Day", "source": "json", "content": schedule(*events)}
    playlist = (await supervisor.call("POST", "/playlists/import", json=values, expect=201))["playlist"]
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": playlist["id"]})
    (tmp_path / "N2.mp4").unlink()
    report = await supervisor.call("GET", f"/channels/{channel['id']}/ahead")
    assert report["checked"] == 3
    found = {item["house_id"]: {it["code"]: it["text"] for it in item["findings"]} for item in report["items"]}
    assert found["N1"].keys() == {"short", "aspect", "no_audio"}
    assert found["N1"]["short"] == "the clip ends 25 frames before its list wants it to"
    assert found["N9"] == {"missing": "there is no clip of house id N9"}
    assert found["N2"] == {"missing": f"there is no file at {tmp_path / 'N2.mp4'}"}
    assert [item["severity"] for item in report["items"]] == ["warning", "critical", "critical"]


async def test_what_cannot_be_watched_is_refused(supervisor: Running, tmp_path: Path) -> None:
    for values in (
        {"kind": "lists", "path": str(tmp_path)},
        {"kind": "media", "path": str(tmp_path / "gone")},
        {"kind": "media", "path": f"{tmp_path}/../x"},
        {"kind": "media", "path": str(tmp_path), "append": True},
    ):
        assert (await supervisor.call("POST", "/watched-folders", json=values, expect=422))["code"] == "invalid"
    made = await watch(supervisor, tmp_path, kind="media")
    again = {"kind": "media", "path": str(tmp_path)}
    await supervisor.call("POST", "/watched-folders", json=again, expect=409)
    await supervisor.call("DELETE", f"/watched-folders/{made['id']}", expect=204)
    assert (await supervisor.call("GET", "/watched-folders"))["items"] == []


async def test_what_cannot_be_put_away_is_told_until_it_can_and_is_not_joined_before(
    supervisor: Running, tmp_path: Path
) -> None:
    one = await supervisor.call("POST", "/channels", json={"name": "One"})
    two = await supervisor.call("POST", "/channels", json={"name": "Two"})
    plain, joined = tmp_path / "plain", tmp_path / "joined"
    await watch(supervisor, plain, kind="lists", channel_id=one["id"])
    await watch(supervisor, joined, kind="lists", channel_id=two["id"], append=True)
    for folder in (plain, joined):
        (folder / "done").symlink_to(tmp_path / "elsewhere")  # no link is followed
        (folder / "day.json").write_text(schedule({"house_id": "N1", "start": "20:00:00"}))
    faults = sorted((("watched_folder_fault", one["id"]), ("watched_folder_fault", two["id"])))
    assert sorted(await open_alarms(supervisor, 2)) == faults
    assert len(await items(supervisor, one["id"])) == 1
    assert await items(supervisor, two["id"]) == []

    looks: set[str] = set()

    async def looked() -> bool:
        for folder in (await supervisor.call("GET", "/watched-folders"))["items"]:
            looks.add(f"{folder['path']} {folder['looked_at']}")
            assert "day.json cannot be put into" in folder["fault"], "it is said once only"
        return len(looks) >= 6

    await eventually(looked, "the folders are not looked at any more", DEADLINE_S)
    assert sorted(await open_alarms(supervisor, 2)) == faults
    for folder in (plain, joined):
        (folder / "done").unlink()
        assert (await put_away(folder / "done" / "day.json"))["result"] == "applied"
    assert await open_alarms(supervisor, 0) == []
    assert [len(await items(supervisor, channel["id"])) for channel in (one, two)] == [1, 1]


async def test_the_fault_of_a_folder_is_its_own_and_goes_with_it(
    supervisor: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await supervisor.call("POST", "/channels", json={"name": "One"})
    sound, ill, gone = tmp_path / "sound", tmp_path / "ill", tmp_path / "gone"
    look = ListIntake.look

    async def broken(
        intake: ListIntake, folder: WatchedFolder, roots: tuple[Path, ...], told: Callable[[Outcome], None]
    ) -> FolderSeen:
        if folder.path == str(ill):
            raise RuntimeError("planted")
        return await look(intake, folder, roots, told)

    with monkeypatch.context() as planted:
        planted.setattr(ListIntake, "look", broken)
        made = [await watch(supervisor, path, kind="lists", channel_id=channel["id"]) for path in (ill, gone, sound)]
        gone.rmdir()
        assert await open_alarms(supervisor, 1) == [("watched_folder_fault", channel["id"])]
        (sound / "day.json").write_text(schedule({"house_id": "N1", "start": "20:00:00"}))
        assert (await put_away(sound / "done" / "day.json"))["result"] == "applied"
        for folder in made[:2]:
            assert await open_alarms(supervisor, 1) == [("watched_folder_fault", channel["id"])]
            await supervisor.call("DELETE", f"/watched-folders/{folder['id']}", expect=204)
        assert await open_alarms(supervisor, 0) == []


async def test_a_fault_of_ours_there_is_an_alarm_and_not_the_end(
    supervisor: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as planted:

        async def broken(_: WaitingItems) -> int:
            raise RuntimeError("planted")

        planted.setattr(WaitingItems, "link", broken)
        assert [code for code, _ in await open_alarms(supervisor, 1)] == ["supervisor_fault"]
    folder = tmp_path / "media"
    await watch(supervisor, folder, kind="media")
    make_small_clip(folder / "N1.mp4")

    async def taken() -> bool:
        return len((await supervisor.call("GET", "/assets"))["items"]) == 1

    await eventually(taken, "nothing comes in after the fault", DEADLINE_S)
