"""Transactions: whole or not at all, one consistent view, deadlines, and the database away and back."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from db.errors import Inconsistent, Missing, StoreError, StoreUnavailable, Taken
from db.models import Project
from db.store import Store
from tests.fixtures.postgres import PostgresServer

WRITER = Path(__file__).with_name("store_writer.py")


@pytest.fixture
def sqlite_path(tmp_path: Path, migrated_file: Path) -> Path:
    return Path(shutil.copy(migrated_file, tmp_path / "mcr.db"))


async def names(store: Store) -> list[str]:
    async with store.read() as tx:
        return [project.name for project in await tx.projects.list()]


async def test_an_error_in_the_block_undoes_all_of_it(store: Store, now: datetime) -> None:
    handed_out: list[Project] = []

    async def fail() -> None:
        async with store.write() as tx:
            handed_out.append(await tx.projects.add("News", now))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await names(store) == []
    assert handed_out[0].name == "News", "what was handed out stays readable"


async def test_a_refusal_that_is_caught_leaves_the_transaction_usable(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.projects.add("News", now)
        with pytest.raises(Taken, match="project name 'News' is taken") as caught:
            await tx.projects.add("News", now)
        await tx.projects.add("Sport", now)
    assert (caught.value.kind, caught.value.field, caught.value.value) == ("project", "name", "News")
    assert await names(store) == ["News", "Sport"]


async def test_instants_come_back_as_aware_utc(store: Store) -> None:
    given = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with store.write() as tx:
        await tx.projects.add("News", given)
    async with store.read() as tx:
        (project,) = await tx.projects.list()
    assert project.created_at == given
    assert project.created_at.utcoffset() == timedelta(0)


async def test_a_reader_sees_one_state_while_others_write(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.projects.add("A", now)
    async with store.read() as reader:
        assert len(await reader.projects.list()) == 1
        async with store.write() as writer:
            await writer.projects.add("B", now)
        assert len(await reader.projects.list()) == 1
    assert len(await names(store)) == 2


async def test_a_change_in_a_read_is_refused(store: Store, now: datetime) -> None:
    with pytest.raises(StoreError):
        async with store.read() as tx:
            await tx.projects.add("News", now)
    assert await names(store) == []


async def test_many_writers_that_read_first_all_get_through(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        project = await tx.projects.add("0", now)

    async def count_up() -> None:
        while True:
            async with store.write() as tx:
                seen = await tx.projects.get(project.id)
                try:
                    await tx.projects.update(project.id, seen.rev, {"name": str(int(seen.name) + 1)})
                except StoreError:
                    continue
                return

    await asyncio.gather(*(count_up() for _ in range(20)))
    assert await names(store) == ["20"]


async def test_a_block_past_its_deadline_ends_and_is_undone(store: Store, now: datetime) -> None:
    async def hold() -> None:
        async with store.write(timeout=0.2) as tx:
            await tx.projects.add("News", now)
            await asyncio.Event().wait()

    with pytest.raises(StoreUnavailable, match=r"did not end within 0\.2 s"):
        await hold()
    async with store.write() as tx:
        await tx.projects.add("Sport", now)
    assert await names(store) == ["Sport"]


async def test_a_timeout_of_the_callers_own_is_not_the_databases(store: Store) -> None:
    with pytest.raises(TimeoutError):
        async with store.read():
            raise TimeoutError
    with pytest.raises(OSError, match="mine"):
        async with store.read():
            raise OSError("mine")


async def test_a_cancelled_caller_leaves_nothing_behind(store: Store, now: datetime) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with store.write() as tx:
            await tx.projects.add("News", now)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as tx:
        await tx.projects.add("News", now)


async def test_values_the_database_cannot_hold_are_our_fault_not_its_absence(store: Store, now: datetime) -> None:
    with pytest.raises(Inconsistent, match="surrogates"):
        async with store.write() as tx:
            await tx.projects.add("name of a file \udcff", now)


async def test_text_postgresql_cannot_hold_is_our_fault_too(migrated_postgres_url: str, now: datetime) -> None:
    store = Store(migrated_postgres_url)
    for name in ("nul\0", "longer than it may be" * 9):
        with pytest.raises(Inconsistent):
            async with store.write() as tx:
                await tx.projects.add(name, now)
    await store.close()


async def test_a_locked_sqlite_file_is_unavailable_within_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "mcr.db"
    store = Store(str(path))
    await store.migrate()
    threads = threading.active_count()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        async with store.write(timeout=0.3):
            pass
    assert time.monotonic() - started < 20, "the driver's thread still waits for the lock, its caller does not"
    assert await names(store) == [], "readers are not kept waiting"
    other.execute("ROLLBACK")
    other.close()
    async with store.write() as tx:
        with pytest.raises(Missing):
            await tx.projects.get("none")
    await store.close()
    async with asyncio.timeout(60):
        while threading.active_count() > threads:  # noqa: ASYNC110 - threads tell nobody that they end
            await asyncio.sleep(0.01)


async def test_a_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    """P7: outputs' URLs may carry secrets."""
    before = os.umask(0o022)
    try:
        store = Store(str(tmp_path / "mcr.db"))
        await store.migrate()
        async with store.read():
            modes = {entry.name: oct(entry.stat().st_mode & 0o777) for entry in os.scandir(tmp_path)}
    finally:
        os.umask(before)
    await store.close()
    assert modes == dict.fromkeys(("mcr.db", "mcr.db-wal", "mcr.db-shm"), "0o600")


def test_a_commit_survives_kill_9_though_others_look_into_the_file(sqlite_path: Path, runner: asyncio.Runner) -> None:
    """P2, P4: a backup, a shell or an upgrade that opens and closes the file leaves the log that we write to alone."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(sqlite_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer:
        try:
            assert writer.stdout.readline() == "open\n"
            other = sqlite3.connect(sqlite_path)
            assert other.execute("SELECT count(*) FROM project").fetchone() == (1,)
            other.close()
            writer.stdin.write("second\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "second\n"
        finally:
            writer.kill()
    store = Store(str(sqlite_path))
    assert runner.run(names(store)) == ["first", "second"]
    runner.run(store.close())


async def test_a_file_that_a_link_leads_to_is_made_its_owners_alone_too(tmp_path: Path) -> None:
    (tmp_path / "mcr.db").symlink_to(tmp_path / "elsewhere.db")
    store = Store(str(tmp_path / "mcr.db"))
    await store.migrate()
    await store.close()
    assert (tmp_path / "elsewhere.db").stat().st_mode & 0o777 == 0o600


async def test_sqlite_is_told_to_be_durable(tmp_path: Path) -> None:
    """P4: what was committed survives a power cut, and references hold."""
    store = Store(str(tmp_path / "mcr.db"))
    await store.migrate()
    for engine in (store._engines.reader, store._engines.writer):
        async with engine.connect() as connection:
            settings = [
                (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        assert settings == ["wal", 2, 1, 5000]
    await store.close()


async def test_a_path_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "none" / "mcr.db"))
    with pytest.raises(StoreUnavailable, match=r"No such file or directory: .*mcr\.db"):
        async with store.read():
            pass
    with pytest.raises(StoreUnavailable, match=r"No such file or directory: .*mcr\.db"):
        await store.migrate()
    await store.close()


async def test_postgresql_stopped_and_started_again(
    postgres_url: str, postgres_server: PostgresServer, now: datetime
) -> None:
    """The database away is said at once, in the middle of a transaction too; back, the same store goes on (P6)."""
    store = Store(postgres_url)
    await store.migrate()
    async with store.write() as tx:
        await tx.projects.add("before", now)

    async def be_in_the_middle() -> None:
        async with store.write() as tx:
            await tx.projects.add("during", now)
            await asyncio.to_thread(postgres_server.stop)
            await tx.projects.add("during too", now)

    with pytest.raises(StoreUnavailable):
        await be_in_the_middle()
    try:
        for block in (store.read, store.write):
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                async with block() as tx:
                    await tx.projects.list()
            assert time.monotonic() - started < 20
        with pytest.raises(StoreUnavailable):
            await store.migrate()
        with pytest.raises(StoreUnavailable):
            await store.schema_revision()
    finally:
        await asyncio.to_thread(postgres_server.start)
    assert await names(store) == ["before"]
    await store.close()


async def test_postgresql_that_does_not_answer_is_unavailable_within_the_deadline(tmp_path: Path) -> None:
    """A socket that takes connections and says nothing: what a cut network looks like."""
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(tmp_path / ".s.PGSQL.5432"))
    silent.listen()
    store = Store(f"postgresql://postgres@/mcr?host={tmp_path}")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        async with store.read():
            pass
    assert time.monotonic() - started < 20
    await store.close()
    silent.close()
