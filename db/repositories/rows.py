"""What the repositories have in common: read one row, change it by its rev, name the constraint that refused."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Executable, Table, UniqueConstraint, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing, StaleRev, Taken
from db.models import (
    Asset,
    Base,
    Channel,
    MediaRoot,
    Node,
    Playlist,
    Principal,
    Project,
    Recorder,
    Schedule,
    WatchedFolder,
)

Row = TypeVar("Row", Principal, Project, Node, Channel, Recorder, Asset, Playlist, MediaRoot, WatchedFolder, Schedule)
RevRow = TypeVar("RevRow", Principal, Project, Node, Channel, Recorder, Asset, Schedule)


def table_of(model: type[Base]) -> "Table[Any]":
    """For statements that are run often and hand out no rows: the ORM's own work costs more than the database's."""
    return cast("Table[Any]", model.__table__)


def upsert(session: AsyncSession, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say ON CONFLICT, in the dialect of the session's database."""
    return upsert_in(session.get_bind().dialect.name, model)


def upsert_in(dialect: str, model: "type[Base] | Table[Any]") -> postgresql.Insert | sqlite.Insert:
    """As ``upsert``, in the dialect of this name."""
    return postgresql.insert(model) if dialect == "postgresql" else sqlite.insert(model)


async def get_row(session: AsyncSession, model: type[Row], id: str) -> Row:  # noqa: A002
    """Raises ``Missing``."""
    row: Row | None = await session.scalar(_by_id(model), {"of": id})
    if row is None:
        raise Missing(model.__tablename__, id)
    return row


@cache
def _by_id(model: type[Base]) -> Executable:
    return select(model).where(table_of(model).c.id == bindparam("of"))


async def lock_rev(session: AsyncSession, model: type[RevRow], id: str, rev: int) -> RevRow:  # noqa: A002
    """The row, kept from others until the transaction ends. Raises ``Missing`` and ``StaleRev``."""
    row = await session.scalar(select(model).where(model.id == id).with_for_update())
    if row is None:
        raise Missing(model.__tablename__, id)
    if row.rev != rev:
        raise StaleRev(model.__tablename__, id, rev, row.rev)
    return row


async def require(
    session: AsyncSession,
    model: type[Project] | type[Node] | type[Playlist] | type[Asset] | type[Channel] | type[Recorder],
    id: object,  # noqa: A002
) -> None:
    """That the row exists and stays until the transaction ends; None is nobody. Raises ``Missing``."""
    if id is None:
        return
    found = await session.scalar(select(model.id).where(model.id == id).with_for_update(read=True, key_share=True))
    if found is None:
        raise Missing(model.__tablename__, str(id))


async def update_by_rev(
    session: AsyncSession,
    model: type[RevRow],
    id: str,  # noqa: A002
    rev: int,
    changes: Mapping[str, object],
) -> RevRow:
    """Compare-and-set in one statement; raises ``Missing``, ``StaleRev`` and ``Taken``."""
    statement = (
        update(model)
        .where(model.id == id, model.rev == rev)
        .values({**changes, "rev": model.rev + 1})
        .returning(model)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    async with naming_what_is_taken(session, model, changes):
        row = await session.scalar(statement)
    if row is None:
        raise await why_not(session, model, id, rev)
    return row


async def why_not(
    session: AsyncSession,
    model: type[RevRow],
    id: str,  # noqa: A002
    rev: int,
) -> Missing | StaleRev:
    """Why a compare-and-set found no row."""
    is_ = await session.scalar(select(model.rev).where(model.id == id))
    return Missing(model.__tablename__, id) if is_ is None else StaleRev(model.__tablename__, id, rev, is_)


async def insert_row(
    session: AsyncSession,
    row: Principal | Project | Node | Channel | Recorder | Asset | Playlist | MediaRoot | WatchedFolder | Schedule,
) -> None:
    """Raises ``Taken``."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    async with naming_what_is_taken(session, type(row), values):
        session.add(row)
        await session.flush()


@asynccontextmanager
async def naming_what_is_taken(
    session: AsyncSession, model: type[Base], values: Mapping[str, object]
) -> AsyncGenerator[None, None]:
    """Turns a broken unique constraint into ``Taken``; the transaction around it can go on (a savepoint)."""
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as error:
        columns = _broken_unique(error, model)
        if columns is None:
            raise
        field = columns[0]
        raise Taken(field, values.get(field), model.__tablename__) from error


def _broken_unique(error: IntegrityError, model: type[Base]) -> Sequence[str] | None:
    text = str(error.orig)
    if match := re.search(r"UNIQUE constraint failed: (.+)", text):
        return [name.strip().partition(".")[2] for name in match[1].split(",")]
    for constraint in model.metadata.tables[model.__tablename__].constraints:
        if isinstance(constraint, UniqueConstraint) and f'"{constraint.name}"' in text:
            return [column.key for column in constraint.columns]
    return None


def checked(values: Mapping[str, object], allowed: frozenset[str]) -> dict[str, object]:
    """``values`` if it names nothing else than what may be set from outside; raises ``ValueError``."""
    if unknown := values.keys() - allowed:
        raise ValueError(f"cannot be set here: {', '.join(sorted(unknown))}")
    return dict(values)
