"""Assets and playlists from real files: what is taken, what it is found to be, and what is refused by name."""

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from supervisor.assets.probing import Prober
from tests.fixtures.running import Running
from tests.fixtures.small_clips import make_small_clip, make_small_sound


async def test_an_asset_is_what_its_file_is(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "News at 1.mp4", frames=50, rate=Fraction(30000, 1001))
    made = await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": "N1"}, expect=201)
    assert (made["title"], made["house_id"], made["path"]) == ("News at 1", "N1", str(clip))
    assert (made["rate"], made["duration_frames"], made["asset_duration_ms"]) == ("30000/1001", 50, 1668)
    assert (made["width"], made["height"], made["video_codec"], made["audio_codec"]) == (64, 64, "mpeg4", None)
    assert made["size_bytes"] == clip.stat().st_size
    assert (made["scan"], made["aspect"], made["variable_rate"], made["captions"]) == ("progressive", "1", False, False)
    assert (made["audio_tracks"], made["silent"], made["start_timecode"]) == ([], None, None)


async def test_the_same_file_again_is_the_same_asset(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "a.mp4")
    first = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    again = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    assert again == first
    make_small_clip(clip, shade=30)
    other = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    assert other["id"] != first["id"]
    assert other["fingerprint"] != first["fingerprint"]


async def test_a_file_that_was_moved_is_the_same_asset_and_a_copy_is_another(
    supervisor: Running, tmp_path: Path
) -> None:
    clip = make_small_clip(tmp_path / "a.mp4")
    first = await supervisor.call("POST", "/assets", json={"path": str(clip), "house_id": "N1"})
    copied = tmp_path / "copy.mp4"
    copied.write_bytes(clip.read_bytes())
    copy = await supervisor.call("POST", "/assets", json={"path": str(copied)})
    assert copy["id"] != first["id"]
    moved = clip.rename(tmp_path / "b.mp4")
    again = await supervisor.call("POST", "/assets", json={"path": str(moved)})
    assert (again["id"], again["path"], again["house_id"]) == (first["id"], str(moved), "N1")
    assert len((await supervisor.call("GET", "/assets"))["items"]) == 2
    for words, found in (("n1", 1), ("N1 B.mp4", 1), ("mp4", 2), ("N1 copy", 0), ("%", 0), ("", 2)):
        page = await supervisor.call("GET", "/assets", params={"search": words})
        assert len(page["items"]) == found, words


async def test_items_of_a_clip_that_is_delivered_anew_air_what_is_there_now(
    supervisor: Running, tmp_path: Path
) -> None:
    clip = make_small_clip(tmp_path / "a.mp4")
    first = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    path = f"/playlists/{playlist['id']}/items"
    values = {"revision": playlist["revision"], "items": [{"asset_id": first["id"], "in_frames": 3}]}
    before = await supervisor.call("POST", path, json=values)
    make_small_clip(clip, frames=40, shade=30)
    newer = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    (item,) = (await supervisor.call("GET", path))["items"]
    assert (item["asset_id"], item["in_frames"], item["asset_duration_ms"]) == (newer["id"], 3, 1600)
    now = await supervisor.call("GET", f"/playlists/{playlist['id']}")
    assert now["revision"] == before["revision"] + 1


async def test_a_file_that_cannot_be_used_is_refused_with_the_reason(supervisor: Running, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    whole = make_small_clip(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "torn.mp4").write_bytes(whole[:200])
    cases = {
        "relative.mp4": "absolute",
        str(tmp_path / "missing.mp4"): "No such file",
        str(tmp_path): "directory",
        str(tmp_path / "pipe.mp4"): "regular file",
        str(tmp_path / "text.mp4"): "text.mp4",
        str(tmp_path / "empty.mp4"): "empty.mp4",
        str(tmp_path / "torn.mp4"): "torn.mp4",
        "/proc/self/mem": "cannot be read",
        "/a\u0000b": "",
    }
    for path, reason in cases.items():
        problem = await supervisor.call("POST", "/assets", json={"path": path}, expect=422)
        assert reason in problem["detail"], path
    assert (await supervisor.call("GET", "/assets"))["items"] == []


async def test_an_asset_in_a_playlist_is_not_deleted(supervisor: Running, tmp_path: Path) -> None:
    clip = make_small_clip(tmp_path / "a.mp4")
    asset = await supervisor.call("POST", "/assets", json={"path": str(clip)})
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    insert = {"revision": playlist["revision"], "items": [{"asset_id": asset["id"]}]}
    await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=insert)
    problem = await supervisor.call("DELETE", f"/assets/{asset['id']}", rev=asset["rev"], expect=409)
    assert (problem["code"], "Day" in problem["detail"]) == ("in_use", True)
    changed = await supervisor.call("PATCH", f"/assets/{asset['id']}", rev=asset["rev"], json={"house_id": "H"})
    (item,) = (await supervisor.call("GET", f"/playlists/{playlist['id']}/items"))["items"]
    assert (item["title"], item["house_id"], item["asset_duration_ms"]) == ("a", changed["house_id"], 1000)


async def test_a_trim_stays_within_its_asset(supervisor: Running, tmp_path: Path) -> None:
    film = await supervisor.call("POST", "/assets", json={"path": str(make_small_clip(tmp_path / "a.mp4"))})
    sound = await supervisor.call("POST", "/assets", json={"path": str(make_small_sound(tmp_path / "b.wav"))})
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    path = f"/playlists/{playlist['id']}/items"

    async def insert(expect: int, **item: object) -> None:
        revision = (await supervisor.call("GET", f"/playlists/{playlist['id']}"))["revision"]
        await supervisor.call("POST", path, json={"revision": revision, "items": [item]}, expect=expect)

    await insert(201, asset_id=film["id"], in_frames=5, out_frames=25)
    await insert(201, asset_id=sound["id"])
    await insert(422, asset_id=film["id"], in_frames=25)
    await insert(422, asset_id=film["id"], out_frames=26)
    await insert(422, asset_id=film["id"], in_frames=10, out_frames=10)
    await insert(422, asset_id=sound["id"], in_frames=1)
    assert len((await supervisor.call("GET", path))["items"]) == 2


async def test_a_folder_becomes_a_playlist_and_nothing_is_silently_left_out(
    supervisor: Running, tmp_path: Path
) -> None:
    for name in ("Clip 10.mp4", "clip 2.MP4", "Clip 1.mp4"):
        make_small_clip(tmp_path / name)
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 5000)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.mp4").write_text("x")
    (tmp_path / "sub").mkdir()
    make_small_clip(tmp_path / "sub" / "deep.mp4")
    (tmp_path / os.fsdecode(b"bad\xff.mp4")).write_text("x")
    values = {"name": "Loop", "source": "folder", "path": str(tmp_path)}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    items = (await supervisor.call("GET", f"/playlists/{result['playlist']['id']}/items"))["items"]
    assert [item["title"] for item in items] == ["Clip 1", "clip 2", "Clip 10"]
    assert (result["assets_new"], result["playlist"]["items"]) == (3, 3)
    refused = "\n".join(result["refused"])
    for name in ("broken.mp4", "notes.txt", ".hidden.mp4", "sub", "bad\\xff.mp4"):
        assert name in refused
    assert len(result["refused"]) == 5
    again = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    assert again["assets_new"] == 0


async def test_an_m3u_becomes_a_playlist(supervisor: Running, tmp_path: Path) -> None:
    make_small_clip(tmp_path / "a.mp4")
    (tmp_path / "sub").mkdir()
    make_small_clip(tmp_path / "sub" / "b.mp4")
    (tmp_path / "list.m3u8").write_text(
        "\ufeff#EXTM3U\n#EXTINF:1,The first, really\na.mp4\n\n"
        f"sub/b.mp4\r\nhttp://example.org/c.mp4\n#EXTINF:1,Gone\nmissing.mp4\nfile://{tmp_path}/a.mp4\n",
        encoding="utf-8",
    )
    values = {"name": "M3U", "source": "m3u", "path": str(tmp_path / "list.m3u8")}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    items = (await supervisor.call("GET", f"/playlists/{result['playlist']['id']}/items"))["items"]
    assert [item["title"] for item in items] == ["The first, really", "b", "The first, really"]
    assert result["assets_new"] == 2
    assert len(result["refused"]) == 2
    assert "URL" in "\n".join(result["refused"])
    assert "missing.mp4" in "\n".join(result["refused"])


async def test_an_ffplayout_list_becomes_a_playlist_to_the_nearest_frame(supervisor: Running, tmp_path: Path) -> None:
    make_small_clip(tmp_path / "a.mp4", frames=50)
    program = [
        {"in": 0, "out": 2.0, "duration": 2.0, "source": str(tmp_path / "a.mp4")},
        {"in": 0.41, "out": 1.219, "duration": 2.0, "source": "a.mp4", "title": "Trimmed", "custom_filter": "x"},
        {"in": 5, "out": 6, "duration": 6, "source": "a.mp4"},
        {"in": "0", "out": 1, "duration": 2, "source": "a.mp4"},
        {"in": 0, "out": 1, "duration": 1, "source": "https://example.org/a.mp4"},
        {"in": 0, "out": 10, "duration": 10, "source": "still.jpg"},
    ]
    (tmp_path / "day.json").write_text(json.dumps({"channel": "One", "date": "2026-03-01", "program": program}))
    values = {"name": "Day", "source": "ffplayout", "path": str(tmp_path / "day.json")}
    result = await supervisor.call("POST", "/playlists/import", json=values, expect=201)
    items = (await supervisor.call("GET", f"/playlists/{result['playlist']['id']}/items"))["items"]
    assert [(item["title"], item["in_frames"], item["out_frames"]) for item in items] == [
        ("a", 0, None),
        ("Trimmed", 10, 30),
    ]
    refused = result["refused"]
    assert [line.partition(":")[0] for line in refused] == [
        "program 4",
        "program 5",
        "program 6",
        "program 3",
    ]
    assert [line.partition(":")[0] for line in result["warnings"]] == ["program 2"]


async def test_a_list_with_nothing_to_play_makes_no_playlist(supervisor: Running, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "hls.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n")
    (tmp_path / "bad.json").write_text('{"program": 7}')
    for source, path in (
        ("folder", tmp_path),
        ("m3u", tmp_path / "hls.m3u8"),
        ("ffplayout", tmp_path / "bad.json"),
        ("ffplayout", tmp_path / "a.txt"),
        ("folder", tmp_path / "nowhere"),
        ("m3u", tmp_path),
        ("m3u", "/dev/zero"),
        ("folder", "relative"),
    ):
        values = {"name": "x", "source": source, "path": str(path)}
        problem = await supervisor.call("POST", "/playlists/import", json=values, expect=422)
        assert problem["code"] == "invalid"
    assert (await supervisor.call("GET", "/playlists"))["items"] == []


async def test_a_file_that_hangs_its_probe_costs_one_file(tmp_path: Path) -> None:
    """A read that never returns, as of a dead file server, takes no other file of its batch with it."""
    os.mkfifo(tmp_path / "dead.mp4")
    paths = [tmp_path / "dead.mp4", make_small_clip(tmp_path / "good.mp4")]
    first, second = await Prober(file_s=4.0).probe(paths)
    assert (first.verdict, second.verdict) == ("refused", "usable")
    assert "4 s" in first.refusal
    assert first.passes, "a server that is away may come back"


async def test_a_file_that_crashes_its_probe_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the probe, because no file is known that crashes the real one."""
    crashing = tmp_path / "sidecar"
    crashing.mkdir()
    (crashing / "__init__.py").touch()
    (crashing / "__main__.py").write_text(
        "import os, sys, json, signal\n"
        "for path in sys.argv[2:]:\n"
        "    if 'evil' in path: os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    print(json.dumps({'path': path, 'verdict': 'usable'}), flush=True)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ("a.mp4", "evil.mp4", "b.mp4")
    answers = await Prober().probe([tmp_path / name for name in names])
    assert [answer.verdict for answer in answers] == ["usable", "refused", "usable"]
    assert "-11" in answers[1].refusal
    assert not answers[1].passes
