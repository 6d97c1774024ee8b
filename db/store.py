"""The door to the database: transactions with deadlines, on SQLite and PostgreSQL alike."""

from contextlib import AbstractAsyncContextManager
from typing import Literal

from db import schema
from db.channel_writes import ChannelWrites
from db.engines import TRANSACTION_TIMEOUT, postgresql_engines, sqlite_engines
from db.transaction import Transaction, connecting, transaction
from db.urls import database_url


class Store:
    """One database, for the life of the process.

    ``url`` is ``sqlite+aiosqlite:///path``, ``postgresql+asyncpg://…``, the same without a driver, or the path of a
    SQLite file. Nothing is opened before the first transaction.
    """

    def __init__(self, url: str, *, timeout: float = TRANSACTION_TIMEOUT) -> None:
        """``timeout`` in seconds is for a whole transaction. Raises ``ValueError`` for a URL that is neither."""
        self.url = database_url(url)
        self.dialect: Literal["sqlite", "postgresql"]
        if self.url.get_backend_name() == "sqlite":
            self.dialect = "sqlite"
            self._engines = sqlite_engines(self.url)
        else:
            self.dialect = "postgresql"
            self._engines = postgresql_engines(self.url)
        self._timeout = timeout
        self._channel_writes = ChannelWrites(self._engines.writer) if self.dialect == "sqlite" else None

    def read(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        """One consistent view, which blocks no writer; a change made in it is refused. Raises ``StoreUnavailable``."""
        return transaction(self._engines.reader, timeout or self._timeout, commit=False)

    def write(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        """Committed at the end of the block, undone by any error in it. Raises ``StoreUnavailable``.

        On SQLite one at a time, in the order in which they asked.
        """
        writing = transaction(self._engines.writer, timeout or self._timeout, commit=True)
        return writing if self._channel_writes is None else self._channel_writes.heard(writing)

    @property
    def channels_version(self) -> int | None:
        """Another number whenever a transaction of this store ended that may have changed a channel or its outputs;
        None where other processes write, too: rows kept in memory would not be known to be old."""
        return None if self._channel_writes is None else self._channel_writes.version

    async def migrate(self) -> None:
        """Brings the schema to this version's. Raises ``SchemaTooNew`` and ``StoreUnavailable``."""
        await schema.upgrade(self.url)

    async def check_schema(self) -> None:
        """Raises ``SchemaTooOld``, ``SchemaTooNew`` and ``StoreUnavailable``."""
        schema.check(await self.schema_revision())

    async def schema_revision(self) -> str | None:
        """The migration the database stands at; None when it is empty. Raises ``StoreUnavailable``."""
        with connecting():
            return await schema.current(self._engines.reader)

    async def close(self) -> None:
        """Closes every connection. Transactions that are still open fail."""
        await self._engines.close()
