"""Who gets in, by which door, and what is written down about it. Promise P7: nobody controls air who may not."""

import asyncio
import contextlib
import getpass
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from supervisor.api.app import all_routes
from supervisor.api.permissions import GRANTS, ROUTES, Permission, permit, require_sight
from supervisor.application import Application, Options
from supervisor.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from supervisor.principal import Principal, Role
from supervisor.settings import Settings
from tests.fixtures.running import Json, Running, eventually, running_supervisor

NOBODY = "0" * 32


def test_every_route_declares_its_permission_and_nothing_else_does() -> None:
    """P7: deny by default. A route without an entry, or an entry without a route, fails here."""
    assert {route.name for route in all_routes()} == set(ROUTES)


def test_a_route_without_a_permission_is_refused_to_everybody() -> None:
    """P7."""
    admin = Principal(name="a", origin="unix", role="admin")
    with pytest.raises(Forbidden):
        permit("a_route_that_nobody_declared", admin)


def test_only_health_and_preflight_are_open() -> None:
    """P7."""
    opened = {name for name, permission in ROUTES.items() if permission is Permission.OPEN}
    assert opened == {"healthz", "readyz", "live_preflight"}


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [("viewer", "list_channels", "take"), ("operator", "take", "create_channel"), ("admin", "create_channel", "")],
)
def test_a_role_has_its_permissions_and_no_more(role: Role, may: str, may_not: str) -> None:
    """P7."""
    principal = Principal(name="p", origin="unix", role=role)
    permit(may, principal)
    if may_not:
        with pytest.raises(Forbidden):
            permit(may_not, principal)


def test_the_system_has_no_door() -> None:
    assert GRANTS["system"] == frozenset()


async def test_on_tcp_every_route_but_health_wants_the_token(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: walks every route that there is, without a token and with a wrong one."""
    monkeypatch.setattr("supervisor.api.throttle.FREE", 10_000)
    async with supervisor.tcp_client() as without, supervisor.tcp_client({"Authorization": "Bearer wrong"}) as wrong:
        for route in all_routes():
            path = route.path.replace("{path:path}", "index.m3u8")
            for name in (
                "project_id",
                "node_id",
                "channel_id",
                "playlist_id",
                "item_id",
                "asset_id",
                "alarm_id",
                "claim_id",
                "media_root_id",
                "principal_id",
                "token_id",
            ):
                path = path.replace(f"{{{name}}}", NOBODY)
            for client in (without, wrong):
                for method in route.methods or ():
                    answer = await client.request(method, path)
                    if ROUTES[route.name] is Permission.OPEN:
                        assert answer.status_code in {200, 204}, path
                    else:
                        assert answer.status_code == 401, f"{method} {path}"
                        assert answer.json()["code"] == "unauthenticated"


async def test_on_tcp_a_path_that_does_not_exist_is_no_news_without_the_token(supervisor: Running) -> None:
    async with supervisor.tcp_client() as without:
        assert (await without.get("/api/v1/nothing")).status_code == 401
    assert (await supervisor.tcp.get("/api/v1/nothing")).status_code == 404


async def test_the_token_opens_tcp(supervisor: Running) -> None:
    answer = await supervisor.tcp.get("/api/v1/supervisor")
    assert answer.status_code == 200
    async with supervisor.tcp_client({"Authorization": f"Basic {supervisor.token}"}) as basic:
        assert (await basic.get("/api/v1/supervisor")).status_code == 401


async def test_another_host_name_is_refused_on_tcp(supervisor: Running) -> None:
    """P7: a web page whose name points at 127.0.0.1 cannot speak through a browser."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
        answer = await supervisor.tcp.get("/api/v1/supervisor", headers={"Host": host})
        assert answer.status_code == 403, host
    for host in ("localhost", "127.0.0.1:1234", "[::1]:99"):
        assert (await supervisor.tcp.get("/api/v1/supervisor", headers={"Host": host})).status_code == 200


async def test_files_that_guard_the_doors_are_this_users_alone(supervisor: Running) -> None:
    settings = supervisor.settings
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (settings.token_path, settings.socket_path)}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(settings.run_dir.stat().st_mode) == 0o700
    assert len(supervisor.token) >= 43


async def test_the_local_user_is_known_by_name_and_every_change_is_written_down(supervisor: Running) -> None:
    """P7: attributed and audited, done or refused, by both doors."""
    made = await supervisor.call("POST", "/projects", json={"name": "Sport"})
    await supervisor.call("POST", "/projects", json={"name": "Sport"}, expect=409)
    await supervisor.call("POST", "/projects", json={"nmae": "x"}, expect=422)
    await supervisor.tcp.post("/api/v1/projects", json={"name": "TCP"})
    async with supervisor.tcp_client() as without:
        await without.post("/api/v1/projects", json={"name": "Nobody"})
    await supervisor.call("GET", "/projects")
    rows = [row for row in await supervisor.audit() if row["action"] == "create_project"]
    told = [(row["principal"], row["origin"], row["outcome"], row["detail"].get("code")) for row in reversed(rows)]
    me = getpass.getuser()
    assert told == [
        (me, "unix", "done", None),
        (me, "unix", "refused", "taken"),
        (me, "unix", "refused", "invalid"),
        (me, "tcp 127.0.0.1", "done", None),
        ("nobody", "tcp 127.0.0.1", "refused", "unauthenticated"),
    ]
    assert rows[-1]["target"] == f"project:{made['id']}"
    assert supervisor.token not in str(await supervisor.audit())


async def test_reading_is_not_audited(supervisor: Running) -> None:
    await supervisor.call("GET", "/channels")
    assert await supervisor.audit() == []


async def test_a_body_that_is_too_large_is_refused_whole_or_in_pieces(supervisor: Running) -> None:
    body = b'{"name": "' + b"x" * (4 * 1024 * 1024) + b'"}'

    async def pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for content in (body, pieces()):
        answer = await supervisor.unix.post(
            "/api/v1/projects", content=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await supervisor.call("GET", "/projects"))["items"] == []


REFUSALS: list[tuple[str, str, int, str]] = [
    ("GET", "/api/v1/channels/not-an-id", 422, "invalid"),
    ("GET", f"/api/v1/channels/{NOBODY}", 404, "not_found"),
    ("GET", "/api/v1/nothing", 404, "not_found"),
    ("PUT", "/api/v1/channels", 405, "method_not_allowed"),
    ("GET", "/api/v1/channels?limit=0", 422, "invalid"),
    ("GET", "/docs", 404, "not_found"),
    ("GET", "/openapi.json", 404, "not_found"),
    ("POST", f"/api/v1/alarms/{NOBODY}/acknowledge", 404, "not_found"),
]


async def test_every_error_is_a_problem_document(supervisor: Running) -> None:
    for method, path, status, code in REFUSALS:
        answer = await supervisor.unix.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["code"]) == (status, code)
        assert problem["title"]


async def test_a_body_that_is_not_json_is_a_problem_too(supervisor: Running) -> None:
    for body in (b"{", b"\xff", b"[1]", b""):
        answer = await supervisor.unix.post(
            "/api/v1/projects", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), body


async def test_a_fault_of_ours_tells_an_incident_and_no_trace(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> object:
        raise RuntimeError("a secret path")

    monkeypatch.setattr("supervisor.api.views.project", broken)
    answer = await supervisor.unix.post("/api/v1/projects", json={"name": "Sport"})
    assert answer.status_code == 500
    assert "incident" in answer.json()["detail"]
    assert "secret" not in answer.text
    assert (await supervisor.audit())[0]["outcome"] == "failed"


async def test_without_its_database_it_says_when_to_come_again(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: a fault of the watcher: the answer is 503, and health goes on."""
    from db.errors import StoreUnavailable

    def away(*_: object, **__: object) -> object:
        raise StoreUnavailable("the server closed the connection")

    monkeypatch.setattr("db.store.transaction", away)
    answer = await supervisor.unix.get("/api/v1/channels")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await supervisor.unix.get("/healthz")).status_code == 200
    assert (await supervisor.unix.get("/readyz")).status_code == 503
    assert (await supervisor.unix.post("/api/v1/projects", json={"name": "Lost"})).status_code == 503
    monkeypatch.undo()

    async def written() -> bool:
        return any(row["outcome"] == "failed" and row["detail"]["code"] == "unavailable" for row in await audit())

    async def audit() -> list[dict[str, Json]]:
        return await supervisor.audit() if (await supervisor.unix.get("/readyz")).status_code == 200 else []

    await eventually(written, "the audit row of what was tried meanwhile")


async def test_a_second_supervisor_is_refused_by_name(supervisor: Running) -> None:
    second = Application(supervisor.settings, Options(name="second"))
    with pytest.raises(Conflict, match=str(os.getpid())):
        await second.run()
    assert (await supervisor.unix.get("/healthz")).status_code == 200


async def test_a_body_that_comes_too_slowly_is_given_up(supervisor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.api.gate.BODY_S", 0.3)
    reader, writer = await asyncio.open_unix_connection(str(supervisor.settings.socket_path))
    head = (
        b"POST /api/v1/projects HTTP/1.1\r\nHost: mcr\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )
    writer.write(head + b'{"na')
    async with asyncio.timeout(60):
        assert b" 408 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("role", "project", "seen"),
    [
        ("admin", None, True),
        ("admin", "p", True),
        ("operator", "p", True),
        ("operator", "q", False),
        ("operator", None, False),
    ],
)
def test_a_thing_is_there_only_for_those_of_its_project(role: Role, project: str | None, seen: bool) -> None:
    """P7: what has no project is an admin's; what is another project's is not there, and not forbidden."""
    principal = Principal(name="p", origin="tcp 127.0.0.1", role=role, projects=frozenset({"p"}))
    if seen:
        require_sight(principal, project, "channel", "c")
    else:
        with pytest.raises(NotFound):
            require_sight(principal, project, "channel", "c")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
async def test_only_loopback_is_listened_on(short_home: Path, host: str) -> None:
    """P7: without TLS nothing but this machine reaches the TCP door."""
    application = Application(Settings(home=short_home), Options(host=host, name="here"))
    with pytest.raises(Invalid, match=r"in the clear|is no address"):
        await application.run()


async def test_a_token_that_others_can_read_is_not_used(short_home: Path) -> None:
    settings = Settings(home=short_home)
    settings.make_directories()
    settings.token_path.write_text("x" * 43)
    settings.token_path.chmod(0o644)
    with pytest.raises(Invalid, match="others"):
        await Application(settings, Options(name="here")).run()


async def test_the_token_stays_and_the_note_and_socket_go(short_home: Path) -> None:
    async with running_supervisor(short_home) as first:
        token, settings = first.token, first.settings
        assert settings.info_path.exists()
    assert not settings.info_path.exists()
    assert not settings.socket_path.exists()
    async with running_supervisor(short_home) as second:
        assert second.token == token
        answer = await second.tcp.get("/api/v1/supervisor")
        assert answer.status_code == 200


async def test_shutting_down_ends_open_streams_and_answers_under_way(supervisor: Running) -> None:
    """P5's other half: the supervisor goes quickly, whoever still listens."""
    async with supervisor.unix.stream("GET", "/api/v1/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines)
        answer = await supervisor.unix.post("/api/v1/supervisor/shutdown", json={})
        assert answer.json() == {"stopped": 0}
        async with asyncio.timeout(60):
            async for _ in lines:
                pass
    assert await asyncio.wait_for(supervisor.task, 60) == 0
    with pytest.raises(httpx.TransportError):
        await supervisor.unix.get("/healthz")


async def test_letting_the_leash_go_ends_it(short_home: Path) -> None:
    reading, writing = os.pipe()
    async with running_supervisor(short_home, leash_fd=reading) as running:
        os.close(writing)
        assert await asyncio.wait_for(running.task, 60) == 0
    os.close(reading)


def test_nobody_is_nobody() -> None:
    with pytest.raises(Unauthenticated):
        permit("take", None)


async def test_idle_connections_of_tcp_do_not_lock_the_local_user_out(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: whoever reaches the port, without a token, takes neither the other door's room nor this one's for long."""
    monkeypatch.setattr("supervisor.api.doors.TCP_CONNECTIONS", 3)
    monkeypatch.setattr("supervisor.api.doors.UNIX_CONNECTIONS", 3)
    monkeypatch.setattr("supervisor.api.doors.HEAD_S", 0.5)
    idle = [await asyncio.open_connection(supervisor.host, supervisor.port) for _ in range(3)]
    async with supervisor.tcp_client() as late:
        answer = await late.get("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await supervisor.unix.get("/healthz")).status_code == 200
    for reader, writer in idle:
        writer.write(b"GET /healthz HTTP/1.1\r\n")  # a head that is never finished is no request
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(60):
                assert await reader.read() == b""
        writer.close()
    async with supervisor.tcp_client() as again:
        assert (await again.get("/healthz")).status_code == 200
