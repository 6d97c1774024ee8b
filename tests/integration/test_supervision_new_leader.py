"""A new leader looks at what it leads at once, whatever became of what it asked before."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from db.store import Store
from db.transaction import Transaction
from tests.fixtures.agents import NodeHome
from tests.fixtures.stations import FOREVER, station


class LossyStore(Store):
    """Whoever reads before so many writes were made is never answered, as when the way is cut under a question."""

    def __init__(self, url: str, until_writes: int) -> None:
        super().__init__(url)
        self.until_writes = until_writes
        self.writes = 0
        self.lost = 0

    def read(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        return self._read(super().read(timeout=timeout))

    def write(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        return self._write(super().write(timeout=timeout))

    @asynccontextmanager
    async def _read(self, real: AbstractAsyncContextManager[Transaction]) -> AsyncGenerator[Transaction, None]:
        if self.writes < self.until_writes:
            self.lost += 1
            await asyncio.Event().wait()
        async with real as tx:
            yield tx

    @asynccontextmanager
    async def _write(self, real: AbstractAsyncContextManager[Transaction]) -> AsyncGenerator[Transaction, None]:
        async with real as tx:
            yield tx
        self.writes += 1


async def test_what_was_asked_before_the_term_is_asked_again(node_home: NodeHome) -> None:
    """P6, I11: found by seed 3086, where a channel stayed dark for as long as a transaction may take."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
    (process,) = node_home.processes()
    # The node's own row is written first, then the lease is.
    store = LossyStore(f"sqlite:///{node_home.path / 'mcr.db'}", until_writes=2)
    async with station(node_home, store) as here:
        assert store.lost > 0
        await here.on_air(row.id, epoch=1)
        assert node_home.processes() == [process]
    await store.close()
