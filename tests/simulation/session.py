"""A synchronous SQLAlchemy session with the methods of AsyncSession that the repositories use."""

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Result
from sqlalchemy.orm import Session, SessionTransaction

from db.errors import StoreUnavailable
from db.models import AsRun


class Savepoint:
    """What ``begin_nested`` gives."""

    def __init__(self, session: Session, lives: Callable[[], bool]) -> None:
        self._session = session
        self._lives = lives
        self._inner: SessionTransaction

    async def __aenter__(self) -> "Savepoint":
        self._inner = self._session.begin_nested()
        self._inner.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lives() and not isinstance(error, StoreUnavailable):
            # Else there is no transaction any more in which anything could be undone.
            self._inner.__exit__(kind, error, traceback)


class SimConnection:
    """What ``connection`` gives."""

    def __init__(self, connection: Connection, before: Callable[[], Awaitable[None]]) -> None:
        self._connection = connection
        self._before = before

    async def execute(self, statement: Any, parameters: Sequence[Any] | None = None) -> Result[Any]:
        await self._before()
        return self._connection.execute(statement, parameters)


class SimSession:
    """All SQL is the real code's, and the database is real; only nothing waits for a thread.

    ``before`` is awaited ahead of every statement: where a network would be. ``lives``: whether the transaction does.
    """

    def __init__(
        self,
        session: Session,
        connection: Connection,
        before: Callable[[], Awaitable[None]],
        lives: Callable[[], bool],
    ) -> None:
        self._session = session
        self._connection = connection
        self._before = before
        self._lives = lives
        self.appends = False
        """It writes to the as-run log."""

    async def scalar(self, statement: Any, *more: Any, **named: Any) -> Any:
        await self._before()
        return self._of(statement).scalar(statement, *more, **named)

    async def scalars(self, statement: Any, *more: Any, **named: Any) -> Any:
        await self._before()
        return self._of(statement).scalars(statement, *more, **named)

    async def execute(self, statement: Any, *more: Any, **named: Any) -> Any:
        await self._before()
        self.appends |= isinstance(statement, Insert) and statement.table is AsRun.__table__
        return self._of(statement).execute(statement, *more, **named)

    def _of(self, statement: Any) -> Session | Connection:
        """Who carries it out: what hands out no rows of the ORM the session only passes on."""
        return self._session if statement._propagate_attrs else self._connection

    async def get(self, model: Any, key: Any, **named: Any) -> Any:
        await self._before()
        return self._session.get(model, key, **named)

    async def flush(self) -> None:
        await self._before()
        self._session.flush()

    async def connection(self) -> SimConnection:
        return SimConnection(self._connection, self._before)

    def add(self, row: object) -> None:
        self._session.add(row)

    def add_all(self, rows: Sequence[object]) -> None:
        self._session.add_all(rows)

    def begin_nested(self) -> Savepoint:
        return Savepoint(self._session, self._lives)

    def get_bind(self) -> Engine | Connection:
        return self._session.get_bind()
