"""The database's own clock: leases are given and judged by it, never by two hosts' clocks."""

from datetime import datetime

from sqlalchemy import ColumnElement, Float, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from db.models import Instant


class _DatabaseNow(FunctionElement[datetime]):
    inherit_cache = True
    name = "database_now"
    type = Instant()


def database_now(plus_seconds: ColumnElement[float] | float = 0.0) -> ColumnElement[datetime]:
    """The instant at which the statement runs, plus some seconds; milliseconds exact on SQLite."""
    return _DatabaseNow(plus_seconds)


class _SecondsUntil(FunctionElement[float]):
    inherit_cache = True
    name = "seconds_until"
    type = Float()


def seconds_until(instant: SQLColumnExpression[datetime | None]) -> ColumnElement[float]:
    """From the instant at which the statement runs; negative when it is past. Milliseconds exact on SQLite."""
    return _SecondsUntil(instant)


@compiles(_SecondsUntil, "sqlite")
def _sqlite_until(element: _SecondsUntil, compiler: SQLCompiler, **kw: object) -> str:
    return f"((julianday({compiler.process(element.clauses, **kw)}) - julianday('now')) * 86400.0)"


@compiles(_SecondsUntil, "postgresql")
def _postgresql_until(element: _SecondsUntil, compiler: SQLCompiler, **kw: object) -> str:
    until = compiler.process(element.clauses, **kw)
    return f"CAST(extract(epoch FROM ({until}) - clock_timestamp()) AS double precision)"


@compiles(_DatabaseNow, "sqlite")
def _sqlite_now(element: _DatabaseNow, compiler: SQLCompiler, **kw: object) -> str:
    # Six digits after the point, as SQLAlchemy stores instants: they are compared as text.
    seconds = compiler.process(element.clauses, **kw)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%+.3f seconds', {seconds})) || '000')"


@compiles(_DatabaseNow, "postgresql")
def _postgresql_now(element: _DatabaseNow, compiler: SQLCompiler, **kw: object) -> str:
    # clock_timestamp(), not now(), which stands still during a transaction.
    seconds = compiler.process(element.clauses, **kw)
    return f"(clock_timestamp() + make_interval(secs => {seconds}))"
