"""A receiver is told of alarms and of what aired, by a whole supervisor: signed, again until it takes it, each once."""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from examples.webhook_receiver import make_server
from supervisor.webhooks.addresses import Allowed
from supervisor.webhooks.calling import Caller, NotTaken
from tests.fixtures.running import Running, eventually, running_supervisor

SECRET = "a-secret-of-the-station"
FORMAT = {"width": 128, "height": 72, "rate": "25"}
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")


@contextmanager
def served(server: HTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


async def told(facts: list[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    """The first fact whose data has all of this, once it came."""

    async def look() -> dict[str, Any] | None:
        return next((fact for fact in facts if wanted.items() <= fact["data"].items()), None)

    return await eventually(look, f"told of {wanted}", deadline_s=60.0)


async def hook_of(supervisor: Running) -> dict[str, Any]:
    (hook,) = (await supervisor.call("GET", "/webhooks"))["items"]
    return dict(hook)


async def test_alarms_and_what_aired_are_told_signed_and_once(
    short_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: list[dict[str, Any]] = []
    stumbles = iter(range(2))

    def take(fact: dict[str, Any]) -> None:
        assert next(stumbles, None) is None, "a receiver that fails: it is told again"
        facts.append(fact)

    monkeypatch.setenv("MCR_WEBHOOK_HOSTS", "127.0.0.1")
    server = make_server(0, SECRET, take)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - it is meant to fail, and says so at length
    with served(server) as port:
        async with running_supervisor(short_home) as supervisor:
            url = f"http://127.0.0.1:{port}/from-mcr?key=hidden"
            made = await supervisor.call("POST", "/webhooks", json={"url": url, "secret": SECRET}, expect=201)
            assert made["secret"] == SECRET
            tried = await supervisor.call("POST", f"/webhooks/{made['id']}/test")
            assert not tried["taken"]
            playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
            insert = {"revision": playlist["revision"], "items": [{"kind": "slate", "slate_frames": 10**7}]}
            await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=insert)
            spec = {"name": "News", "format": FORMAT, "playlist_id": playlist["id"]}
            news = await supervisor.call("POST", "/channels", json=spec)
            (node,) = (await supervisor.call("GET", "/nodes"))["items"]
            card = {"node_id": node["id"], "outputs": [{"kind": "decklink", "url": "decklink://1"}]}
            dark = await supervisor.call("POST", "/channels", json={"name": "No card", **card})
            for channel in (news, dark):
                await supervisor.call("POST", f"/channels/{channel['id']}/start")
            raised = await told(facts, channel_id=dark["id"], cleared_at=None)
            assert raised["event"] == "alarm"
            aired = await told(facts, channel_id=news["id"], end_at=None, kind="item")
            assert (aired["event"], aired["data"]["status"]) == ("asrun", "on air")
            await supervisor.call("POST", f"/alarms/{raised['data']['id']}/acknowledge")
            await told(facts, id=raised["data"]["id"], acknowledged_by=(await supervisor.audit())[0]["principal"])
            for channel in (news, dark):
                await supervisor.call("POST", f"/channels/{channel['id']}/stop")
            over = await told(facts, run_id=aired["data"]["run_id"], seq=aired["data"]["seq"], status="cut")
            assert over["data"]["end_at"] is not None

            async def nothing_waits() -> bool:
                hook = await hook_of(supervisor)
                return hook["waiting"] == 0 and hook["delivered_at"] is not None and hook["failing_since"] is None

            await eventually(nothing_waits, "nothing waits", deadline_s=60.0)
            shown = json.dumps(await hook_of(supervisor)) + json.dumps(await supervisor.audit())
            assert SECRET not in shown
            assert "hidden" not in shown
            await supervisor.call("DELETE", f"/webhooks/{made['id']}")
    ids = [fact["id"] for fact in facts]
    assert len(ids) == len(set(ids)), "the receiver of the example takes each once"


async def test_where_it_may_not_go_is_refused_and_nobody_but_an_admin_asks(supervisor: Running) -> None:
    for url in ("http://127.0.0.1:9/", "https://10.0.0.5/", "http://example.com/"):
        refused = await supervisor.call("POST", "/webhooks", json={"url": url}, expect=422)
        assert refused["code"] == "invalid"
    made = await supervisor.call("POST", "/webhooks", json={"url": "https://example.com/", "events": ["alarm"]})
    assert made["secret"].startswith("whsec_")
    assert (await hook_of(supervisor))["events"] == ["alarm"]
    async with supervisor.tcp_client() as nobody:
        assert (await nobody.get("/api/v1/webhooks")).status_code == 401


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever comes on to another place."""

    def do_POST(self) -> None:
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def test_it_goes_nowhere_else_than_it_was_told() -> None:
    caller = Caller(Allowed.of("127.0.0.1"), lambda: datetime.now(UTC))
    with (
        served(ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)) as port,
        pytest.raises(NotTaken, match=r"answered 307 \(redirects are not followed\)"),
    ):
        await caller.call(f"http://127.0.0.1:{port}/", SECRET, "1" * 32, "{}")
    with pytest.raises(NotTaken, match=r"127\.0\.0\.1"):
        await caller.call(f"http://127.0.0.1:{port}/", SECRET, "1" * 32, "{}")


def certify(folder: Path, name: str) -> None:
    command = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
    more = ["-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(["openssl", *command.split(), *more], cwd=folder, check=True, capture_output=True, timeout=60)


@needs_openssl
async def test_the_certificate_is_to_be_the_hosts(tmp_path: Path) -> None:
    """By name, though the call goes to an address."""
    for name in ("localhost", "another.example"):
        certify(tmp_path, name)
    facts: list[dict[str, Any]] = []
    for name, is_taken in (("localhost", True), ("another.example", False)):
        server = make_server(0, SECRET, facts.append)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] - a caller that hangs up
        caller = Caller(Allowed.of("localhost"), lambda: datetime.now(UTC), tmp_path / f"{name}.pem")
        with served(server) as port:
            call = caller.call(
                f"https://localhost:{port}/", SECRET, "1" * 32, json.dumps({"id": name, "event": "test"})
            )
            if is_taken:
                assert await call == 204
            else:
                with pytest.raises(NotTaken, match=r"(?i)certificate"):
                    await call
    assert [fact["id"] for fact in facts] == ["localhost"]
