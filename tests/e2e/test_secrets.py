"""Secrets that were planted are told to nobody: no log, process list, alarm, event, audit export or viewer's answer.

The station's own (its database's password, its keys, its webhook's secret, its token) an admin is not told either, and
they are in nothing that is made to be sent on.
"""

import asyncio
import hashlib
import json
import os
import re
import socket
import zipfile

import httpx
import pytest

from supervisor.agent.keys import node_key
from tests.e2e.supervisor_process import SupervisorProcess
from tests.fixtures.homes import TestHome
from tests.fixtures.people import operations
from tests.fixtures.running import Json, eventually

KEY, PASSPHRASE, STREAM, INPUT, RECORDED, DELIVERY = (
    f"Hornisgrinde{name}" for name in ("Key", "Phrase", "Stream", "Input", "Recorded", "Delivery")
)
DATABASE, SIGNING, HOOK = (f"HornisgrindeOwn{name}" for name in ("Database", "Signing", "Hook"))
CANARY = "Hornisgrinde"
CLUSTER_KEY = hashlib.sha256(CANARY.encode()).digest()
OWN = (DATABASE, SIGNING, HOOK, CLUSTER_KEY.hex(), node_key(CLUSTER_KEY, "other").hex())
"""Told to nobody at all. An admin reads the stream keys: who configures a channel changes them."""


@pytest.mark.timeout(240)
async def test_planted_secrets_are_told_to_nobody(
    home: TestHome, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCR_ASRUN_URL", f"http://kim:{DELIVERY}@127.0.0.1:9/asrun")
    monkeypatch.setenv("MCR_WEBHOOK_HOSTS", "127.0.0.1")
    # Its server asks nobody for a password, and takes any.
    monkeypatch.setenv("MCR_DATABASE_URL", migrated_postgres_url.replace(":@", f":{DATABASE}@"))
    assert DATABASE in os.environ["MCR_DATABASE_URL"]
    home.path.mkdir(exist_ok=True)
    key_file = home.path / "cluster_key"
    key_file.touch(0o600)
    key_file.write_text(CLUSTER_KEY.hex())
    with SupervisorProcess(home, "--host", "127.0.0.1", "--port", "0") as process:
        transport = httpx.AsyncHTTPTransport(uds=str(home.path / "run" / "mcr.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://mcr/api/v1", timeout=30.0) as admin:

            async def call(method: str, path: str, expect: int = 2, **more: Json) -> Json:
                answer = await admin.request(method, path, **more)
                assert answer.status_code // 100 == expect, f"{method} {path}: {answer.text}"
                return answer.json() if answer.content else None

            async def ready() -> bool:
                try:
                    return (await admin.get("http://mcr/readyz")).status_code == 200
                except httpx.HTTPError:
                    return False

            await eventually(ready, "the supervisor answers", 60.0)
            secrets = await _plant(call)
            (channel_id, token) = secrets.pop("channel"), secrets["token"]

            async def has_tried() -> Json:
                outputs = (await call("GET", f"/channels/{channel_id}"))["live"]["outputs"]
                said = [one["detail"] for one in outputs if one["role"] == "programme"]
                return len(said) == 2 and all(said)

            await eventually(has_tried, "both outputs have said that nobody is there", 60.0)
            await call("PATCH", f"/channels/{channel_id}", 4, json={"outputs": [{"kind": "udp", "url": f"rtmp://x/a/{KEY}"}]},
                       headers={"If-Match": '"9"'})  # fmt: skip
            told = await _told(admin, home, token)
            own = await _told_to_an_admin(admin) | await asyncio.to_thread(_sent_on, home)
            told |= {f"the command line of {pid}": line for pid, line in home.processes().items()}
            files = [process.log, *home.path.rglob("*.log")]
            assert any(file.name == "sidecar.log" for file in files)
            told |= {str(file): file.read_text(errors="replace") for file in files}
            await call("POST", "/supervisor/shutdown", json={"off_air": True})
    token_of_home = (home.path / "token").read_text().strip()
    assert _leaks(told, (CANARY, *OWN, *secrets.values(), token_of_home)) == []
    # A backup holds what the database holds, webhooks among it, and is written for its owner alone.
    backup = {"the backup": own.pop("the backup")}
    assert _leaks(own, (*OWN, token_of_home)) == []
    assert _leaks(backup, (DATABASE, *OWN[3:], token_of_home)) == []
    assert SIGNING in backup["the backup"]  # it would be found
    assert sum(len(text) for text in told.values()) > 10_000  # it was told something


def _leaks(told: dict[str, str], secrets: tuple[str, ...]) -> list[str]:
    return [
        f"{where}: …{text[max(0, at - 120) : at + 60]}…"
        for where, text in told.items()
        for secret in secrets
        if (at := text.find(secret)) >= 0
    ]


async def _told_to_an_admin(admin: httpx.AsyncClient) -> dict[str, str]:
    """Every route that reads, metrics too, and what is refused of a webhook."""
    told: dict[str, str] = {}
    for method, path, _ in operations((await admin.get("/openapi.json")).json()):
        if method == "GET" and not path.endswith(("/events", ".jpg")):
            told[f"an admin's {path}"] = (await admin.get(f"http://mcr{re.sub('{[a-z_]+}', '0' * 32, path)}")).text
    assert "mcr_" in told["an admin's /metrics"]
    (hook,) = (await admin.get("/webhooks")).json()["items"]
    told["a webhook's test"] = (await admin.post(f"/webhooks/{hook['id']}/test")).text
    told["a webhook refused"] = (
        await admin.post("/webhooks", json={"url": f"http://x/{HOOK}", "secret": SIGNING})
    ).text
    return told


def _sent_on(home: TestHome) -> dict[str, str]:
    """What people make to send to others, and what the programs that make it say."""
    bundle, backup = home.path / "incident.zip", home.path / "backup.db"
    commands = {
        "mcr incident": ("incident", "--to", str(bundle)),
        "mcr db backup": ("db", "backup", str(backup)),
        "mcr doctor": ("doctor", "--json"),
    }
    told: dict[str, str] = {}
    for name, words in commands.items():
        done = home.mcr(*words, timeout_s=120.0)
        told[name] = done.stdout + done.stderr
    with zipfile.ZipFile(bundle) as files:
        told |= {f"the bundle's {name}": files.read(name).decode(errors="replace") for name in files.namelist()}
    told["the backup"] = backup.read_bytes().decode("latin-1")
    return told


async def _plant(call: Json) -> dict[str, str]:
    """What must be told to nobody, by what it is, and the id of a channel that plays."""
    project = (await call("POST", "/projects", json={"name": "P"}))["id"]
    playlist = await call("POST", "/playlists", json={"name": "L", "project_id": project})
    items = [
        {"kind": "slate", "title": "card", "slate_frames": 5000},
        {"kind": "live", "slate_frames": 500, "url": f"srt://127.0.0.1:{_nobody()}?passphrase={INPUT}"},
    ]
    place = f"/playlists/{playlist['id']}/items"
    await call("POST", place, json={"revision": playlist["revision"], "at": 0, "items": items})
    outputs = [
        {"kind": "rtmp", "url": f"rtmp://127.0.0.1:{_nobody()}/app/{KEY}"},
        {"kind": "srt", "url": f"srt://127.0.0.1:{_nobody()}?passphrase={PASSPHRASE}&streamid={STREAM}"},
    ]
    values = {"name": "C", "project_id": project, "playlist_id": playlist["id"], "outputs": outputs}
    form = {"width": 320, "height": 180, "rate": "25"}
    channel = await call("POST", "/channels", json={**values, "format": form})
    recorded = {"kind": "srt", "url": f"srt://127.0.0.1:{_nobody()}?passphrase={RECORDED}"}
    await call("POST", "/recorders", json={"name": "R", "project_id": project, "input": recorded})
    await call("POST", "/nodes", json={"name": "other", "url": f"http://127.0.0.1:{_nobody()}"})
    await call("POST", "/webhooks", json={"url": f"http://127.0.0.1:{_nobody()}/{HOOK}", "secret": SIGNING})
    viewer = await call("POST", "/principals", json={"name": "vic", "role": "viewer"})
    await call("PUT", f"/principals/{viewer['id']}/projects/{project}", json={})
    token = await call("POST", f"/principals/{viewer['id']}/tokens", json={"label": "t"})
    await call("POST", f"/channels/{channel['id']}/start")
    return {"channel": channel["id"], "token": token["token"]}


async def _told(admin: httpx.AsyncClient, home: TestHome, token: str) -> dict[str, str]:
    """All that a viewer reads by every route, the stream's begin, and what an admin exports of the audit."""
    told = {"the audit": (await admin.get("/audit/export", params={"format": "jsonl"})).text,
            "alarms": (await admin.get("/alarms")).text, "history": (await admin.get("/history")).text}  # fmt: skip
    door = json.loads((home.path / "run" / "supervisor.json").read_text())["tcp"]
    document = (await admin.get("/openapi.json")).json()
    channel = (await admin.get("/channels")).json()["items"][0]
    ids = {"channel_id": channel["id"], "playlist_id": channel["playlist_id"],
           "recorder_id": (await admin.get("/recorders")).json()["items"][0]["id"]}  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"}
    base = f"http://{door['host']}:{door['port']}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30.0) as viewer:
        for method, path, _ in operations(document):
            where = path.format_map({name: ids.get(name, "0" * 32) for name in re.findall(r"{([a-z_]+)}", path)})
            if method == "GET" and not path.endswith(("/events", ".jpg")):
                told[f"{method} {path}"] = (await viewer.get(where)).text
        async with viewer.stream("GET", "/api/v1/events") as stream, asyncio.timeout(30.0):
            lines: list[str] = []
            async for line in stream.aiter_lines():
                lines.append(line)
                if sum(one.startswith("event:") for one in lines) >= 4:
                    break
        told["the stream"] = "\n".join(lines)
    return told


def _nobody() -> int:
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
