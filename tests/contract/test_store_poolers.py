"""A pooler between us and PostgreSQL: in transaction mode refused, in session mode fine. With a real PgBouncer."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from db.elector import elector
from db.errors import TransactionPooler
from db.postgresql_elector import PostgresqlElector
from db.store import Store
from tests.fixtures.pgbouncer import pgbouncer

TTL = 10.0


@contextlib.asynccontextmanager
async def through(url: str) -> AsyncGenerator[PostgresqlElector, None]:
    store = Store(url)
    made = elector(store, timeout=5)
    assert isinstance(made, PostgresqlElector)
    try:
        yield made
    finally:
        await made.close()
        await store.close()


@contextlib.asynccontextmanager
async def others_at_work(url: str, number: int) -> AsyncGenerator[None, None]:
    """Clients of the same pool with transactions of their own, all the time."""

    async def work(client: asyncpg.Connection) -> None:
        while True:
            await client.execute("BEGIN; SELECT pg_sleep(0.002); COMMIT")

    clients = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(number)]
    tasks = [asyncio.create_task(work(client)) for client in clients]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            client.terminate()


@pytest.mark.parametrize("pool_size", [1, 20])
async def test_a_transaction_pooler_is_refused_with_what_to_set(migrated_postgres_url: str, pool_size: int) -> None:
    """F19, P2: its lock would be whoever's session comes next."""
    with pgbouncer(migrated_postgres_url, "transaction", pool_size) as url:
        async with through(url) as one:
            for _ in range(3):
                with pytest.raises(TransactionPooler, match=r"pool_mode = session .* address of PostgreSQL itself"):
                    await one.attempt("a", "http://a", TTL)


async def test_a_busy_transaction_pooler_is_found_too(migrated_postgres_url: str) -> None:
    """With others between, no two connections need meet in one server process at the first look."""
    with pgbouncer(migrated_postgres_url, "transaction", 8) as url:
        async with others_at_work(url, 6):
            for number in range(5):
                async with through(url) as one:
                    with pytest.raises(TransactionPooler):
                        await one.attempt(f"{number}", "", TTL)


async def test_one_that_is_switched_to_transactions_later_is_found_at_an_attempt(migrated_postgres_url: str) -> None:
    """The look at the beginning is not all: no lock is trusted on a session that changed."""
    with pgbouncer(migrated_postgres_url, "transaction", 8) as url:
        async with through(url) as one, others_at_work(url, 6):
            one._opener._checked = True
            with pytest.raises(TransactionPooler):
                await attempt_often(one)


async def attempt_often(one: PostgresqlElector) -> None:
    for _ in range(200):
        await one.attempt("a", "http://a", TTL)


async def test_a_session_pooler_will_do(migrated_postgres_url: str) -> None:
    with pgbouncer(migrated_postgres_url, "session") as url:
        async with through(url) as a, through(url) as b, others_at_work(url, 3):
            first = await a.attempt("a", "http://a", TTL)
            assert first is not None
            for _ in range(3):
                again = await a.attempt("a", "http://a", TTL)
                assert again is not None
                assert again.fence == first.fence
                assert await b.attempt("b", "http://b", TTL) is None
            await a.close()
            async with asyncio.timeout(TTL / 2):
                while (held := await b.attempt("b", "http://b", TTL)) is None:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)
            assert held.term == first.term + 1, "the lock told, not the lease"


async def test_a_cut_network_is_noticed_within_seconds(migrated_postgres_url: str) -> None:
    """By the kernel: whether an answer is owed (user timeout) or not (keepalives), at our end and at the server's."""
    with pgbouncer(migrated_postgres_url, "session") as url:
        async with through(url) as one:
            assert await one.attempt("a", "http://a", TTL) is not None
            driver = one._opener._driver
            assert driver is not None
            end = driver._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # asyncpg's own
            tcp = [
                end.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            assert tcp == [3000, 2, 1, 3]
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            timeouts = [
                await driver.fetchval("SELECT current_setting($1)", f"{name}_timeout") for name in ("statement", "lock")
            ]
            assert timeouts == ["1500ms", "1s"]
