"""The schema's version: Alembic, driven from inside the program."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engines import migration_engine
from db.errors import Inconsistent, SchemaTooNew, SchemaTooOld
from db.transaction import connecting, speaking

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6D6372_0000  # "mcr": one supervisor migrates, the others wait for it


def configuration(connection: Connection | None = None) -> Config:
    """What Alembic's commands want; ``migrations/env.py`` works on ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision this version of the program needs."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None
    return head


def check(found: str | None) -> None:
    """Raises ``SchemaTooOld`` and ``SchemaTooNew`` unless ``found`` is what this version needs."""
    if found == newest():
        return
    _refuse_newer(found)
    raise SchemaTooOld(found, newest())


async def current(engine: AsyncEngine) -> str | None:
    """The revision the database stands at; None when it is empty."""
    async with engine.connect() as connection:
        return await connection.run_sync(current_of)


async def upgrade(url: URL, revision: str = "head") -> None:
    """Up to ``revision``, in one transaction. Raises ``SchemaTooNew`` and ``StoreUnavailable``."""
    await _migrate(url, revision, up=True)


async def downgrade(url: URL, revision: str) -> None:
    """Back to ``revision`` (``base``: empty), in one transaction; what only newer columns hold is lost."""
    await _migrate(url, revision, up=False)


async def _migrate(url: URL, revision: str, *, up: bool) -> None:
    def run(connection: Connection) -> None:
        _refuse_newer(current_of(connection))
        config = configuration(connection)
        if up:
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)

    engine = migration_engine(url)
    connection = engine.connect()
    try:
        with connecting():
            await connection.start()
        try:
            with speaking():
                async with connection.begin():
                    await _keep_others_out(connection)
                    await connection.run_sync(run)
                    await _refuse_loose_ends(connection)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _keep_others_out(connection: AsyncConnection) -> None:
    # On SQLite BEGIN IMMEDIATE has done so.
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def _refuse_loose_ends(connection: AsyncConnection) -> None:
    # Foreign keys are off on SQLite while it migrates.
    if connection.dialect.name == "sqlite":
        broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
        if broken is not None:
            raise Inconsistent(f"after the migration a row of {broken[0]} refers to nothing")


def current_of(connection: Connection) -> str | None:
    """The revision that this connection's database stands at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaTooNew(found, newest())
