import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.store import Store

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mcr.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema and nothing in it."""
    path = tmp_path_factory.mktemp("migrated") / "mcr.db"

    async def make() -> None:
        store = Store(str(path))
        await store.migrate()
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> str:
    """The URL of a database of each kind with the schema and nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'mcr.db')}"
    url: str = request.getfixturevalue("migrated_postgres_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncGenerator[Store, None]:
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def runner() -> Generator[asyncio.Runner, None, None]:
    """A loop of its own, for tests that are not coroutines themselves."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def sqlite_store(runner: asyncio.Runner, tmp_path: Path, migrated_file: Path) -> Generator[Store, None, None]:
    """A SQLite store on ``runner``'s loop."""
    store = Store(str(shutil.copy(migrated_file, tmp_path / "mcr.db")))
    yield store
    runner.run(store.close())
