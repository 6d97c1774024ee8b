"""Migrations: they make what the models say, go back, and refuse what a newer version made."""

import asyncio
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from db import schema
from db.backup import contents
from db.errors import SchemaTooNew, SchemaTooOld
from db.models import Base
from db.store import Store
from db.urls import database_url


async def test_migrations_make_what_the_models_say(real_store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    engine = create_async_engine(real_store.url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_up_down_and_up_again(real_store: Store, now: datetime) -> None:
    await schema.downgrade(real_store.url, "base")
    engine = create_async_engine(real_store.url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    assert tables == ["alembic_version"]
    assert await real_store.schema_revision() is None
    await real_store.migrate()
    assert await real_store.schema_revision() == schema.newest()
    async with real_store.write() as tx:
        await tx.projects.add("News", now)


async def test_one_step_back_leaves_nothing_that_the_version_before_refuses(real_store: Store, now: datetime) -> None:
    """Categories of items and of a logo are in documents, not in columns."""
    logo = {"path": "/m/logo.png", "categories": {"News": "on"}}
    async with real_store.write() as tx:
        project = await tx.projects.add("News", now)
        values: dict[str, object] = {
            "project_id": project.id,
            "name": "One",
            "width": 1280,
            "height": 720,
            "rate": "25",
        }
        await tx.channels.add({**values, "playout": {"logo": logo}}, (), now)
    engine = create_async_engine(real_store.url)
    await schema.downgrade(real_store.url, "0007")
    async with engine.connect() as connection:
        (playout,) = (await connection.execute(text("SELECT playout FROM channel"))).scalars()
    await engine.dispose()
    assert "logo.png" in str(playout)
    assert "categories" not in str(playout)


async def test_one_step_back_and_forward_keeps_what_both_versions_know(real_store: Store, now: datetime) -> None:
    """So that an upgrade can be taken back, and tried again."""
    url = real_store.url.render_as_string(hide_password=False)
    async with real_store.write() as tx:
        project = await tx.projects.add("News", now)
        values: dict[str, object] = {"project_id": project.id, "name": "One", "width": 640, "height": 360, "rate": "25"}
        await tx.channels.add({**values, "playout": {"logo": {"path": "/m/logo.png"}}}, (), now)
        await tx.audit.add(now, "ann", "unix", "take", "channel:1", "done", {"n": 1})
        await tx.cluster.ours(now)
    before = (await contents(url)).tables
    newest = ScriptDirectory.from_config(schema.configuration()).get_revision(schema.newest())
    assert newest is not None
    await schema.downgrade(real_store.url, str(newest.down_revision))
    engine = create_async_engine(real_store.url)
    async with engine.connect() as connection:
        known = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    await real_store.migrate()
    after = (await contents(url)).tables
    assert "channel" in known
    assert {name for name in before if name in known and before[name] != after[name]} == set()


async def test_migrating_what_is_migrated_keeps_it(real_store: Store, now: datetime) -> None:
    async with real_store.write() as tx:
        await tx.projects.add("News", now)
    await real_store.migrate()
    async with real_store.read() as tx:
        assert [project.name for project in await tx.projects.list()] == ["News"]


async def test_a_database_of_a_newer_version_is_refused(real_store: Store) -> None:
    await real_store.check_schema()
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(SchemaTooNew, match=r"9999.*newer version"):
        await real_store.migrate()
    with pytest.raises(SchemaTooNew):
        await real_store.check_schema()
    assert await real_store.schema_revision() == "9999"


async def test_an_empty_database_is_too_old(empty_url: str) -> None:
    store = Store(empty_url)
    with pytest.raises(SchemaTooOld, match="mcr db upgrade"):
        await store.check_schema()
    await store.close()


async def test_two_that_migrate_at_once(empty_url: str) -> None:
    stores = [Store(empty_url) for _ in range(3)]
    await asyncio.gather(*(store.migrate() for store in stores))
    assert await stores[0].schema_revision() == schema.newest()
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("/var/lib/mcr/mcr.db", "sqlite+aiosqlite:////var/lib/mcr/mcr.db"),
        ("sqlite:////var/lib/mcr/mcr.db", "sqlite+aiosqlite:////var/lib/mcr/mcr.db"),
        ("postgresql://mcr@db/mcr", "postgresql+asyncpg://mcr@db/mcr"),
        ("postgresql+psycopg://mcr@db/mcr", "postgresql+asyncpg://mcr@db/mcr"),
    ],
)
def test_urls_that_mean_a_database(given: str, meant: str) -> None:
    assert database_url(given).render_as_string(hide_password=False) == meant


@pytest.mark.parametrize(
    "given", ["", ":memory:", "sqlite://", "mysql://root@db/mcr", "postgresql://mcr:secret@db:port/mcr"]
)
def test_urls_that_do_not(given: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite needs|not supported|cannot be read") as caught:
        database_url(given)
    assert "secret" not in str(caught.value)
