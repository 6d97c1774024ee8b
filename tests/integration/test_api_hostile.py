"""A thousand paths and URLs that lead where nobody may go: refused, nothing outside read or made, no fault of ours."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.people import client_of, person
from tests.fixtures.running import Json, Running
from tests.fixtures.small_clips import make_small_clip

CANARY = "Hornisgrinde"
"""In every file outside, and in no answer."""
TOUCHES = frozenset({"open", "os.scandir", "os.listdir", "os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink"})


@dataclass
class Watch:
    """What this process, the supervisor in it included, opens or changes below a folder: Python's own audit events."""

    folder: str = ""
    touched: list[str] | None = None

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.touched is not None and event in TOUCHES:
            path = arguments[0]
            if isinstance(path, str | os.PathLike) and str(path).startswith(self.folder):
                self.touched.append(f"{event} {path!r}")


_WATCH = Watch()


@pytest.fixture(scope="session")
def hearing() -> Watch:
    sys.addaudithook(_WATCH.hear)  # it can never be taken away, and hears nothing once ``touched`` is None
    return _WATCH


def paths_out(root: Path, outside: Path, home: Path) -> Iterator[str]:
    """Paths that lead out of ``root``, or are none."""
    up = "/.." * (len(root.parts) - 1)
    for secret in (f"{outside}/secret.mp4", f"{home}/token", "/etc/passwd", "/proc/self/environ", "/dev/zero"):
        yield secret
        yield f"{root}{up}{secret}"
        yield f"{root}/./a/../{up[1:]}{secret}"
        yield f"/{secret}"
        yield f"{root}/../{root.name}{up}{secret}"
    for link in ("file.mp4", "loop.mp4", "folder/secret.mp4", "chain/secret.mp4", "proc/environ", "home/token"):
        yield f"{root}/{link}"
    for scheme in (
        "file://",
        "concat:",
        "subfile,,start,0,end,9,,:",
        "crypto:",
        "data:,",
        "http://127.0.0.1",
        "pipe:",
        "tee:",
        "async:",
        "cache:file:",
        "lavfi:",
        "smb:/",
        "\\\\host",
        "C:\\",
        "~root",
        "..",
        ".",
        "//",
    ):
        yield f"{scheme}{outside}/secret.mp4"


def paths_of_nothing(root: Path) -> Iterator[str]:
    """Names below ``root`` that other programs would make something else of. There is no such file."""
    for odd in (
        "%2e%2e/secret.mp4",
        "..%2fsecret.mp4",
        "a\nb.mp4",
        "a\tb.mp4",
        "\u202egnp.mp4",
        "..\\secret.mp4",
        "~",
        "*",
        "$(id)",
        "`id`",
        "|id",
        "; id",
        "con:",
        "\ud800.mp4",
        "a" * 300,
        "a/" * 1500,
        "-i",
        "ab\0c.mp4",
    ):
        yield f"{root}/{odd}"


def hostile_hosts() -> Iterator[str]:
    yield from ("169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
                "0xa9.0xfe.0xa9.0xfe", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.169.254]",
                "[::ffff:a9fe:a9fe]",
                "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16",
                "metadata.google.internal", "METADATA.google.internal.", "instance-data", "metadata", "127.1", "0",
                "user:pw@10.0.0.1", "10.0.0.1@169.254.169.254", "a b", "a%00b", "a\nb", "a\\b", "", "..", "-a", "a..b",
                "[", "[::1", "%31%36%39.254.169.254", "\uff11\uff16\uff19.254.169.254", "x" * 300)  # fmt: skip


HOSTILE_URLS = (
    "file:///etc/passwd", "gopher://10.0.0.1:70/_x", "ftp://10.0.0.1/x", "dict://10.0.0.1:11211/x", "ldap://10.0.0.1",
    "jar:http://10.0.0.1!/x", "javascript:alert(1)", "data:,x", "concat:/etc/passwd", "pipe:1", "tee:/tmp/a|/tmp/b",
    "unix:///run/docker.sock", "tls://10.0.0.1:1", "tcp://10.0.0.1:22", "ssh://10.0.0.1", "//10.0.0.1/x", "://", "",
    "http:/10.0.0.1", "http://", "\0", "http://10.0.0.1:99999/", "http://10.0.0.1:0/", "http://10.0.0.1/\r\nX: y",
)  # fmt: skip


@dataclass
class Door:
    """One field of the API: how it is called with a hostile value in it."""

    method: str
    path: str
    body: Json
    opens: bool = True
    """Whether what it names is opened at once; else a name of nothing is a name."""

    async def call(self, client: httpx.AsyncClient, value: str) -> httpx.Response:
        body = _filled(self.body, value)
        # JSON as it may come: httpx would refuse a lone surrogate, which "\ud800" in a body is not.
        content = _json(body)
        headers = {"Content-Type": "application/json", "If-Match": '"1"'}
        return await client.request(self.method, f"/api/v1{self.path}", content=content, headers=headers)


def _json(body: Json) -> bytes:
    return json.dumps(body).encode()


def _filled(body: Json, value: str) -> Json:
    if isinstance(body, dict):
        return {name: _filled(one, value) for name, one in body.items()}
    if isinstance(body, list):
        return [_filled(one, value) for one in body]
    return body.replace("<>", value) if isinstance(body, str) else body


def path_doors(project: str, channel: str, playlist: str) -> list[Door]:
    listed = {"project_id": project, "name": "L"}
    made = {"name": "C", "project_id": project}
    return [
        Door("POST", "/assets", {"path": "<>", "project_id": project}),
        Door("POST", "/media-roots", {"path": "<>"}),
        Door("POST", "/watched-folders", {"kind": "media", "path": "<>", "project_id": project}),
        Door("POST", "/watched-folders", {"kind": "lists", "path": "<>", "channel_id": channel}),
        Door("POST", "/playlists/import", {**listed, "source": "folder", "path": "<>"}),
        Door("POST", "/playlists/import", {**listed, "source": "csv", "path": "<>"}),
        Door("POST", "/playlists/import", {**listed, "source": "m3u", "content": "<>"}),
        Door("POST", f"/playlists/{playlist}/revise", {"revision": 1, "source": "m3u", "path": "<>"}),
        Door("POST", "/channels", {**made, "logo": {"path": "<>"}}, opens=False),
        Door("POST", "/channels", {**made, "engine": "caspar", "caspar": {"media": "<>"}}, opens=False),
        Door("POST", "/channels", {**made, "outputs": [{"kind": "file", "url": "file:<>"}]}),
    ]


def host_doors(project: str, channel: str, playlist: str) -> list[Door]:
    made = {"name": "C", "project_id": project}
    live = {"kind": "live", "slate_frames": 25}
    recorder = {"name": "R", "project_id": project}
    return [
        Door("POST", "/channels", {**made, "outputs": [{"kind": "udp", "url": "udp://<>:5000"}]}),
        Door("POST", "/channels", {**made, "outputs": [{"kind": "srt", "url": "srt://<>:5000"}]}),
        Door("PATCH", f"/channels/{channel}", {"outputs": [{"kind": "rtmp", "url": "rtmp://<>/app/key"}]}),
        Door("POST", "/channels", {**made, "engine": "caspar", "caspar": {"host": "<>"}}),
        Door(
            "POST", f"/playlists/{playlist}/items", {"revision": 1, "at": 0, "items": [{**live, "url": "https://<>/x"}]}
        ),
        Door("POST", "/recorders", {**recorder, "input": {"kind": "hls", "url": "http://<>/x.m3u8"}}),
        Door("POST", "/nodes", {"name": "n", "url": "http://<>:6271"}),
        # That one listens is SRT's to say: to any other scheme these words are nothing, and the host is called.
        *(
            Door(
                "POST",
                f"/playlists/{playlist}/items",
                {"revision": 1, "at": 0, "items": [{**live, "url": f"{url}?mode=listener"}]},
            )
            for url in ("http://<>/x", "https://<>/x", "rtmp://<>/app/key", "rtmps://<>/app/key", "udp://<>:5000")
        ),
        Door("POST", "/recorders", {**recorder, "input": {"kind": "hls", "url": "http://<>/x.m3u8?mode=listener"}}),
        Door(
            "PATCH", f"/channels/{channel}", {"outputs": [{"kind": "rtmp", "url": "rtmp://<>/app/key?mode=listener"}]}
        ),
    ]


def url_doors(project: str, channel: str, playlist: str) -> list[Door]:
    live = {"kind": "live", "slate_frames": 25, "url": "<>"}
    outputs = [
        Door("PATCH", f"/channels/{channel}", {"outputs": [{"kind": kind, "url": "<>"}]})
        for kind in ("udp", "srt", "rtmp", "file", "decklink")
    ]
    return [
        *outputs,
        Door("POST", f"/playlists/{playlist}/items", {"revision": 1, "at": 0, "items": [live]}),
        Door("POST", "/recorders", {"name": "R", "project_id": project, "input": {"kind": "hls", "url": "<>"}}),
        Door("POST", "/nodes", {"name": "n", "url": "<>"}),
    ]


@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=(pytest.mark.campaign, pytest.mark.timeout(900))), pytest.param(5)]
)
async def test_a_thousand_hostile_paths_and_urls_are_refused(
    supervisor: Running, tmp_path: Path, hearing: Watch, every: int
) -> None:
    """Every fifth of them in CI, each value by other fields; all of them by ``-m campaign``."""
    root, outside = tmp_path / "media", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    for name in ("secret.mp4", "secret.m3u", "logo.png"):
        (outside / name).write_text(f"{CANARY}\n" * 5)
    make_small_clip(outside / "clip.mp4")
    home = supervisor.settings.home
    links = {"file.mp4": outside / "secret.mp4", "loop.mp4": root / "loop.mp4", "folder": outside, "proc": "/proc/self",
             "chain": root / "folder", "home": home}  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    await supervisor.call("POST", "/media-roots", json={"path": str(root)})
    project = (await supervisor.call("POST", "/projects", json={"name": "P"}))["id"]
    _, token = await person(supervisor, "eve", "engineer", {project: ("operate", "edit")})
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "project_id": project})
    playlist = await supervisor.call("POST", "/playlists", json={"name": "List", "project_id": project})
    ids = (project, channel["id"], playlist["id"])
    there = _tree(tmp_path)
    before = await _there_is(supervisor, ids[2])
    out, nothing = list(paths_out(root, outside, home)), list(paths_of_nothing(root))
    calls = [(door, path) for door in path_doors(*ids) for path in out + (nothing if door.opens else [])]
    calls += [(door, host) for door in host_doors(*ids) for host in hostile_hosts()]
    calls += [(door, url) for door in url_doors(*ids) for url in HOSTILE_URLS]
    assert len(calls) >= 1000
    calls = calls[::every]
    hearing.folder, hearing.touched = str(outside), []
    (outside / "secret.mp4").read_bytes()
    assert len(hearing.touched) == 1  # it hears
    hearing.touched = []
    wrong: list[str] = []
    async with client_of(supervisor, token) as eve:
        for door, value in calls:
            answer = await door.call(eve, value)
            if answer.status_code not in {403, 404, 422} or CANARY in answer.text:
                wrong.append(f"{door} {value[:90]!r}: {answer.status_code} {answer.text[:200]}")
    touched, hearing.touched = hearing.touched, None
    assert not wrong, f"{len(wrong)} of {len(calls)}:\n" + "\n".join(wrong[:20])
    assert touched == []
    assert _tree(tmp_path) == there
    assert await _there_is(supervisor, ids[2]) == before


def _tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


async def _there_is(supervisor: Running, playlist: str) -> list[Json]:
    kinds = ("assets", "channels", "recorders", "watched-folders", "media-roots", "nodes", "playlists")
    pages = [await supervisor.call("GET", f"/{kind}") for kind in kinds]
    # A node's rev grows with what is observed of it: of those what people set.
    found: list[Json] = [
        [(one["id"], one.get("url", one.get("rev")), one.get("revision"), one.get("capacity")) for one in page["items"]]
        for page in pages
    ]
    return [*found, await supervisor.call("GET", f"/playlists/{playlist}/items")]


async def test_what_an_admin_named_an_engineer_may_use_and_links_out_of_it_lead_nowhere(
    supervisor: Running, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    root.mkdir()
    clip = make_small_clip(root / "a.mp4")
    outside = make_small_clip(tmp_path / "b.mp4", shade=30)
    (root / "inner.mp4").symlink_to(clip)
    (root / "outer.mp4").symlink_to(outside)
    await supervisor.call("POST", "/media-roots", json={"path": str(root)})
    project = (await supervisor.call("POST", "/projects", json={"name": "P"}))["id"]
    _, token = await person(supervisor, "kim", "engineer", {project: ("edit",)})
    (root / "list.m3u").write_text(f"inner.mp4\n{outside}\nouter.mp4\n")
    async with client_of(supervisor, token) as kim:

        async def asset(path: Path) -> httpx.Response:
            return await kim.post("/api/v1/assets", json={"path": str(path), "project_id": project})

        assert (await asset(clip)).status_code == 201
        for path in (outside, root / "outer.mp4"):
            refused = await asset(path)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
            assert "media root" in refused.json()["detail"]
        values = {"name": "L", "source": "m3u", "path": str(root / "list.m3u"), "project_id": project}
        made = (await kim.post("/api/v1/playlists/import", json=values)).json()
        assert (made["playlist"]["items"], len(made["refused"])) == (1, 2)
        channel = (await kim.post("/api/v1/channels", json={"name": "C", "project_id": project})).json()
        logo = {"logo": {"path": str(tmp_path / "logo.png")}}
        headers = {"If-Match": f'"{channel["rev"]}"'}
        place = f"/api/v1/channels/{channel['id']}"
        assert (await kim.patch(place, json=logo, headers=headers)).status_code == 403
        # What an admin named stays usable: only where it lies is an engineer's to say within bounds.
        by_admin = await supervisor.call("PATCH", f"/channels/{channel['id']}", json=logo, rev=channel["rev"])
        logo["logo"] |= {"x": 10}
        headers = {"If-Match": f'"{by_admin["rev"]}"'}
        assert (await kim.patch(place, json=logo, headers=headers)).status_code == 200
    assert (await supervisor.call("POST", "/assets", json={"path": str(outside)}, expect=201))["path"] == str(outside)
