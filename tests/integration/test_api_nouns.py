"""Every noun of the API is made, read, changed and deleted over a real socket, and refuses what it must."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from db.store import Store
from supervisor.rundowns import rundown
from supervisor.schemas.channel import Rundown
from tests.doubles.caspar.server import FakeCaspar
from tests.fixtures.agents import until
from tests.fixtures.running import Json, Running

NOBODY = "0" * 32


async def test_a_project_lives_and_ends(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/projects", json={"name": "Sport"}, expect=201)
    assert await supervisor.call("GET", f"/projects/{made['id']}") == made
    renamed = await supervisor.call("PATCH", f"/projects/{made['id']}", rev=made["rev"], json={"name": "Sports"})
    assert (renamed["name"], renamed["rev"]) == ("Sports", made["rev"] + 1)
    listed = await supervisor.call("GET", "/projects")
    assert [project["name"] for project in listed["items"]] == ["Sports"]
    await supervisor.call("DELETE", f"/projects/{made['id']}", rev=renamed["rev"], expect=204)
    problem = await supervisor.call("GET", f"/projects/{made['id']}", expect=404)
    assert problem["code"] == "not_found"


async def test_a_change_names_the_rev_it_saw(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/projects", json={"name": "Sport"})
    path = f"/projects/{made['id']}"
    assert (await supervisor.call("PATCH", path, json={"name": "A"}, expect=428))["code"] == "rev_required"
    assert (await supervisor.call("PATCH", path, rev=9, json={"name": "A"}, expect=409))["code"] == "stale_rev"
    assert (await supervisor.call("DELETE", path, expect=428))["code"] == "rev_required"
    answer = await supervisor.unix.patch(f"/api/v1{path}", headers={"If-Match": "*"}, json={"name": "A"})
    assert answer.status_code == 422
    assert (await supervisor.call("GET", path))["name"] == "Sport"


async def test_names_are_taken_once(supervisor: Running) -> None:
    await supervisor.call("POST", "/projects", json={"name": "Sport"})
    problem = await supervisor.call("POST", "/projects", json={"name": "Sport"}, expect=409)
    assert problem["code"] == "taken"
    assert "Sport" in problem["detail"]


async def test_this_machine_is_a_node_from_the_start(supervisor: Running) -> None:
    (local,) = (await supervisor.call("GET", "/nodes"))["items"]
    assert (local["name"], local["kind"], local["url"]) == ("here", "local", None)
    problem = await supervisor.call("DELETE", f"/nodes/{local['id']}", rev=local["rev"], expect=409)
    assert problem["code"] == "local_node"


async def test_another_node_lives_and_ends(supervisor: Running) -> None:
    await supervisor.call("POST", "/nodes", json={"name": "far"}, expect=422)
    made = await supervisor.call("POST", "/nodes", json={"name": "far", "url": "https://far:7001"}, expect=201)
    changed = await supervisor.call("PATCH", f"/nodes/{made['id']}", rev=made["rev"], json={"draining": True})
    assert changed["draining"] is True
    await supervisor.call("DELETE", f"/nodes/{made['id']}", rev=changed["rev"], expect=204)


async def test_a_channel_needs_no_more_than_a_name(supervisor: Running) -> None:
    first = await supervisor.call("POST", "/channels", json={"name": "One"}, expect=201)
    second = await supervisor.call("POST", "/channels", json={"name": "Two"}, expect=201)
    assert (first["number"], second["number"]) == (1, 2)
    assert first["format"] == {"width": 1280, "height": 720, "rate": "25"}
    assert [output["kind"] for output in first["outputs"]] == ["hls"]
    assert (first["desired"], first["live"]["phase"]) == ("off", "off")


async def test_a_channel_is_changed_in_part(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One", "time_zone": "Europe/Berlin"})
    path = f"/channels/{made['id']}"
    outputs = [{"kind": "udp", "url": "udp://239.1.1.1:5000?ttl=4"}, {"kind": "hls"}]
    changed = await supervisor.call("PATCH", path, rev=made["rev"], json={"after_last": "loop", "outputs": outputs})
    assert (changed["after_last"], changed["time_zone"]) == ("loop", "Europe/Berlin")
    assert [(output["kind"], output["url"]) for output in changed["outputs"]] == [
        ("udp", "udp://239.1.1.1:5000?ttl=4"),
        ("hls", ""),
    ]
    again = await supervisor.call("GET", path)
    assert {**again, "live": None} == {**changed, "live": None}
    problem = await supervisor.call("PATCH", path, rev=changed["rev"], json={"name": None}, expect=422)
    assert "name" in problem["detail"]


IMPOSSIBLE_CHANNELS: list[tuple[dict[str, Any], str]] = [
    ({"time_zone": "Mars/Olympus"}, "time zone"),
    ({"time_zone": "../../etc/passwd"}, "time zone"),
    ({"format": {"width": 1280, "height": 720, "rate": "1000"}}, "frames a second"),
    ({"format": {"width": 1281, "height": 720, "rate": "25"}}, "width"),
    ({"outputs": [{"kind": "udp", "url": "udp://239.1.1.1"}]}, "port"),
    ({"outputs": [{"kind": "udp", "url": "http://239.1.1.1:80"}]}, "udp://host:port"),
    ({"outputs": [{"kind": "udp", "url": "udp://a:99999"}]}, "range"),
    ({"outputs": [{"kind": "udp", "url": "udp://u:p@a:5000"}]}, "more than"),
    ({"outputs": [{"kind": "udp", "url": "udp://a:5000?fifo_size=9"}]}, "fifo_size"),
    ({"outputs": [{"kind": "udp", "url": "udp://a:5000\r\nx"}]}, "controls"),
    ({"outputs": [{"kind": "hls", "url": "/etc"}]}, "no url"),
    ({"outputs": [{"kind": "hls"}, {"kind": "hls"}]}, "at most one"),
    ({"outputs": [{"kind": "udp", "url": "udp://a:1"}, {"kind": "udp", "url": "udp://a:1"}]}, "same url"),
    ({"playlist_id": NOBODY}, NOBODY),
    ({"nmae": "typing error"}, "nmae"),
    ({"engine": "caspar", "loudness_profile": "r128"}, "loudness"),
    ({"engine": "caspar", "caspar": {"mode": "1080i5000"}}, "1080i5000"),
    ({"engine": "caspar", "caspar": {"mode": "8k"}}, "mode"),
    ({"engine": "caspar", "caspar": {"program": "/bin/sh"}}, "program"),
    ({"engine": "caspar", "caspar": {"host": "studio", "program": "/opt/casparcg"}}, "own node"),
]


async def test_a_channel_that_cannot_be_is_refused_with_what_is_wrong(supervisor: Running) -> None:
    for spec, about in IMPOSSIBLE_CHANNELS:
        answer = await supervisor.unix.post("/api/v1/channels", json={"name": "One", **spec})
        assert answer.status_code in {404, 422}, spec
        assert answer.headers["content-type"] == "application/problem+json"
        assert about in answer.json()["detail"], spec
    assert (await supervisor.call("GET", "/channels"))["items"] == []


async def test_where_the_server_is_holds_from_the_next_start_on(supervisor: Running) -> None:
    async with FakeCaspar(lambda _: None, time.monotonic) as server:
        caspar = {"port": server.port}
        made = await supervisor.call("POST", "/channels", json={"name": "One", "engine": "caspar", "caspar": caspar})
        path = f"/channels/{made['id']}"
        await supervisor.call("POST", f"{path}/start")
        again = {"name": "Two", "engine": "caspar", "caspar": {**caspar, "host": "localhost", "layer": 20}}
        other = await supervisor.call("POST", "/channels", json=again)
        refused = await supervisor.unix.post(f"/api/v1/channels/{other['id']}/start")
        assert (refused.status_code, refused.json()["code"]) == (409, "server_taken")
        assert "is One's now" in refused.json()["detail"]

        async def told() -> list[str]:
            now = await supervisor.call("GET", path)
            changes, seen = {"caspar": {**caspar, "layer": 11}}, {"If-Match": f'"{now["rev"]}"'}
            answer = await supervisor.unix.patch(f"/api/v1{path}", json=changes, headers=seen)
            return answer.json().get("from_next_start", [])  # its rev may be an old one by now

        assert await until(told, what="a change while it starts") == ["caspar"]

        async def change(channel_id: str, caspar: Json) -> tuple[int, Json]:
            """Answered for the newest revision."""
            here = f"/channels/{channel_id}"
            while True:
                rev = (await supervisor.call("GET", here))["rev"]
                seen = {"If-Match": f'"{rev}"'}
                answer = await supervisor.unix.patch(f"/api/v1{here}", json={"caspar": caspar}, headers=seen)
                if answer.status_code != 409 or answer.json()["code"] != "stale_rev":
                    return answer.status_code, answer.json()

        second = {**caspar, "channel": 2}
        assert (await change(other["id"], second))[0] == 200, "an off channel may be set to anything"
        await supervisor.call("POST", f"/channels/{other['id']}/start")
        status, problem = await change(other["id"], caspar)
        assert (status, problem["code"]) == (409, "server_taken")
        assert "is One's now" in problem["detail"]
        kept = (await supervisor.call("GET", f"/channels/{other['id']}"))["caspar"]
        assert kept["channel"] == 2, "nothing was changed"
        assert (await change(other["id"], {**second, "layer": 30}))[0] == 200
        await supervisor.call("POST", f"/channels/{other['id']}/stop")
        await supervisor.call("POST", f"{path}/stop")

        async def is_off() -> bool:
            return (await supervisor.call("GET", path))["live"]["phase"] == "off"

        await until(is_off, 30.0, "off, while the server is there to confirm it")


async def test_a_channel_is_deleted_only_when_it_is_off(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    on = await supervisor.call("POST", f"/channels/{made['id']}/start")
    assert on["desired"] == "on"
    now = await supervisor.call("GET", f"/channels/{made['id']}")
    refused = await supervisor.call("DELETE", f"/channels/{made['id']}", rev=now["rev"], expect=409)
    assert refused["code"] in {"in_use", "stale_rev"}
    assert await supervisor.call("GET", f"/channels/{made['id']}")


async def test_listings_come_in_pages(supervisor: Running) -> None:
    for number in range(1, 6):
        await supervisor.call("POST", "/channels", json={"name": f"C{number}"})
    seen: list[int] = []
    cursor = None
    for _ in range(3):
        page = await supervisor.call("GET", "/channels", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [channel["number"] for channel in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == ([1, 2, 3, 4, 5], None)
    problem = await supervisor.call("GET", "/channels", params={"cursor": "bm90IGEgY3Vyc29y"}, expect=422)
    assert "cursor" in problem["detail"]


async def test_items_are_inserted_moved_changed_and_deleted(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"}, expect=201)
    path = f"/playlists/{playlist['id']}"
    slates = [{"kind": "slate", "slate_frames": 25 * n, "title": f"S{n}"} for n in (1, 2, 3)]
    edit = await supervisor.call("POST", f"{path}/items", json={"revision": playlist["revision"], "items": slates})
    assert edit["items"] == 3
    items = (await supervisor.call("GET", f"{path}/items"))["items"]
    assert [item["title"] for item in items] == ["S1", "S2", "S3"]
    move = {"revision": edit["revision"], "to": 0}
    edit = await supervisor.call("POST", f"{path}/items/{items[2]['id']}/move", json=move)
    edit = await supervisor.call("PATCH", f"{path}/items/{items[0]['id']}", rev=edit["revision"], json={"title": "New"})
    edit = await supervisor.call("DELETE", f"{path}/items/{items[1]['id']}", rev=edit["revision"])
    after = (await supervisor.call("GET", f"{path}/items"))["items"]
    assert [(item["position"], item["title"]) for item in after] == [(0, "S3"), (1, "New")]
    stale = {"revision": playlist["revision"], "items": slates}
    problem = await supervisor.call("POST", f"{path}/items", json=stale, expect=409)
    assert problem["code"] == "stale_revision"


async def test_items_say_how_they_air_and_times_of_day_are_the_channels(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    zone = {"name": "One", "playlist_id": playlist["id"], "time_zone": "Europe/Berlin"}
    await supervisor.call("POST", "/channels", json=zone)
    path = f"/playlists/{playlist['id']}"
    slate = {"kind": "slate", "slate_frames": 250}
    items = [
        {**slate, "title": "A", "start_mode": "fixed", "fixed_time": "2026-10-25 02:30:00", "late_policy": "join"},
        {"kind": "comment", "title": "an hour later it is 02:30 again"},
        {**slate, "title": "B", "start_mode": "fixed", "fixed_time": "02:30:00", "meant": ["black"], "repeat": 2},
        {"kind": "live", "title": "L", "url": "srt://:9000?mode=listener", "end_mode": "at", "end_time": "03:00"},
    ]
    edit = await supervisor.call("POST", f"{path}/items", json={"revision": playlist["revision"], "items": items})
    a, comment, b, live = (await supervisor.call("GET", f"{path}/items"))["items"]
    assert (a["fixed_at"], a["late_policy"]) == ("2026-10-25T00:30:00Z", "join")
    assert comment["kind"] == "comment"
    assert (b["fixed_at"], b["meant"], b["repeat"]) == ("2026-10-25T01:30:00Z", ["black"], 2)
    assert (live["end_at"], live["url"]) == ("2026-10-25T02:00:00Z", "srt://:9000?mode=listener")

    for url, says in (("file:///etc/passwd", "not by 'file'"), ("srt://h?passphrase=s3cr3t-s3cr3t", "needs a port")):
        bad = {"kind": "live", "title": "L", "url": url, "end_mode": "take"}
        problem = await supervisor.call(
            "POST", f"{path}/items", expect=422, json={"revision": edit["revision"], "items": [bad]}
        )
        assert says in problem["detail"]
        assert "s3cr3t" not in str(problem)

    later = {"fixed_time": "02:45:00", "fixed_kind": "soft"}
    edit = await supervisor.call("PATCH", f"{path}/items/{b['id']}", rev=edit["revision"], json=later)
    b = (await supervisor.call("GET", f"{path}/items"))["items"][2]
    assert (b["fixed_at"], b["fixed_kind"], b["meant"]) == ("2026-10-25T00:45:00Z", "soft", ["black"])
    for wrong in (
        {"end_mode": "at"}, {"start_mode": "follow", "fixed_time": "20:00"}, {"block": "x"}, {"url": "srt://h:1"},
        {"fixed_time": "soon"}, {"repeat": None},
    ):  # fmt: skip
        refused = await supervisor.unix.patch(
            f"/api/v1{path}/items/{b['id']}", json=wrong, headers={"If-Match": f'"{edit["revision"]}"'}
        )
        assert refused.status_code == 422, (wrong, refused.text)
    follows = {"start_mode": "follow"}
    edit = await supervisor.call("PATCH", f"{path}/items/{b['id']}", rev=edit["revision"], json=follows)
    b = (await supervisor.call("GET", f"{path}/items"))["items"][2]
    assert (b["start_mode"], b["fixed_at"]) == ("follow", None)


async def test_items_are_dropped_and_the_last_edit_is_taken_back(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": playlist["id"]})
    path = f"/playlists/{playlist['id']}"
    slates = [{"kind": "slate", "slate_frames": 25, "title": title} for title in "AB"]
    edit = await supervisor.call("POST", f"{path}/items", json={"revision": playlist["revision"], "items": slates})
    items = (await supervisor.call("GET", f"{path}/items"))["items"]
    drop = {"revision": edit["revision"], "item_ids": [items[0]["id"]]}
    edit = await supervisor.call("POST", f"{path}/items/drop", json=drop)
    assert [item["dropped"] for item in (await supervisor.call("GET", f"{path}/items"))["items"]] == [True, False]
    undone = await supervisor.call("POST", f"{path}/undo", json={"revision": edit["revision"]})
    assert undone["what"] == "dropped 1 item"
    assert [item["dropped"] for item in (await supervisor.call("GET", f"{path}/items"))["items"]] == [False, False]
    insert = {"revision": undone["playlist"]["revision"], "items": slates[:1]}
    edit = await supervisor.call("POST", f"/channels/{channel['id']}/insert-next", json=insert, expect=201)
    assert edit["items"] == 3
    stale = await supervisor.call("POST", f"{path}/undo", json={"revision": 1}, expect=409)
    assert stale["code"] == "stale_revision"
    named = await supervisor.call("PATCH", path, rev=edit["revision"], json={"name": "Night"})
    refused = await supervisor.call("POST", f"{path}/undo", json={"revision": named["revision"]}, expect=409)
    assert refused["code"] == "nothing_to_undo"


async def test_an_edit_of_a_rundown_is_shown_with_its_times_before_it_is_done(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": playlist["id"]})
    path = f"/channels/{channel['id']}/rundown"
    slates = [{"kind": "slate", "slate_frames": 250, "title": title} for title in "AB"]
    insert = {"do": "insert", "items": slates}
    first = {"revision": playlist["revision"], "edit": insert}
    would_be = await supervisor.call("POST", f"{path}/preview", json=first)
    assert [row["title"] for row in would_be["rows"]] == ["A", "B"]
    assert would_be["rows"][1]["start_at"] is not None
    assert (await supervisor.call("GET", path))["rows"] == []
    done = await supervisor.call("POST", f"{path}/edit", json=first)
    assert done["revision"] == playlist["revision"] + 1
    a, b = done["rows"]

    change = {"do": "change", "item_id": a["item_id"], "changes": {"slate_frames": 500}}
    shown = await supervisor.call("POST", f"{path}/preview", json={"revision": done["revision"], "edit": change})
    begin, following = (datetime.fromisoformat(row["start_at"]) for row in shown["rows"])
    assert (following - begin).total_seconds() == 20
    for edit in (
        change,
        {"do": "move", "item_id": b["item_id"], "to": 0},
        {"do": "duplicate", "item_id": a["item_id"]},
    ):
        done = await supervisor.call("POST", f"{path}/edit", json={"revision": done["revision"], "edit": edit})
    assert [row["title"] for row in done["rows"]] == ["B", "A", "A"]
    assert [row["duration_frames"] for row in done["rows"]] == [250, 500, 500]
    one = await supervisor.call("GET", f"/playlists/{playlist['id']}/items/{a['item_id']}")
    assert (one["title"], one["slate_frames"]) == ("A", 500)
    for what in ("preview", "edit"):
        stale = await supervisor.call("POST", f"{path}/{what}", json=first, expect=409)
        assert stale["code"] == "stale_revision"
    remove = {"do": "remove", "item_id": a["item_id"]}
    done = await supervisor.call("POST", f"{path}/edit", json={"revision": done["revision"], "edit": remove})
    assert [row["title"] for row in done["rows"]] == ["B", "A"]
    actions = [row["action"] for row in await supervisor.audit()]
    assert actions.count("edit_rundown") == 6, "five done and one refused"
    assert "preview_rundown_edit" not in actions


async def test_a_channel_decides_how_it_airs_beside_its_list(supervisor: Running) -> None:
    filler = await supervisor.call("POST", "/playlists", json={"name": "Filler"})
    values = {"name": "One", "filler_playlist_id": filler["id"], "black_s": 3, "ladder": ["last_frame", "next"]}
    channel = await supervisor.call("POST", "/channels", json=values, expect=201)
    assert (channel["filler_playlist_id"], channel["black_s"], channel["freeze_s"]) == (filler["id"], 3, 30)
    assert (channel["ladder"], channel["hold_timeout_ms"]) == (["last_frame", "next"], 300_000)
    logo = {"path": "/m/bug.png", "x": 1100, "y": 40, "opacity": 80}
    path = f"/channels/{channel['id']}"
    changed = await supervisor.call("PATCH", path, rev=channel["rev"], json={"logo": logo, "fixed_ends_hold": False})
    assert (changed["logo"]["x"], changed["fixed_ends_hold"], changed["black_s"]) == (1100, False, 3)
    changed = await supervisor.call("PATCH", path, rev=changed["rev"], json={"logo": None, "black_s": 8})
    assert (changed["logo"], changed["black_s"], changed["fixed_ends_hold"]) == (None, 8, False)
    in_use = await supervisor.call("DELETE", f"/playlists/{filler['id']}", rev=filler["revision"], expect=409)
    assert "One" in in_use["detail"]


IMPOSSIBLE_ITEMS: list[dict[str, Any]] = [
    {"kind": "clip"},
    {"kind": "clip", "asset_id": NOBODY},
    {"kind": "slate"},
    {"kind": "slate", "slate_frames": 0},
    {"kind": "slate", "slate_frames": 25, "asset_id": NOBODY},
    {"kind": "slate", "slate_frames": 25, "in_frames": 1},
    {"kind": "clip", "asset_id": NOBODY, "in_frames": -1},
    {"kind": "slate", "slate_frames": 25, "start_mode": "fixed"},
    {
        "kind": "slate",
        "slate_frames": 25,
        "start_mode": "fixed",
        "fixed_time": "20:00",
    },  # no channel says in which zone
    {"kind": "slate", "slate_frames": 25, "fixed_at": "2026-03-29T18:00:00Z"},
    {"kind": "slate", "slate_frames": 25, "end_mode": "at"},
    {"kind": "slate", "slate_frames": 25, "url": "srt://h:9000"},
    {"kind": "comment"},
    {"kind": "comment", "title": "x", "slate_frames": 25},
    {"kind": "live", "end_mode": "take"},
    {"kind": "live", "url": "srt://h:9000"},
    {"kind": "live", "url": "file:///etc/passwd", "end_mode": "take"},
    {"kind": "live", "url": "srt://h:9000 -x", "end_mode": "take"},
]


async def test_an_item_that_cannot_be_is_refused(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    for item in IMPOSSIBLE_ITEMS:
        insert = {"revision": playlist["revision"], "items": [item]}
        answer = await supervisor.unix.post(f"/api/v1/playlists/{playlist['id']}/items", json=insert)
        assert answer.status_code == 422, item
    after = await supervisor.call("GET", f"/playlists/{playlist['id']}")
    assert (after["revision"], after["items"]) == (playlist["revision"], 0)


async def test_a_playlist_that_plays_is_not_deleted(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": playlist["id"]})
    problem = await supervisor.call("DELETE", f"/playlists/{playlist['id']}", rev=playlist["revision"], expect=409)
    assert problem["code"] == "in_use"
    assert "One" in problem["detail"]


async def test_a_channel_has_a_programme_output(supervisor: Running) -> None:
    """A preview is no output: without one of its own the channel would count as on air and be seen by nobody."""
    await supervisor.call("POST", "/channels", json={"name": "One", "outputs": []}, expect=422)
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    await supervisor.call("PATCH", f"/channels/{made['id']}", rev=made["rev"], json={"outputs": []}, expect=422)


async def test_a_deleted_channels_alarms_are_over_and_can_be_acknowledged(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    store = Store(supervisor.settings.store_url)
    now = datetime.now(UTC)
    try:
        async with store.write() as tx:
            await tx.alarms.raise_once("off_air", made["id"], None, "critical", "dark", now)
            row, _ = await tx.alarms.raise_once("off_air", "0" * 32, None, "critical", "of a channel long gone", now)
    finally:
        await store.close()
    await supervisor.call("DELETE", f"/channels/{made['id']}", rev=made["rev"])
    open_now = (await supervisor.call("GET", "/alarms"))["items"]
    assert [alarm["id"] for alarm in open_now] == [row.id]
    seen = await supervisor.call("POST", f"/alarms/{row.id}/acknowledge")
    assert seen["acknowledged_by"]


async def test_the_station_says_what_is_to_be_done_and_open_alarms_show_it(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    recorder = await supervisor.call("POST", "/recorders", json={"name": "Ingest", "input": {"kind": "test"}})
    store = Store(supervisor.settings.store_url)
    try:
        async with store.write() as tx:
            await tx.alarms.raise_once("channel_dark", made["id"], None, "critical", "dark", datetime.now(UTC))
    finally:
        await store.close()
    for wrong in (
        {"text": "call 4711"},
        {"code": "chanel_dark", "text": "call 4711"},
        {"channel_id": made["id"], "recorder_id": recorder["id"], "text": "call 4711"},
        {"code": "channel_dark", "text": "  "},
        {"code": "channel_dark", "text": "a\x1b[2J"},
    ):
        await supervisor.call("PUT", "/instructions", json=wrong, expect=422)
    await supervisor.call("PUT", "/instructions", json={"channel_id": "0" * 32, "text": "call 4711"}, expect=404)
    said = {"channel_id": made["id"], "text": "crosspoint 12"}
    first = await supervisor.call("PUT", "/instructions", json=said)
    of_kind = await supervisor.call("PUT", "/instructions", json={"code": "channel_dark", "text": "call 4711"})
    (alarm,) = (await supervisor.call("GET", "/alarms"))["items"]
    assert alarm["instruction"] == "crosspoint 12 · call 4711"
    again = await supervisor.call("PUT", "/instructions", json={**said, "text": "crosspoint 13"})
    assert again["id"] == first["id"]
    await supervisor.call("DELETE", f"/instructions/{of_kind['id']}")
    (alarm,) = (await supervisor.call("GET", "/alarms"))["items"]
    assert alarm["instruction"] == "crosspoint 13"
    assert [one["text"] for one in (await supervisor.call("GET", "/instructions"))["items"]] == ["crosspoint 13"]


async def test_a_rundown_is_computed_beside_the_loop(supervisor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: the rundown of a long list must not make a take wait."""
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    loop, threads = threading.current_thread(), set[threading.Thread]()

    def watched(*given: Any) -> Any:
        threads.add(threading.current_thread())
        return rundown(*given)

    monkeypatch.setattr("supervisor.api.routes.rundowns.rundown", watched)
    answer = await supervisor.call("GET", f"/channels/{made['id']}/rundown")
    assert Rundown.model_validate(answer).channel_id == made["id"]
    assert threads
    assert loop not in threads
