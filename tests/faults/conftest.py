"""One lab for all fault tests of a process; put back in order after each, made anew after one that failed."""

import asyncio
import signal
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from db.store import Store
from tests.fixtures.lab import HOSTS, Lab, lab, make_lab_clips
from tests.fixtures.network import namespaces
from tests.fixtures.postgres import PostgresServer


class Labs:
    """The lab that stands, if any."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._number = 0
        self._stack = ExitStack()
        self._lab: Lab | None = None

    def standing(self) -> Lab:
        if self._lab is None:
            self._number += 1
            url = asyncio.run(self._database())
            media = make_lab_clips(self._folder / "media")
            network = self._stack.enter_context(namespaces(*HOSTS))
            folder = self._folder / str(self._number)
            self._lab = self._stack.enter_context(lab(network, folder, media, self._server, url))
        return self._lab

    def end(self) -> None:
        self._lab = None
        self._stack.close()

    async def _database(self) -> str:
        name = f"lab_{uuid4().hex}"
        await self._server.execute(f"CREATE DATABASE {name}")
        store = Store(self._server.url(name))
        await store.migrate()
        await store.close()
        return self._server.url(name)


@pytest.fixture(scope="session")
def labs(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    made = Labs(postgres_server, tmp_path_factory.mktemp("lab"))
    yield made
    made.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture(name="lab")
def standing_lab(labs: Labs, request: pytest.FixtureRequest) -> Iterator[Lab]:
    yield labs.standing()
    if request.node.stash.get(_FAILED, False):
        labs.end()
        return
    try:
        put_in_order(labs.standing())
    except BaseException:
        labs.end()
        raise


def put_in_order(lab: Lab) -> None:
    """Links healed, the database's door open, every program running, every channel gone."""
    lab.network.heal()
    lab.door.open()
    for machine in lab.machines():
        if machine.has_own_clock:
            machine.kill()
        if machine.runs:
            machine.send(signal.SIGCONT)
        else:
            machine.start()
    lab.until_ready()
    lab.clear()
