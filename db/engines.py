"""Engines: how connections to each database are made, bounded and told to keep their promises."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from db import sqlite_connection

TRANSACTION_TIMEOUT = 10.0
"""Seconds for a whole transaction."""
CONNECT_TIMEOUT = 2.0
POOL_TIMEOUT = 5.0
STATEMENT_TIMEOUT_MS = 8000
LOCK_TIMEOUT_MS = 4000
IDLE_TIMEOUT_MS = 10_000
"""PostgreSQL ends a transaction whose client froze in the middle of it, and frees its locks."""
BUSY_TIMEOUT_MS = 5000
CACHE_KIB = 512
"""Pages that each connection to SQLite keeps, where by itself it would be 2,000. There are up to nine, each would keep
the same ones once the log is proven, and the system keeps them for all."""

_OLDEST_SQLITE = (3, 35, 0)


@dataclass(frozen=True, slots=True)
class Engines:
    """Where readers and where writers get their connections."""

    reader: AsyncEngine
    writer: AsyncEngine

    async def close(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()


def postgresql_engines(url: URL) -> Engines:
    """One pool for both; a reader sees one snapshot for the whole of its transaction, as it does on SQLite."""
    engine = create_async_engine(
        url,
        pool_size=5,
        max_overflow=5,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT,
            "server_settings": {
                "application_name": "mcr",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
            },
        },
    )
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(reader=reader, writer=engine)


def sqlite_engines(url: URL) -> Engines:
    """Readers beside one writer. The writer's pool of one is also the queue in which writers wait their turn."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    reader = create_async_engine(
        url, async_creator=_sqlite_creator(url), pool_size=4, max_overflow=4, pool_timeout=POOL_TIMEOUT
    )
    writer = create_async_engine(
        url, async_creator=_sqlite_creator(url), pool_size=1, max_overflow=0, pool_timeout=POOL_TIMEOUT
    )
    _prepare_sqlite(reader, begin="BEGIN", pragmas=("query_only = ON",))
    _prepare_sqlite(writer, begin="BEGIN IMMEDIATE")
    return Engines(reader=reader, writer=writer)


def migration_engine(url: URL) -> AsyncEngine:
    """For one connection without deadlines: a migration takes as long as it takes."""
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url, poolclass=NullPool, connect_args={"timeout": CONNECT_TIMEOUT})
    engine = create_async_engine(url, async_creator=_sqlite_creator(url), poolclass=NullPool)
    # Batch mode copies a table and drops the old one, which would take referring rows along.
    # A supervisor that starts waits longer for whoever still writes: what goes away may take that long to let go.
    patience = (f"busy_timeout = {4 * BUSY_TIMEOUT_MS}",)
    _prepare_sqlite(engine, begin="BEGIN IMMEDIATE", foreign_keys=False, pragmas=patience)
    return engine


def _sqlite_creator(url: URL) -> Callable[[], Awaitable[sqlite_connection.Connection]]:
    async def connect() -> sqlite_connection.Connection:
        connection = sqlite_connection.Connection(url.database or "")
        await connection
        return connection

    return connect


def _prepare_sqlite(
    engine: AsyncEngine, *, begin: str, foreign_keys: bool = True, pragmas: tuple[str, ...] = ()
) -> None:
    """SQLAlchemy's documented recipe: the driver begins nothing by itself, the engine says how to begin.

    With BEGIN DEFERRED a writer that has read before fails at once when another wrote meanwhile, and the busy
    timeout does not help; BEGIN IMMEDIATE waits its turn.
    """
    settings = (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        # FULL: a commit that was answered survives a power cut. NORMAL may lose the last ones.
        "synchronous = FULL",
        f"cache_size = -{CACHE_KIB}",
        f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        *pragmas,
    )

    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
