import asyncio
import random
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from db.store import Store
from tests.simulation.database import Database
from tests.simulation.store import SimStore

DATABASES = ["sqlite", "postgresql"]


ASKED_OF_EVERY_MANNER = {
    "test_a_list_airs_in_order_with_repeats_and_ends_in_filler",
    "test_a_take_is_answered_with_the_frame_that_shows_it",
    "test_a_hold_stays_on_the_last_picture_until_the_take",
    "test_what_cannot_be_played_is_passed_over_and_said",
    "test_a_stop_is_the_end",
}
"""Of a server in each of its bad manners by CI; the rest of the engines' contract with them is a campaign of its own
(``make engines``), for it takes real time and most of CI's."""


ON_EVERY_DATABASE = {
    "store_transactions", "store_leader", "store_elector", "store_schema", "store_ports", "store_leases",
}  # fmt: skip
"""Of the store's contract what a laptop's run asks every database for; the rest it asks SQLite alone, and CI all."""


def _is_of_another_database(item: pytest.Item) -> bool:
    name = item.nodeid.partition("::")[0].rpartition("/test_")[2].removesuffix(".py")
    if not name.startswith(("store_", "asrun_")) or name in ON_EVERY_DATABASE:
        return False
    # In a group's name behind the parameters there is none of these words.
    return any(kind in item.nodeid.partition("[")[2] for kind in ("postgresql", "simulated"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Before marks are looked at."""
    if _is_of_another_database(item):
        item.add_marker(pytest.mark.long)
    if "test_engines.py::" not in item.nodeid or item.get_closest_marker("long") is None:
        return
    if item.nodeid.partition("::")[2].partition("[")[0] not in ASKED_OF_EVERY_MANNER:
        item.add_marker(pytest.mark.campaign)


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
    return _url_of(request, request.param, tmp_path, migrated_file)


@pytest.fixture(params=[*DATABASES, "simulated"])
def store_place(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> str | Path:
    """As ``store_url``, and the file below the simulation's database."""
    if request.param == "simulated":
        return Path(shutil.copy(migrated_file, tmp_path / "simulated.db"))
    return _url_of(request, request.param, tmp_path, migrated_file)


def _url_of(request: pytest.FixtureRequest, kind: str, tmp_path: Path, migrated_file: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'mcr.db')}"
    url: str = request.getfixturevalue("migrated_postgres_url")
    return url


@pytest.fixture
async def store(store_place: str | Path) -> AsyncGenerator[Store, None]:
    """On both real databases, and the one of the simulation."""
    if isinstance(store_place, Path):
        async with simulated(store_place) as simulated_store:
            yield simulated_store
        return
    store = Store(store_place)
    yield store
    await store.close()


@pytest.fixture
async def real_store(store_url: str) -> AsyncGenerator[Store, None]:
    """For what the simulation's store has not: migrations, a URL, connections of another process."""
    store = Store(store_url)
    yield store
    await store.close()


@asynccontextmanager
async def simulated(path: Path) -> AsyncGenerator[Store, None]:
    """The simulation's store, here on real time."""
    loop = asyncio.get_running_loop()
    database = Database(path, loop.time, lambda: datetime.now(UTC), random.Random(0))
    # Not a Store, but used as one everywhere: what this suite shows.
    yield cast("Store", SimStore(database, pauses=1.0))
    database.close()


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
