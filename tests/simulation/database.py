"""The database server of the simulated world: a real SQLite behind it, PostgreSQL's manners in front."""

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from db.errors import StoreUnavailable
from tests.simulation.processes import BY_PEOPLE, OWNER, Process

IDLE_S: Final = 10.0
"""``idle_in_transaction_session_timeout`` of the real engine: a frozen client's transaction ends by itself."""
LOCK_S: Final = 4.0
_JULIAN: Final = datetime(2000, 1, 1, 12, tzinfo=UTC)

_COMING: Final = list[sqlite3.Connection]()
_ENGINE: Final = create_engine("sqlite://", creator=_COMING.pop, poolclass=NullPool)
"""Of all worlds of this process, so that each statement is compiled once."""
Health = Literal["up", "down", "frozen"]


@dataclass(eq=False, slots=True)
class Line:
    """A connection that is used again and again. What SQLAlchemy takes for its transaction never ends: begun, committed
    and undone it is past it, which costs a fraction."""

    raw: sqlite3.Connection
    connection: Connection
    writes: bool

    def begin(self) -> None:
        if not self.connection.in_transaction():
            self.connection.begin()
        if self.writes:
            self.raw.execute("BEGIN IMMEDIATE")
        else:
            self.raw.execute("BEGIN")
            # Its snapshot is of now, and not of its first statement.
            self.raw.execute("SELECT 1 FROM leader").close()

    def undo(self) -> None:
        if self.raw.in_transaction:
            nested = self.connection.get_nested_transaction()
            if nested is not None:
                nested.rollback()
            self.raw.rollback()


@dataclass(eq=False, slots=True)
class Served:
    """One transaction as the server has it. ``client`` is None for the world's own."""

    writes: bool
    client: Process | None
    line: Line
    touched: float
    over: str = ""
    """Why it ended, empty while it is open."""
    began: float = 0.0
    """When the client asked for it, on the client's own monotonic clock."""
    by_people: bool = False
    commits: bool = False
    """Its COMMIT is on its way: what the client does now cannot stop it."""


@dataclass(eq=False, slots=True)
class Waiting:
    """A writer in the queue."""

    served: Served
    granted: "asyncio.Future[None]"
    since: float


@dataclass(eq=False, slots=True)
class Database:
    """One writer at a time in the order in which they came; readers see one state. Its clock is its own.

    ``now`` is loop time, ``clock`` the machine's wall clock. ``committed`` is called after every commit.
    """

    path: Path
    now: Callable[[], float]
    clock: Callable[[], datetime]
    chance: random.Random
    committed: Callable[[Served], None] = lambda _: None
    health: Health = "up"
    lost_answers: float = 0.0
    """Share of commits that are done and whose answer is lost."""
    late_commits: float = 0.0
    """Share of commits that are done long after the client gave up."""
    late_append: float | None = None
    """So many seconds late comes the next commit of as-run records."""
    writer: Served | None = None
    queue: deque[Waiting] = field(default_factory=deque[Waiting])
    open: list[Served] = field(default_factory=list[Served])
    held: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    transactions: int = 0
    _raw: list[sqlite3.Connection] = field(default_factory=list[sqlite3.Connection])
    _lines: dict[bool, list[Line]] = field(default_factory=lambda: {True: [], False: []})
    """Those that are free, by whether they write."""
    _told_at: float = -1.0
    _told: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def _line(self, *, writes: bool) -> Line:
        if self._lines[writes]:
            return self._lines[writes].pop()
        raw = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        raw.create_function("strftime", -1, self._strftime)
        raw.create_function("julianday", 1, self._julianday)
        query_only = "OFF" if writes else "ON"
        for setting in ("busy_timeout = 0", "journal_mode = WAL", "synchronous = OFF", "foreign_keys = ON"):
            raw.execute(f"PRAGMA {setting}")
        raw.execute(f"PRAGMA query_only = {query_only}")
        self._raw.append(raw)
        _COMING.append(raw)
        return Line(raw, _ENGINE.connect(), writes)

    def _strftime(self, form: str, when: str, *changes: str) -> str:
        """What ``db.clock`` asks for, by this server's own clock; several times in one statement."""
        assert (form, when) == ("%Y-%m-%d %H:%M:%f", "now"), (form, when)
        now = self.now()
        if now != self._told_at:
            self._told_at = now
            self._told.clear()
        told = self._told.get(changes)
        if told is None:
            instant = self.clock()
            for change in changes:
                number, unit = change.split()
                assert unit == "seconds", change
                instant += timedelta(seconds=float(number))
            told = self._told[changes] = instant.replace(tzinfo=None).isoformat(" ", "milliseconds")
        return told

    def _julianday(self, text: str | None) -> float | None:
        if text is None:
            return None
        instant = self.clock() if text == "now" else datetime.fromisoformat(text).replace(tzinfo=UTC)
        return 2451545.0 + (instant - _JULIAN).total_seconds() / 86400.0

    # --- what a client's transaction comes to ---------------------------------------------------------------------

    async def begin(self, began: float, *, writes: bool) -> Served:
        """Raises StoreUnavailable; a writer waits for its turn."""
        self.require_up()
        self.transactions += 1
        line = self._line(writes=writes)
        served = Served(writes, OWNER.get(), line, self.now(), began=began, by_people=BY_PEOPLE.get())
        self.open.append(served)
        try:
            if writes and (self.writer is not None or self.queue):
                await self._turn(served)
            elif writes:
                self.writer = served
            served.line.begin()
        except BaseException as error:
            self.end(served, f"it could not begin: {error}")
            raise
        return served

    async def _turn(self, served: Served) -> None:
        waiting = Waiting(served, asyncio.get_running_loop().create_future(), self.now())
        self.queue.append(waiting)
        try:
            async with asyncio.timeout(LOCK_S):
                await waiting.granted
        except TimeoutError:
            raise StoreUnavailable("canceling statement due to lock timeout") from None
        finally:
            if waiting in self.queue:
                self.queue.remove(waiting)
        self.require_open(served)

    def require_up(self) -> None:
        if self.health == "down":
            raise StoreUnavailable("connection refused")

    def require_open(self, served: Served) -> None:
        self.require_up()
        if served.over:
            raise StoreUnavailable(served.over)

    def commit(self, served: Served) -> None:
        """Raises StoreUnavailable."""
        self.require_open(served)
        served.line.raw.commit()
        self.end(served, "it was committed")
        if served.writes:
            self.committed(served)

    def end(self, served: Served, why: str) -> None:
        """Rolled back, unless it was committed; whoever waits next has its turn."""
        if served.over:
            return
        served.over = why
        self.open.remove(served)
        served.line.undo()
        self._lines[served.writes].append(served.line)
        if self.writer is served:
            self.writer = None
            self._grant()

    def _grant(self) -> None:
        while self.queue and self.writer is None:
            waiting = self.queue.popleft()
            if not waiting.granted.done() and not waiting.served.over:
                self.writer = waiting.served
                waiting.served.touched = self.now()
                waiting.granted.set_result(None)

    # --- what happens to it ---------------------------------------------------------------------------------------

    def cut_all(self, why: str) -> None:
        """Every connection is lost, and what was not committed with it."""
        for served in tuple(self.open):
            self.end(served, why)

    def forget(self, client: Process) -> None:
        """The client's machine says that its sockets are closed."""
        for served in tuple(self.open):
            if served.client is client:
                self.end(served, "terminating connection: the client is gone")

    def watch_idle(self) -> None:
        """To be called now and then."""
        for served in tuple(self.open):
            if self.now() - served.touched > IDLE_S:
                self.end(served, "terminating connection due to idle-in-transaction timeout")

    def go(self, health: Health) -> None:
        if health == "down":
            self.cut_all("the database system is shutting down")
            self.held.clear()
        self.health = health
        if health == "up":
            held, self.held = self.held, []
            for work in held:
                work()

    def close(self) -> None:
        self.cut_all("the simulation is over")
        for line in (*self._lines[True], *self._lines[False]):
            line.connection.close()
        for raw in self._raw:
            raw.close()
