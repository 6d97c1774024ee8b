"""A client's door to the simulated database: a look-alike of ``db.store.Store``."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from db.engines import TRANSACTION_TIMEOUT
from db.errors import StoreUnavailable
from db.transaction import Transaction, speaking
from tests.simulation.database import Database, Served
from tests.simulation.session import SimSession


@dataclass(eq=False, slots=True)
class Way:
    """The network between one client and the database. ``requests`` and ``answers``: whether they arrive."""

    requests: bool = True
    answers: bool = True


class SimStore:
    """The real repositories, with the real transaction's deadlines and words. ``pauses``: the share of transactions
    in which every statement lets others run. ``monotonic`` is the client's clock."""

    def __init__(
        self,
        database: Database,
        *,
        way: Way | None = None,
        dialect: Literal["sqlite", "postgresql"] = "postgresql",
        timeout: float = TRANSACTION_TIMEOUT,
        chance: random.Random | None = None,
        pauses: float = 0.1,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.dialect: Literal["sqlite", "postgresql"] = dialect
        self.database = database
        self.way = way or Way()
        self._timeout = timeout
        self._chance = chance or random.Random(0)
        self._pauses = pauses
        self._monotonic = monotonic

    def read(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        """As in ``Store``."""
        return self._transaction(timeout or self._timeout, writes=False)

    def write(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        """As in ``Store``."""
        return self._transaction(timeout or self._timeout, writes=True)

    async def close(self) -> None:
        """As in ``Store``; the server lives on."""

    @asynccontextmanager
    async def _transaction(self, timeout: float, *, writes: bool) -> AsyncGenerator[Transaction, None]:
        deadline = asyncio.timeout(timeout)
        try:
            # What the real one allows for undoing takes no time here.
            async with deadline:
                began = self._monotonic()
                await self._request()
                served = await self.database.begin(began, writes=writes)
                connection = served.line.connection
                session = Session(connection, expire_on_commit=False, autoflush=False)
                try:
                    with speaking():
                        spoken = SimSession(session, connection, self._statement(served), lambda: not served.over)
                        yield Transaction(cast("AsyncSession", spoken))
                        if writes:
                            await self._commit(served, session, appends=spoken.appends)
                finally:
                    self._leave(served, session)
        except TimeoutError as error:
            if deadline.expired():
                raise StoreUnavailable(f"the transaction did not end within {timeout:g} s") from error
            raise

    def _statement(self, served: Served) -> "Callable[[], asyncio.Future[None]]":
        pauses = self._chance.random() < self._pauses

        async def before() -> None:
            if served.over or self.database.health != "up" or not (self.way.requests and self.way.answers):
                self.database.require_open(served)
                await self._request()
                await self._answer()
            elif pauses:
                await asyncio.sleep(self._chance.uniform(0.0002, 0.003))
                self.database.require_open(served)
            served.touched = self.database.now()

        return cast("Callable[[], asyncio.Future[None]]", before)

    async def _request(self) -> None:
        """On its way to the server; for ever, when the way is cut or the server stands."""
        self.database.require_up()
        await asyncio.sleep(self._chance.uniform(0.0002, 0.002))
        if not self.way.requests:
            await _never()
        if self.database.health == "frozen":
            thawed = asyncio.get_running_loop().create_future()
            self.database.held.append(lambda: thawed.done() or thawed.set_result(None))
            await thawed
        self.database.require_up()

    async def _answer(self) -> None:
        if not self.way.answers:
            await _never()

    async def _commit(self, served: Served, session: Session, *, appends: bool) -> None:
        database = self.database
        if not served.over:
            session.flush()
        late: float | None = None
        if self._chance.random() < database.late_commits:
            late = self._chance.uniform(0.5, 8.0)
        elif appends and database.late_append is not None:
            late, database.late_append = database.late_append, None
        if late is not None:
            # The request lies in a buffer on its way; the client gives up before it arrives.
            served.commits = True
            asyncio.get_running_loop().call_later(late, self._finish_late, served, context=Context())
            await _never()
        await self._request()
        database.commit(served)
        if self._chance.random() < database.lost_answers:
            if self._chance.random() < 0.5:
                await _never()
            raise StoreUnavailable("connection was closed in the middle of operation")
        await self._answer()

    def _finish_late(self, served: Served) -> None:
        if self.database.health == "up" and not served.over:
            self.database.commit(served)

    def _leave(self, served: Served, session: Session) -> None:
        """The client's end of it. A server that cannot be reached finds out by itself."""
        if session.identity_map or session.new:
            session.expunge_all()
        if not served.over and not served.commits and self.way.requests and self.database.health != "frozen":
            self.database.end(served, "it was rolled back")


async def _never() -> None:
    await asyncio.get_running_loop().create_future()
