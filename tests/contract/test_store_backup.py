"""Backups: taken while others write, the same rows in either database, and restored into an empty one alone."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.backup import PAGE, BackupError, back_up, contents, restore
from db.errors import SchemaTooNew
from db.store import Store


async def fill(store: Store, now: datetime) -> None:
    """More than a page of rows, and every kind of column: documents, instants, nothing, wide letters."""
    async with store.write() as tx:
        project = await tx.projects.add("Nachrichten \u202e 📺", now)
        node = await tx.nodes.add(name="here", kind="agent", url="http://here", now=now)
        values: dict[str, object] = {
            "project_id": project.id,
            "wanted_node_id": node.id,
            "name": "One",
            "width": 1280,
            "height": 720,
            "rate": "30000/1001",
            "playout": {"logo": {"path": "/m/ü.png", "opacity": 0.5}},
        }
        await tx.channels.add(values, (), now)
        for number in range(PAGE + 7):
            await tx.audit.add(now, "ann", "unix", "take", f"channel:{number}", "done", {"n": number})


@pytest.fixture
async def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'elsewhere.db'}"


async def test_a_backup_restored_elsewhere_is_the_same(
    real_store: Store, elsewhere: str, tmp_path: Path, now: datetime
) -> None:
    await fill(real_store, now)
    path = tmp_path / "monday.mcr"
    kept = await back_up(real_store.url.render_as_string(hide_password=False), path)
    assert kept.tables["audit"][0] == PAGE + 7
    assert kept.tables["channel"][0] == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.with_name("monday.mcr.part").exists()
    assert await restore(path, elsewhere) == kept
    other = Store(elsewhere)
    async with other.read() as tx:
        (channel,) = await tx.channels.list()
        assert (channel.rate, channel.playout) == ("30000/1001", {"logo": {"path": "/m/ü.png", "opacity": 0.5}})
    await other.close()


async def test_a_restored_copy_is_a_cluster_of_its_own_unless_it_goes_on_as_the_same(
    real_store: Store, tmp_path: Path, now: datetime
) -> None:
    """P2: a copy that is started for a trial commands nothing of the station it was taken from."""
    async with real_store.write() as tx:
        ours = await tx.cluster.ours(now)
    async with real_store.write() as tx:
        assert await tx.cluster.ours(now) == ours, "it is made once"
    path = tmp_path / "monday.mcr"
    await back_up(real_store.url.render_as_string(hide_password=False), path)
    for same in (True, False):
        url = f"sqlite:///{tmp_path / f'{same}.db'}"
        await restore(path, url, same_cluster=same)
        copy = Store(url)
        async with copy.write() as tx:
            assert (await tx.cluster.ours(now) == ours) is same
        await copy.close()


async def test_what_is_restored_numbers_on(
    tmp_path: Path, real_store: Store, migrated_file: Path, now: datetime
) -> None:
    """On PostgreSQL a counter that stood still would give a number twice."""
    source = Store(f"sqlite:///{tmp_path / 'source.db'}")
    await source.migrate()
    await fill(source, now)
    path = tmp_path / "monday.mcr"
    await back_up(source.url.render_as_string(), path)
    await source.close()
    url = real_store.url.render_as_string(hide_password=False)
    await restore(path, url)
    async with real_store.write() as tx:
        await tx.audit.add(now, "ann", "unix", "take", "channel:new", "done", {})
    assert (await contents(url)).tables["audit"][0] == PAGE + 8


async def test_it_shows_one_moment_while_others_write(real_store: Store, tmp_path: Path, now: datetime) -> None:
    await fill(real_store, now)
    stop = asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            async with real_store.write() as tx:
                await tx.projects.add(f"project {written}", now)
                await tx.audit.add(now, "ann", "unix", "create_project", f"{written}", "done", {})
            written += 1

    writer = asyncio.create_task(write())
    kept = await back_up(real_store.url.render_as_string(hide_password=False), tmp_path / "monday.mcr")
    stop.set()
    await writer
    assert written, "it kept writers out"
    assert kept.tables["project"][0] - 1 == kept.tables["audit"][0] - PAGE - 7


async def test_nothing_is_written_over(real_store: Store, tmp_path: Path, now: datetime) -> None:
    url = real_store.url.render_as_string(hide_password=False)
    path = tmp_path / "monday.mcr"
    await back_up(url, path)
    with pytest.raises(BackupError, match="is there already"):
        await back_up(url, path)
    await fill(real_store, now)
    before = await contents(url)
    with pytest.raises(BackupError, match="holds something already"):
        await restore(path, url)
    assert await contents(url) == before


async def test_what_is_no_backup_is_refused(real_store: Store, elsewhere: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear operator")
    with pytest.raises(BackupError, match="no file that mcr db backup wrote"):
        await restore(path, elsewhere)
    with pytest.raises(BackupError, match="cannot be read"):
        await restore(tmp_path / "nowhere", elsewhere)
    newer = tmp_path / "newer.mcr"
    await back_up(real_store.url.render_as_string(hide_password=False), newer)
    engine = create_async_engine(f"sqlite+aiosqlite:///{newer}")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(SchemaTooNew):
        await restore(newer, elsewhere)
