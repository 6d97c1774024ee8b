"""The lease on PostgreSQL, on a connection of its own, with a session's advisory lock as the quick signal.

Every supervisor holds a lock that is named by its holder id for as long as its session lives. When the lock of the
lease's holder is free, its session has ended: its process is dead or its connection cut, and the lease may be taken
before it expires, with a higher term. The lock is no more than that. A frozen holder, and one cut off where the server
does not notice, keeps it for ever: then the lease expires and decides without it. And one that wakes holds nothing but
its own lock, so that it stands in nobody's way.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator
from typing import NamedTuple

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from db import elector_connection
from db.errors import StoreUnavailable, TransactionPooler
from db.repositories.leader import Fence, Leaders, Leadership
from db.transaction import connecting, speaking

_CLOSING = 1.0
_POOLERS_MARKS = {"42P05": "it has prepared statements of others", "26000": "it lost a prepared statement of ours"}

_HELD_BY = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32) | objid::bigint = :key
"""
_SELF = text(f"SELECT pg_backend_pid() AS pid, pg_backend_pid() IN ({_HELD_BY}) AS locked")
_LOCK = text("SELECT pg_try_advisory_lock(:key)")
# After a restart of PostgreSQL every lock is free, also those of the living: they have until the next lease to lock
# again. A lease that was renewed since was renewed by a session that had its lock.
_OF_ANOTHER = text(
    f"SELECT ({_HELD_BY}) AS pid, pg_backend_pid() AS ours, "
    "pg_postmaster_start_time() < CAST(:expires_at AS timestamptz) - make_interval(secs => :ttl) AS renewed_since"
)


class _Link(NamedTuple):
    """``pid`` is of the server's process behind the connection."""

    connection: AsyncConnection
    pid: int


class PostgresqlElector:
    """An ``Elector``; see there. Its connection is made anew after every failure."""

    def __init__(self, url: URL, *, timeout: float) -> None:
        """``timeout`` in seconds is for each call, connecting included."""
        self._timeout = timeout
        self._opener = elector_connection.Opener()
        # Each statement is its own transaction: a supervisor that freezes leaves no row locked.
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"async_creator_fn": self._opener.open},
        )
        self._link: _Link | None = None
        self.other: Leadership | None = None

    async def attempt(self, holder: str, address: str, ttl: float, above: int = 0) -> Leadership | None:
        async with self._deadline():
            if self._link is not None:
                try:
                    return await self._attempt(self._link, holder, address, ttl, above)
                except StoreUnavailable:
                    # What was lost may be the connection alone, and the lease runs.
                    await self._drop()
            return await self._attempt(await self._connect(), holder, address, ttl, above)

    async def release(self, fence: Fence) -> None:
        async with self._deadline():
            link = self._link or await self._connect()
            async with _speaking(), _session(link) as session:
                await Leaders(session).release(fence)

    async def close(self) -> None:
        await self._drop()
        await self._engine.dispose()

    async def _attempt(self, link: _Link, holder: str, address: str, ttl: float, above: int) -> Leadership | None:
        async with _speaking(), _session(link) as session:
            await self._hold_lock(session, link, holder)
            leaders = Leaders(session)
            held = await leaders.acquire(holder, address, ttl, above=above)
            other = await leaders.get() if held is None else None
            if other is not None and await self._is_gone(session, other, ttl):
                held = await leaders.acquire(holder, address, ttl, seize=other.fence, above=above)
                other = await leaders.get() if held is None else None
        self.other = other
        return held

    async def _hold_lock(self, session: AsyncSession, link: _Link, holder: str) -> None:
        """Tried again at every attempt: an older session of ours may have it for as long as the server keeps it."""
        pid, locked = (await session.execute(_SELF, {"key": _key(holder)})).one()
        if pid != link.pid:
            raise TransactionPooler(f"one connection spoke with server process {link.pid}, then with {pid}")
        if not locked:
            await session.scalar(_LOCK, {"key": _key(holder)})

    async def _is_gone(self, session: AsyncSession, other: Leadership, ttl: float) -> bool:
        values = {"key": _key(other.holder), "expires_at": other.expires_at, "ttl": ttl}
        pid, ours, renewed_since = (await session.execute(_OF_ANOTHER, values)).one()
        if pid == ours:
            raise TransactionPooler(f"server process {ours} is shared with another supervisor")
        return pid is None and bool(renewed_since)

    async def _connect(self) -> _Link:
        with connecting():
            connection = await self._engine.connect()
        async with _speaking():
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        self._link = _Link(connection, pid)
        return self._link

    async def _drop(self) -> None:
        """At once: a connection in an unknown state is of no more use, and may not answer to its closing."""
        link, self._link = self._link, None
        self._opener.terminate()
        if link is not None:
            # With the driver gone there is nobody to talk to: SQLAlchemy puts its own things away.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_CLOSING):
                    await link.connection.close()

    @contextlib.asynccontextmanager
    async def _deadline(self) -> AsyncGenerator[None, None]:
        deadline = asyncio.timeout(self._timeout)
        try:
            async with deadline:
                yield
        except TimeoutError as error:
            await self._drop()
            if not deadline.expired():
                raise
            raise StoreUnavailable(f"the lease could not be asked for within {self._timeout:g} s") from error
        except BaseException:
            await self._drop()
            raise


@contextlib.asynccontextmanager
async def _session(link: _Link) -> AsyncGenerator[AsyncSession, None]:
    async with AsyncSession(link.connection, expire_on_commit=False, autoflush=False) as session:
        yield session


@contextlib.asynccontextmanager
async def _speaking() -> AsyncGenerator[None, None]:
    try:
        with speaking():
            try:
                yield
            except DBAPIError as error:
                seen = _POOLERS_MARKS.get(str(getattr(error.orig, "sqlstate", "")))
                if seen is None:
                    raise
                raise TransactionPooler(seen) from error
    except OSError as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error


def _key(holder: str) -> int:
    """The advisory lock of a holder: 64 bits, so that no two are the same."""
    return int.from_bytes(hashlib.sha256(f"mcr leader {holder}".encode()).digest()[:8], "big", signed=True)
