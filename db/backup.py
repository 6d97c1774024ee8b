"""Backups: every row of a database in one SQLite file, which is itself a database of its schema; and back from there.

The same file is taken from SQLite and from PostgreSQL and goes back into either. It is read in one transaction, so that
it shows one moment while others write on.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Table, delete, func, insert, select, text, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import schema
from db.engines import migration_engine, postgresql_engines, sqlite_engines
from db.errors import StoreError
from db.models import Base, Cluster, new_id
from db.transaction import connecting, speaking
from db.urls import database_url

PAGE: Final = 1000
"""Rows at a time: what is held in memory."""
_MAGIC: Final = b"SQLite format 3\x00"
_DIGEST: Final = 1 << 256
_CLUSTER: Final = Cluster.__tablename__


class BackupError(StoreError):
    """What was to be backed up or restored is not as it must be; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """``tables``: for each its number of rows, and a sum over their digests that does not depend on their order."""

    revision: str
    tables: Mapping[str, tuple[int, str]]

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())


async def back_up(url: str, path: Path) -> Contents:
    """Writes ``path`` (0600: it holds what the database holds) and reads it again before it is called so.

    Raises BackupError when the path is taken, or when the file does not hold what the database did; SchemaTooOld when
    the database was not brought to this version's schema; StoreUnavailable.
    """
    part = _begin(path)
    try:
        await schema.upgrade(database_url(str(part)))
        async with _reading(url) as source:
            schema.check(await source.run_sync(schema.current_of))
            copied = await _copy_all(source, str(part))
        kept = await contents(str(part))
        if kept != copied:
            raise BackupError(f"{part} does not hold what the database does: {_difference(copied, kept)}")
        _finish(part, path)
    finally:
        _clear(part)
    return kept


async def restore(path: Path, url: str, *, same_cluster: bool = False) -> Contents:
    """Fills the empty database at ``url`` from the backup, brought to this version's schema first, all or nothing.

    What is restored is a cluster of its own, whose orders nodes of the other refuse, unless it is the ``same_cluster``
    that goes on.

    Raises BackupError when the file is no backup or the database holds anything; SchemaTooNew when a newer version
    wrote the backup; StoreUnavailable.
    """
    with tempfile.TemporaryDirectory(prefix="mcr-restore-", dir=_beside(url)) as folder:
        copy, fresh = Path(folder) / "backup.db", Path(folder) / "fresh.db"
        _copy_file(path, copy)
        await schema.upgrade(database_url(str(copy)))
        await schema.upgrade(database_url(str(fresh)))
        await schema.upgrade(database_url(url))
        await _require_empty(url, await contents(str(fresh)))
        async with _reading(str(copy)) as source:
            copied = await _copy_all(source, url, renamed=not same_cluster)
        kept = await contents(url)
        if differs := _difference(copied, kept, but=() if same_cluster else (_CLUSTER,)):
            raise BackupError(f"the database does not hold what {path} does: {differs}")
        return kept


async def contents(url: str) -> Contents:
    """What a database of this version's schema holds, in one moment."""
    async with _reading(url) as source:
        revision = await source.run_sync(schema.current_of)
        tables = {table.name: await _summed(source, table) for table in Base.metadata.sorted_tables}
    return Contents(revision or "", tables)


@asynccontextmanager
async def _reading(url: str) -> AsyncGenerator[AsyncConnection]:
    address = database_url(url)
    engines = (sqlite_engines if address.get_backend_name() == "sqlite" else postgresql_engines)(address)
    try:
        connection = engines.reader.connect()
        with connecting():
            await connection.start()
        try:
            with speaking():
                async with connection.begin():
                    if address.get_backend_name() == "postgresql":
                        # While the other side commits all of it this one is idle, for as long as that takes.
                        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                        await connection.execute(text("SET LOCAL statement_timeout = 0"))
                    yield connection
        finally:
            await connection.close()
    finally:
        await engines.close()


async def _copy_all(source: AsyncConnection, target_url: str, *, renamed: bool = False) -> Contents:
    """In one transaction of the target, which has the schema; what a migration put into it makes way.

    ``renamed``: the target gets an id of its own, by which nodes know whom they belong to.
    """
    revision = await source.run_sync(schema.current_of)
    tables: dict[str, tuple[int, str]] = {}
    engine: AsyncEngine = migration_engine(database_url(target_url))
    try:
        with speaking():
            async with engine.begin() as target:
                for table in reversed(Base.metadata.sorted_tables):
                    await target.execute(delete(table))
                for table in Base.metadata.sorted_tables:
                    tables[table.name] = await _summed(source, table, target)
                    await _number_on(target, table)
                if renamed:
                    await target.execute(update(Cluster).values(cluster_id=new_id()))
    finally:
        await engine.dispose()
    return Contents(revision or "", tables)


async def _summed(source: AsyncConnection, table: Table, target: AsyncConnection | None = None) -> tuple[int, str]:
    """Reads a table page by page along its key, and writes each page into ``target`` where there is one."""
    keys = list(table.primary_key)
    names = [key.name for key in keys]
    count, total = 0, 0
    after: tuple[object, ...] | None = None
    while True:
        page = select(table).order_by(*keys).limit(PAGE)
        if after is not None:
            page = page.where(tuple_(*keys) > tuple_(*after)) if len(keys) > 1 else page.where(keys[0] > after[0])
        rows: Sequence[RowMapping] = (await source.execute(page)).mappings().all()
        if not rows:
            break
        if target is not None:
            await target.execute(insert(table), [dict(row) for row in rows])
        count += len(rows)
        total = (total + sum(map(_digest, rows))) % _DIGEST
        after = tuple(rows[-1][name] for name in names)
    return count, f"{total:064x}"


def _digest(row: RowMapping) -> int:
    said = json.dumps(dict(row), sort_keys=True, default=_plain)
    return int.from_bytes(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest())


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a column holds a {type(value).__name__}")


async def _number_on(target: AsyncConnection, table: Table) -> None:
    """PostgreSQL's counters do not follow numbers that are given."""
    column = table.autoincrement_column
    if target.dialect.name != "postgresql" or column is None:
        return
    sequence = (await target.execute(select(func.pg_get_serial_sequence(table.name, column.name)))).scalar_one_or_none()
    highest = (await target.execute(select(func.max(column)))).scalar_one_or_none()
    if sequence is not None and highest is not None:
        await target.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :highest)").bindparams(sequence=sequence, highest=highest)
        )


async def _require_empty(url: str, fresh: Contents) -> None:
    holds = (await contents(url)).tables
    used = [name for name, (count, _) in holds.items() if count > fresh.tables[name][0]]
    if used:
        raise BackupError(
            f"the database holds something already ({', '.join(used)}): a backup is restored into an empty one"
        )


def _difference(one: Contents, other: Contents, but: Sequence[str] = ()) -> str:
    """The tables that differ, and the schema; empty where nothing does."""
    names = [name for name in one.tables if name not in but and one.tables[name] != other.tables.get(name)]
    if one.revision != other.revision:
        names.append(f"schema {one.revision} and {other.revision}")
    return ", ".join(names)


def _beside(url: str) -> Path | None:
    """Where there is room for a whole copy: the folder of the database, where that is a file; else the system's."""
    address = database_url(url)
    return Path(address.database or "").parent if address.get_backend_name() == "sqlite" else None


def _begin(path: Path) -> Path:
    if path.exists():
        raise BackupError(f"{path} is there already: a backup is never written over another")
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise BackupError(f"{part} cannot be written: {error.strerror}") from error
    return part


def _finish(part: Path, path: Path) -> None:
    try:
        _flush(part)
        part.rename(path)
        _flush(path.parent)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}") from error


def _clear(part: Path) -> None:
    for leftover in (part, part.with_name(f"{part.name}-wal"), part.with_name(f"{part.name}-shm")):
        leftover.unlink(missing_ok=True)


def _copy_file(path: Path, copy: Path) -> None:
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise BackupError(f"{path} is no file that mcr db backup wrote")
        shutil.copyfile(path, copy)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
