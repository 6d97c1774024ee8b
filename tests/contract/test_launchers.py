"""One contract for whatever runs a sidecar: plain processes and containers of a real Docker engine."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from supervisor.agent.launcher import ContainerIdentity, Identity, Launch, Launcher, ProcessIdentity
from supervisor.agent.process import ProcessLauncher
from tests.fixtures.agents import until
from tests.fixtures.docker_engine import DockerEngine, docker_launcher

pytestmark = [
    pytest.mark.timeout(600),
    # The SDK leaves the socket of a refused connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

WAITS = "import time; print('up', flush=True); time.sleep(600)"
ENDS_ON_TERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("up", flush=True)
time.sleep(600)
"""


@dataclass
class Place:
    """Where one kind of launcher is tried."""

    kind: str
    path: Path
    owner: str
    engine: DockerEngine | None = None

    @asynccontextmanager
    async def launcher(self) -> AsyncIterator[Launcher]:
        if self.engine is None:
            yield ProcessLauncher()
        else:
            async with docker_launcher(self.engine.url, owner=self.owner) as launcher:
                yield launcher

    def launch(self, code: str, **environment: str) -> Launch:
        python = sys.executable if self.engine is None else "python3"
        return Launch(
            (python, "-c", code),
            {"CHANNEL_ID": self.owner, "MCR_EPOCH": "1", "MCR_STATE_DIR": str(self.path), **environment},
            str(self.path),
            str(self.path / "sidecar.log"),
        )

    @property
    def log(self) -> str:
        try:
            return (self.path / "sidecar.log").read_text()
        except FileNotFoundError:
            return ""

    async def started(self, launcher: Launcher, code: str = WAITS, **environment: str) -> Identity:
        identity = await launcher.launch(self.launch(code, **environment))
        await until(lambda: "up" in self.log, what="its first words")
        return identity


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.xdist_group("docker"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    engine = request.getfixturevalue("docker_engine") if request.param == "docker" else None
    where = Place(request.param, tmp_path, uuid4().hex, engine)
    yield where
    if engine is not None:
        with engine.api() as api:
            for one in engine.containers(**{"mcr.owner": where.owner}):
                api.remove_container(one["Id"], force=True)


@pytest.fixture(autouse=True)
async def nothing_left(place: Place) -> AsyncIterator[None]:
    yield
    if place.engine is None:
        launcher = ProcessLauncher()
        while (left := await launcher.find({"CHANNEL_ID": place.owner})) is not None:
            await launcher.signal(left, signal.SIGKILL)
            await launcher.exited(left)


async def ended(launcher: Launcher, identity: Identity) -> int | None:
    async with asyncio.timeout(60):
        return await launcher.exited(identity)


async def test_a_start_is_known_by_an_identity_and_lives(place: Place) -> None:
    async with place.launcher() as launcher:
        identity = await place.started(launcher)
        assert launcher.kind == place.kind
        assert isinstance(identity, ContainerIdentity if place.kind == "docker" else ProcessIdentity)
        assert identity.pid > 0
        assert await launcher.alive(identity) == "lives"
        assert not launcher.fault


async def test_a_code_is_told(place: Place) -> None:
    async with place.launcher() as launcher:
        identity = await launcher.launch(place.launch("import sys; print('last words'); sys.exit(3)"))
        assert await ended(launcher, identity) == 3
        assert await launcher.alive(identity) == "gone"
        assert place.log == "last words\n"


async def test_a_log_is_added_to(place: Place) -> None:
    (place.path / "sidecar.log").write_text("earlier\n")
    async with place.launcher() as launcher:
        code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
        await ended(launcher, await launcher.launch(place.launch(code)))
    assert place.log == "earlier\nout\nerr\n"


async def test_the_environment_and_the_directory_are_passed_on(place: Place) -> None:
    code = "import os; print(os.environ['A_VALUE'], os.getcwd(), flush=True)"
    value = "  $HOME \"'; rm -rf / # é\u2028"
    async with place.launcher() as launcher:
        await ended(launcher, await launcher.launch(place.launch(code, A_VALUE=value)))
    assert place.log == f"{value} {place.path}\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 7), (signal.SIGKILL, -9)])
async def test_signals_arrive(place: Place, number: int, code: int) -> None:
    async with place.launcher() as launcher:
        identity = await place.started(launcher, ENDS_ON_TERM)
        await launcher.signal(identity, number)
        assert await ended(launcher, identity) == code


async def test_a_signal_to_what_is_gone_does_nothing(place: Place) -> None:
    async with place.launcher() as launcher:
        identity = await launcher.launch(place.launch(""))
        assert await ended(launcher, identity) == 0
        await launcher.signal(identity, signal.SIGKILL)
        await launcher.forget(identity)
        await launcher.signal(identity, signal.SIGKILL)
        assert await launcher.alive(identity) == "gone"


async def test_an_exit_is_told_at_once(place: Place) -> None:
    """Not by asking again and again: an agent sees its sidecar end in less than the time between two polls."""
    async with place.launcher() as launcher:
        identity = await place.started(launcher)
        waiting = asyncio.create_task(launcher.exited(identity))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        asked = asyncio.get_running_loop().time()
        await launcher.signal(identity, signal.SIGKILL)
        assert await asyncio.wait_for(waiting, 60) == -9
        assert asyncio.get_running_loop().time() - asked < 5.0


async def test_a_program_that_cannot_be_run_is_refused(place: Place) -> None:
    launch = replace(place.launch(""), directory=str(place.path / "file"))
    (place.path / "file").write_text("")
    async with place.launcher() as launcher:
        with pytest.raises(OSError, match=r"\w"):
            await launcher.launch(launch)
        assert await launcher.find({"CHANNEL_ID": place.owner}) is None


async def test_a_new_launcher_finds_what_an_older_one_started(place: Place) -> None:
    """P5: an agent that is made anew knows its sidecars, by their identity and by their environment."""
    async with place.launcher() as launcher:
        identity = await place.started(launcher, MCR_TOKEN="secret")
    async with place.launcher() as launcher:
        assert await launcher.alive(identity) == "lives"
        wanted = {"CHANNEL_ID": place.owner, "MCR_EPOCH": "1", "MCR_STATE_DIR": str(place.path)}
        assert await launcher.find(wanted) == identity
        assert await launcher.find({**wanted, "MCR_EPOCH": "2"}) is None
        assert await launcher.variable(identity, "MCR_TOKEN") == "secret"
        assert await launcher.variable(identity, "NO_SUCH") is None
        await launcher.signal(identity, signal.SIGKILL)
        await ended(launcher, identity)
        assert await launcher.find(wanted) is None
        assert await launcher.variable(identity, "MCR_TOKEN") is None


async def test_it_survives_the_process_that_started_it(place: Place) -> None:
    """P5: whoever started it may be killed."""
    code = f"""
import asyncio, os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.fixtures.docker_engine import docker_launcher
from supervisor.agent.launcher import Launch
from supervisor.agent.process import ProcessLauncher
async def main():
    launch = Launch({place.launch(WAITS).argv!r}, {dict(place.launch(WAITS).environment)!r}, {str(place.path)!r},
                    {str(place.path / "sidecar.log")!r})
    if {place.engine is None}:
        await ProcessLauncher().launch(launch)
    else:
        async with docker_launcher({place.engine.url if place.engine else ""!r}, owner={place.owner!r}) as launcher:
            await launcher.launch(launch)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -9
    await until(lambda: "up" in place.log)
    async with place.launcher() as launcher:
        identity = await launcher.find({"CHANNEL_ID": place.owner})
        assert identity is not None
        assert await launcher.alive(identity) == "lives"


async def test_another_with_its_name_is_not_taken_for_it(place: Place) -> None:
    """A pid used again, or a container started again by hand: neither is what was started, nor gets its signals."""
    async with place.launcher() as launcher:
        identity = await place.started(launcher)
        other = (
            replace(identity, start_ticks=identity.start_ticks + 1)
            if isinstance(identity, ProcessIdentity)
            else replace(identity, pid=identity.pid + 1)
        )
        assert await launcher.alive(other) == "gone"
        assert await launcher.variable(other, "CHANNEL_ID") is None
        await launcher.signal(other, signal.SIGKILL)
        assert await ended(launcher, other) is None
        assert await launcher.alive(identity) == "lives"


async def test_a_door_is_on_this_machine(place: Place) -> None:
    async with place.launcher() as launcher:
        identity = await place.started(launcher)
        assert await launcher.door(identity, 1234, identity.pid) == "http://127.0.0.1:1234"


async def test_what_the_other_launcher_started_is_unknown(place: Place) -> None:
    """A launcher that was exchanged while sidecars run must not take them for dead."""
    other: Identity = (
        ContainerIdentity("engine", "0" * 64, 1) if place.kind == "process" else ProcessIdentity("b", 1, 1)
    )
    async with place.launcher() as launcher:
        assert await launcher.alive(other) == "unknown"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(launcher.exited(other), 0.2)
