"""Who leads, and when another may: the lease, and on PostgreSQL the lock of a session that tells sooner (P1, P2)."""

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db.elector import Elector, StoreElector, elector
from db.errors import StoreUnavailable
from db.repositories.leader import Leadership
from db.store import Store
from tests.fixtures.postgres import PostgresServer

HOLDER = Path(__file__).with_name("elector_process.py")
TTL = 50.0
"""Longer than any of these tests takes on a busy machine."""


@contextlib.asynccontextmanager
async def electors(*stores: Store, timeout: float = 20.0) -> AsyncGenerator[list[Elector], None]:
    made = [elector(store, timeout=timeout) for store in stores]
    try:
        yield made
    finally:
        for one in made:
            await one.close()


@pytest.fixture
async def server_store(migrated_postgres_url: str) -> AsyncGenerator[Store, None]:
    store = Store(migrated_postgres_url)
    yield store
    await store.close()


async def attempt(one: Elector, holder: str, ttl: float = TTL) -> Leadership | None:
    return await one.attempt(holder, f"http://{holder}", ttl)


async def lead(one: Elector, holder: str, ttl: float = TTL) -> Leadership:
    held = await attempt(one, holder, ttl)
    assert held is not None, one.other
    assert one.other is None
    return held


async def lead_at_last(one: Elector, holder: str, ttl: float = TTL) -> Leadership:
    """Tries until it leads; the lease's own instants tell when it did."""
    async with asyncio.timeout(60):
        while True:
            held = await attempt(one, holder, ttl)
            if held is not None:
                return held
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def process(store: Store, holder: str, ttl: float = TTL) -> AsyncGenerator[Process, None]:
    url = store.url.render_as_string(hide_password=False)
    started = await asyncio.create_subprocess_exec(sys.executable, str(HOLDER), url, holder, str(ttl), stdout=PIPE)
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.wait()


async def says(one: Process) -> str:
    assert one.stdout is not None
    async with asyncio.timeout(60):
        return (await one.stdout.readline()).decode().strip()


async def leadership(store: Store) -> Leadership:
    async with store.read() as tx:
        found = await tx.leader.get()
    assert found is not None
    return found


async def test_one_leads_and_the_other_is_told_who(real_store: Store) -> None:
    async with electors(real_store) as (a,):
        b = StoreElector(real_store, timeout=20) if real_store.dialect == "sqlite" else elector(real_store, timeout=20)
        first = await lead(a, "a")
        assert await attempt(b, "b") is None
        assert b.other is not None
        assert (b.other.holder, b.other.address, b.other.term) == ("a", "http://a", first.term)
        assert (await lead(a, "a")).fence == first.fence, "renewed in its term"
        await a.release(first.fence)
        assert (await lead(b, "b")).term == first.term + 1, "at once, though nobody waited for the lease"
        assert await attempt(a, "a") is None
        await b.close()


async def test_alone_on_a_file_the_first_lease_is_seized_and_no_other(tmp_path: Path, migrated_file: Path) -> None:
    """The lock on the file proves that whoever has the lease is gone; it proves nothing about later ones."""
    store = Store(str(shutil.copy(migrated_file, tmp_path / "mcr.db")))
    gone, new = StoreElector(store, timeout=20), elector(store, timeout=20)
    first = await lead(gone, "gone")
    second = await lead(new, "new")
    assert second.term == first.term + 1
    await new.release(second.fence)
    await lead(gone, "gone")
    assert await attempt(new, "new") is None
    await store.close()


async def test_a_killed_leader_is_followed_before_its_lease_expires(server_store: Store) -> None:
    """P1: its session ends with it, and that is known at the next attempt."""
    async with electors(server_store) as (b,), process(server_store, "a") as a:
        assert await says(a) == "leads 1"
        assert await attempt(b, "b") is None
        a.send_signal(signal.SIGKILL)
        await a.wait()
        left = await leadership(server_store)
        held = await lead_at_last(b, "b")
        assert held.term == left.term + 1
        assert held.expires_at - timedelta(seconds=TTL) < left.expires_at, "it was the lock that told, not the lease"
        assert (await lead(b, "b")).fence == held.fence


async def test_a_frozen_leader_is_followed_when_its_lease_expires_and_changes_nothing_when_it_wakes(
    server_store: Store,
) -> None:
    """P1, P2: its kernel keeps its session, and its lock, alive for ever."""
    ttl = 4.0
    async with electors(server_store) as (b,), process(server_store, "a", ttl) as a:
        assert await says(a) == "leads 1"
        a.send_signal(signal.SIGSTOP)
        left = await leadership(server_store)
        assert await attempt(b, "b", ttl) is None, "its lease is trusted for as long as it runs"
        held = await lead_at_last(b, "b", ttl)
        assert held.term == left.term + 1
        assert held.expires_at - timedelta(seconds=ttl) >= left.expires_at
        a.send_signal(signal.SIGCONT)
        assert await says(a) == f"follows {held.term}"
        assert (await lead(b, "b", TTL)).fence == held.fence, "the one that woke stands in nobody's way"


async def test_a_leader_that_no_longer_renews_but_keeps_its_connection_is_followed_when_its_lease_expires(
    server_store: Store,
) -> None:
    ttl = 1.0
    async with electors(server_store, server_store) as (a, b):
        left = await lead(a, "a", ttl)
        held = await lead_at_last(b, "b", ttl)
        assert held.term == left.term + 1
        assert held.expires_at - timedelta(seconds=ttl) >= left.expires_at


async def test_of_many_that_see_it_gone_one_leads(server_store: Store) -> None:
    """P2: and nobody takes the lease from the one who was quickest."""
    async with electors(*[server_store] * 6) as (a, *others):
        first = await lead(a, "a")
        assert [await attempt(it, f"{number}") for number, it in enumerate(others)] == [None] * 5
        await a.close()
        await until_unlocked(server_store, 5)
        took = await asyncio.gather(*(attempt(it, f"{number}") for number, it in enumerate(others)))
        (winner,) = [held for held in took if held is not None]
        assert winner.term == first.term + 1
        again = await asyncio.gather(*(attempt(it, f"{number}") for number, it in enumerate(others)))
        assert [held.fence for held in again if held is not None] == [winner.fence]


async def test_its_connection_cut_by_the_server_costs_a_leader_nothing(server_store: Store) -> None:
    async with electors(server_store) as (a,):
        first = await lead(a, "a")
        await cut(server_store)
        assert (await lead(a, "a")).fence == first.fence
        assert await locks(server_store) == 1, "and it has its lock again"


async def test_an_older_session_that_the_server_keeps_is_waited_for(server_store: Store) -> None:
    """It leads by its lease, and goes on trying for its lock."""
    async with electors(server_store, server_store) as (old, new):
        first = await lead(old, "a")
        assert (await lead(new, "a")).fence == first.fence
        await old.close()
        await until_unlocked(server_store, 0)
        assert (await lead(new, "a")).fence == first.fence
        assert await locks(server_store) == 1


async def test_a_pool_without_a_free_connection_never_costs_the_lease(server_store: Store) -> None:
    async with electors(server_store) as (a,), contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(server_store.read())
        first = await lead(a, "a")
        assert (await lead(a, "a")).fence == first.fence


async def test_postgresql_restarted_leaves_the_leader_leading(
    server_store: Store, postgres_server: PostgresServer
) -> None:
    """P6: every lock is free then; that is the server's doing, and says nothing about who lives."""
    async with electors(server_store, server_store) as (a, b):
        first = await lead(a, "a", 60)
        assert await attempt(b, "b", 60) is None
        await asyncio.to_thread(postgres_server.stop)
        try:
            for one, holder in ((a, "a"), (b, "b")):
                with pytest.raises(StoreUnavailable):
                    await attempt(one, holder, 60)
        finally:
            await asyncio.to_thread(postgres_server.start)
        assert await attempt(b, "b", 60) is None, "the leader is given the time to come back"
        assert (await lead(a, "a", 60)).fence == first.fence
        assert await attempt(b, "b", 60) is None


async def test_a_row_that_somebody_keeps_locked_is_given_up_by_a_deadline(server_store: Store) -> None:
    async with electors(server_store, timeout=3.0) as (a,):
        first = await lead(a, "a")
        async with server_store._engines.writer.begin() as other:
            await other.execute(text("SELECT * FROM leader FOR UPDATE"))
            began = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await attempt(a, "a")
            assert time.monotonic() - began < 20
        assert (await lead(a, "a")).fence == first.fence


async def test_a_server_that_does_not_answer_is_given_up_by_a_deadline(tmp_path: Path) -> None:
    """A socket that takes connections and says nothing: what a cut network looks like."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        async with electors(Store(f"postgresql://postgres@/mcr?host={tmp_path}"), timeout=0.5) as (a,):
            for call in (attempt(a, "a"), a.close()):
                began = time.monotonic()
                with contextlib.suppress(StoreUnavailable):
                    assert await call is None
                assert time.monotonic() - began < 20


async def test_a_call_that_is_cancelled_leaves_it_usable(server_store: Store) -> None:
    async with electors(server_store) as (a,):
        first = await lead(a, "a")
        async with server_store._engines.writer.begin() as other:
            await other.execute(text("SELECT * FROM leader FOR UPDATE"))
            waiting = asyncio.create_task(attempt(a, "a"))
            await until_waiting(server_store)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert (await lead(a, "a")).fence == first.fence


async def locks(store: Store) -> int:
    async with store._engines.reader.connect() as connection:
        query = (
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
        return int((await connection.execute(text(query))).scalar_one())


async def until_unlocked(store: Store, count: int) -> None:
    async with asyncio.timeout(60):
        while await locks(store) > count:  # noqa: ASYNC110 - the server tells nobody that a session ended
            await asyncio.sleep(0.02)


async def until_waiting(store: Store) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mcr elector' AND wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while True:
            async with store._engines.reader.connect() as connection:
                if (await connection.execute(text(query))).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def cut(store: Store) -> None:
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'mcr elector' AND datname = current_database()"
    )
    async with store._engines.reader.connect() as connection:
        assert (await connection.execute(text(query))).all() == [(True,)]
    await until_unlocked(store, 0)
