"""People and services, their tokens, and what becomes of both (P7)."""

import asyncio
import getpass
import os
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from db.store import Store
from supervisor.api.authentication import Connection, authenticate, read_or_make_token
from supervisor.clock import SystemClock
from supervisor.people import People, new_token
from tests.fixtures.people import client_of, person
from tests.fixtures.running import Json, Running, eventually


async def test_a_token_names_its_principal_until_it_is_revoked(supervisor: Running) -> None:
    principal_id, token = await person(supervisor, "bob", "operator")
    async with client_of(supervisor, token) as bob:
        me = (await bob.get("/api/v1/me")).json()
        assert (me["name"], me["role"], me["origin"], me["grants"]) == ("bob", "operator", "tcp 127.0.0.1", [])
        assert (await bob.post("/api/v1/projects", json={"name": "x"})).status_code == 403

        async def refusal() -> list[Json] | None:
            # A row waits for the database longer than its answer does.
            return [row for row in await supervisor.audit() if row["action"] == "create_project"] or None

        rows = await eventually(refusal, "its refusal is in the audit log", 30.0)
        told = [(row["principal"], row["origin"], row["outcome"], row["detail"]["code"]) for row in rows]
        assert told == [("bob", "tcp 127.0.0.1", "refused", "forbidden")]
        [listed] = (await supervisor.call("GET", f"/tokens?principal_id={principal_id}"))["items"]
        assert "token" not in listed
        assert listed["created_by"] == getpass.getuser()
        assert 89 <= (datetime.fromisoformat(listed["expires_at"]) - datetime.now(UTC)).days <= 90

        async def used() -> Json:
            return (await supervisor.call("GET", "/tokens"))["items"][0]["last_used_from"]

        assert await eventually(used, "the last use is shown") == "tcp 127.0.0.1"
        await supervisor.call("POST", f"/tokens/{listed['id']}/revoke")
        assert (await bob.get("/api/v1/me")).status_code == 401
    whole = str(await supervisor.audit()) + str((await supervisor.call("GET", "/tokens"))["items"])
    assert token not in whole
    assert token.split("_", 2)[2] not in whole
    for name in ("mcr.db", "mcr.db-wal"):
        assert token.partition("_")[2].partition("_")[2].encode() not in (supervisor.settings.home / name).read_bytes()


async def test_a_token_ends_by_itself_and_with_its_principal(supervisor: Running) -> None:
    principal_id, token = await person(supervisor, "bob", "viewer")
    async with client_of(supervisor, token) as bob:
        assert (await bob.get("/api/v1/me")).status_code == 200
        row = await supervisor.call("GET", f"/principals/{principal_id}")
        row = await supervisor.call("PATCH", f"/principals/{principal_id}", json={"active": False}, rev=row["rev"])
        assert (await bob.get("/api/v1/me")).status_code == 401
        await supervisor.call("POST", f"/principals/{principal_id}/tokens", json={"label": "x"}, expect=409)
        row = await supervisor.call("PATCH", f"/principals/{principal_id}", json={"active": True}, rev=row["rev"])
        assert (await bob.get("/api/v1/me")).status_code == 200
        store = Store(supervisor.settings.store_url)
        async with store.write() as tx:
            past = datetime.now(UTC) - timedelta(seconds=1)
            token_id, expired, digest = new_token()
            await tx.principals.add_token(token_id, digest, principal_id, "old", by="x", now=past, expires_at=past)
        await store.close()
        await supervisor.call("POST", f"/tokens/{token_id}/revoke")  # which has it read at once
        async with client_of(supervisor, expired) as late:
            assert (await late.get("/api/v1/me")).status_code == 401
        await supervisor.call("DELETE", f"/principals/{principal_id}", rev=row["rev"])
        assert (await bob.get("/api/v1/me")).status_code == 401
    assert (await supervisor.call("GET", "/tokens"))["items"] == []


async def test_wrong_tokens_are_told_to_wait_and_a_right_one_never(supervisor: Running) -> None:
    _, token = await person(supervisor, "bob", "viewer")
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    async with client_of(supervisor, wrong) as thief, client_of(supervisor, token) as bob:
        answers = [(await thief.post("/api/v1/projects", json={})).status_code for _ in range(15)]
        assert answers == [401] * 10 + [429] * 5
        refused = await thief.get("/api/v1/me")
        assert refused.json()["code"] == "too_many"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert (await bob.get("/api/v1/me")).status_code == 200
        assert (await supervisor.tcp.get("/api/v1/me")).status_code == 200

    # Who floods the door does not flood the log.
    async def told() -> bool:
        return len([row for row in await supervisor.audit() if row["principal"] == "nobody"]) == 10

    await eventually(told, "ten rows of nobody's, and no more", 30.0)


async def test_the_stream_of_who_is_let_out_ends(supervisor: Running) -> None:
    _, token = await person(supervisor, "bob", "viewer")
    async with client_of(supervisor, token) as bob, bob.stream("GET", "/api/v1/events") as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("id:")
        [listed] = (await supervisor.call("GET", "/tokens"))["items"]
        await supervisor.call("POST", f"/tokens/{listed['id']}/revoke")
        async with asyncio.timeout(60):
            async for _ in lines:
                pass


async def test_the_unix_socket_takes_its_peer_for_whom_a_row_names(supervisor: Running) -> None:
    """Its own user and root are admins, others whom a row names, and everybody else is nobody."""
    for name, unix_user in (("by number", "4242"), ("by name", "daemon")):
        await supervisor.call("POST", "/principals", json={"name": name, "role": "operator", "unix_user": unix_user})
    store = Store(supervisor.settings.store_url)
    people = People(store, SystemClock())
    await people.load()
    await store.close()
    token = read_or_make_token(supervisor.settings.token_path)

    def taken_for(uid: int) -> tuple[str, str] | None:
        connection = Connection(peer_uid=uid, address=None, abort=lambda: None)
        found = authenticate(
            Request({"type": "http", "headers": [], "state": {"connection": connection}}), token, people
        )
        return None if found is None else (found.name, found.role)

    assert taken_for(4242) == ("by number", "operator")
    assert taken_for(1) == ("by name", "operator")
    assert taken_for(0) == ("root", "admin")
    assert taken_for(os.getuid()) == (getpass.getuser(), "admin")
    assert taken_for(4343) is None


async def test_a_stream_by_the_unix_socket_ends_when_its_user_is_no_more_the_principals(supervisor: Running) -> None:
    own = {"name": "me", "role": "admin", "unix_user": getpass.getuser()}
    row = await supervisor.call("POST", "/principals", json=own)
    async with supervisor.unix.stream("GET", "/api/v1/events") as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("id:")
        await supervisor.call("PATCH", f"/principals/{row['id']}", json={"unix_user": None}, rev=row["rev"])
        async with asyncio.timeout(60):
            async for _ in lines:
                pass


async def test_nobody_locks_out_the_supervisors_own_user(supervisor: Running) -> None:
    own = {"name": "me", "unix_user": getpass.getuser()}
    refused = await supervisor.call("POST", "/principals", json={**own, "role": "operator"}, expect=409)
    assert refused["code"] == "own_user"
    row = await supervisor.call("POST", "/principals", json={**own, "role": "admin"})
    for change in ({"role": "viewer"}, {"active": False}):
        path = f"/principals/{row['id']}"
        assert (await supervisor.call("PATCH", path, json=change, rev=row["rev"], expect=409))["code"] == "own_user"
    assert (await supervisor.call("GET", "/me"))["role"] == "admin"


async def test_the_token_of_the_home_opens_loopback_alone(supervisor: Running) -> None:
    token = read_or_make_token(supervisor.settings.token_path)
    header = [(b"authorization", f"Bearer {supervisor.token}".encode())]
    for address, admin in (("127.0.0.1", True), ("::1", True), ("192.0.2.7", False)):
        connection = Connection(peer_uid=None, address=address, abort=lambda: None)
        scope = {"type": "http", "headers": header, "state": {"connection": connection}}
        store = Store(supervisor.settings.store_url)
        found = authenticate(Request(scope), token, People(store, SystemClock()))
        await store.close()
        assert (found is not None and found.role == "admin") == admin, address


async def test_the_audit_log_is_searched_and_exported(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/projects", json={"name": "=Sport"})
    await supervisor.call("POST", "/projects", json={"name": "=Sport"}, expect=409)
    bob = await supervisor.call("POST", "/principals", json={"name": "bob", "role": "viewer"})
    await supervisor.call("PATCH", f"/principals/{bob['id']}", json={"role": "operator"}, rev=bob["rev"])

    async def written() -> bool:
        return len((await supervisor.call("GET", "/audit"))["items"]) == 4

    await eventually(written, "what was done and refused is in the audit log", 30.0)
    found = await supervisor.call("GET", "/audit", params={"action": "update_principal"})
    assert [(row["detail"]["before"], row["detail"]["after"]) for row in found["items"]] == [
        ({"role": "viewer"}, {"role": "operator"})
    ]
    refused = await supervisor.call("GET", "/audit", params={"outcome": "refused"})
    assert [row["detail"]["code"] for row in refused["items"]] == ["taken"]
    about = await supervisor.call("GET", "/audit", params={"target": made["id"]})
    assert [row["action"] for row in about["items"]] == ["create_project"]
    lines = (await supervisor.unix.get("/api/v1/audit/export?format=jsonl")).text.splitlines()
    assert len(lines) == 4
    table = (await supervisor.unix.get("/api/v1/audit/export")).text.splitlines()
    assert table[0] == "id,at,principal,origin,action,target,outcome,detail"
    assert len(table) == 5
