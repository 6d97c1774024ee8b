import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'mcr.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncGenerator[Store, None]:
    store = Store(store_url)
    await store.migrate()
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
def any_store(runner: asyncio.Runner, tmp_path: Path) -> Generator[Store, None, None]:
    """A migrated SQLite store on ``runner``'s loop."""
    store = Store(str(tmp_path / "mcr.db"))
    runner.run(store.migrate())
    yield store
    runner.run(store.close())
