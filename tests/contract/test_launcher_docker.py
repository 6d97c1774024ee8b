"""What only containers have: an engine that may be away, other people's containers, and ways to reach it."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
import pytest

from supervisor.agent.docker_launcher import DockerLauncher
from supervisor.agent.interface import EngineAway
from supervisor.agent.launcher import ContainerIdentity, Launch
from tests.fixtures.agents import until
from tests.fixtures.docker_engine import BASE, DockerEngine, certificates, docker_launcher

Option: TypeAlias = Any
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("docker"),
    # The SDK leaves the socket of a refused connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
WAITS = "import time; print('up', flush=True); time.sleep(600)"
SERVES = """
import http.server, os
host, _, port = os.environ["MCR_DOOR"].rpartition(":")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"inside")
server = http.server.HTTPServer((host, int(port)), Answer)
print("up", server.server_port, flush=True)
server.serve_forever()
"""


class Home:
    """One agent's containers on one engine, by their directories."""

    def __init__(self, path: Path, on: DockerEngine) -> None:
        self.path, self.engine, self.owner = path, on, uuid4().hex

    @asynccontextmanager
    async def launcher(self, **options: Option) -> AsyncIterator[DockerLauncher]:
        options.setdefault("owner", self.owner)
        url = options.pop("url", self.engine.url)
        async with docker_launcher(url, **options) as launcher:
            yield launcher

    def launch(self, code: str = WAITS, epoch: int = 1) -> Launch:
        directory = self.path / str(epoch)
        directory.mkdir(exist_ok=True)
        environment = {"CHANNEL_ID": "news", "MCR_EPOCH": str(epoch), "MCR_STATE_DIR": str(directory)}
        return Launch(("python3", "-c", code), environment, str(directory), str(directory / "sidecar.log"))

    def log(self, epoch: int = 1) -> str:
        path = self.path / str(epoch) / "sidecar.log"
        return path.read_text() if path.exists() else ""

    async def started(self, launcher: DockerLauncher, code: str = WAITS, epoch: int = 1) -> ContainerIdentity:
        identity = await launcher.launch(self.launch(code, epoch))
        await until(lambda: "up" in self.log(epoch), what="its first words")
        return identity

    def containers(self) -> list[dict[str, Any]]:
        return self.engine.containers(**{"mcr.owner": self.owner})


@pytest.fixture
def home(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path, docker_engine)
    yield home
    with docker_engine.api() as api:
        for one in docker_engine.containers():
            api.remove_container(one["Id"], force=True)


async def known_again(launcher: DockerLauncher) -> None:
    await until(lambda: not launcher.fault, 30, "the engine to be known again")


async def test_a_container_has_nothing_it_can_do_without(home: Home) -> None:
    code = """
import os
held = [line for line in open("/proc/self/status") if line.startswith(("CapEff", "NoNewPrivs"))]
try:
    open("/usr/bin/mine", "w")
    print("wrote to the root")
except OSError as error:
    print(error.strerror)
open("/tmp/scratch", "w").close()
print("up", [line.split()[1] for line in held], os.getuid(), flush=True)
"""
    async with home.launcher() as launcher:
        identity = await home.started(launcher, code)
        await launcher.exited(identity)
        assert home.log() == f"Read-only file system\nup ['0000000000000000', '1'] {os.getuid()}\n"
        with home.engine.api() as api:
            seen = api.inspect_container(identity.container_id)
        host = seen["HostConfig"]
        assert seen["Config"]["Labels"] == {"mcr.owner": home.owner, "mcr.channel": "news", "mcr.epoch": "1"}
        assert host["RestartPolicy"]["Name"] == "no"
        assert not host["Privileged"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        assert not host["Devices"]


async def test_containers_of_others_are_never_touched(home: Home) -> None:
    """Neither one without a label, nor one of another agent, even when it looks just like ours."""
    with home.engine.api() as api:
        made = api.create_container(
            BASE, ["sleep", "600"], environment={"CHANNEL_ID": "news", "MCR_EPOCH": "1"}, name=f"theirs-{home.owner}"
        )["Id"]
        api.start(made)
    async with home.launcher(owner="another") as theirs, home.launcher() as launcher:
        other = await home.started(theirs, epoch=1)
        assert await launcher.find({"CHANNEL_ID": "news"}) is None
        assert await launcher.alive(other) == "unknown"
        with pytest.raises(EngineAway, match="another agent"):
            await launcher.signal(other, signal.SIGKILL)
        stranger = ContainerIdentity(other.engine_id, made, other.pid)
        with pytest.raises(EngineAway, match="another agent"):
            await launcher.signal(stranger, signal.SIGKILL)
        await launcher.forget(stranger)
        await launcher.forget(other)
        await home.started(launcher, epoch=2)
        running = {one["Id"] for one in home.engine.containers() if one["State"] == "running"}
        assert {made, other.container_id} < running


async def test_an_engine_that_hangs_is_unknown_and_no_exit(home: Home) -> None:
    """P6: stopped, it tells nothing; what it runs is neither dead nor gone, and is known again when it goes on."""
    async with home.launcher() as launcher:
        identity = await home.started(launcher)
        waiting = asyncio.create_task(launcher.exited(identity))
        home.engine.signal(signal.SIGSTOP)
        try:
            await until(lambda: launcher.fault, 15, "the fault to be told")
            assert "does not answer" in launcher.fault
            assert await launcher.alive(identity) == "unknown"
            with pytest.raises(EngineAway):
                await launcher.signal(identity, signal.SIGKILL)
            with pytest.raises(EngineAway):
                await launcher.find({"CHANNEL_ID": "news"})
            with pytest.raises(OSError, match="does not answer"):
                await launcher.launch(home.launch(epoch=2))
            assert not waiting.done()
        finally:
            home.engine.signal(signal.SIGCONT)
        await known_again(launcher)
        # The kill whose answer was lost may have been carried out since; a second one changes nothing.
        await launcher.signal(identity, signal.SIGKILL)
        assert await asyncio.wait_for(waiting, 60) == -9
        assert await launcher.find({"CHANNEL_ID": "news", "MCR_EPOCH": "2"}) is None


async def test_a_start_whose_answer_was_lost_is_found_or_never_comes(home: Home) -> None:
    """P2: made, but its start was lost: after ``find`` it cannot come to life any more."""
    async with home.launcher() as launcher:
        launch = home.launch()
        made = await launcher._make(launch)
        assert await launcher.find(launch.environment) is None
        with home.engine.api() as api, pytest.raises(Exception, match="No such container"):
            api.start(made)
        # And an order that is repeated takes the place of what was made and never ran.
        await launcher._make(launch)
        identity = await home.started(launcher)
        assert [one["Id"] for one in home.containers()] == [identity.container_id]


async def test_a_container_started_again_by_hand_is_another_run(home: Home) -> None:
    async with home.launcher() as launcher:
        identity = await home.started(launcher)
        waiting = asyncio.create_task(launcher.exited(identity))
        with home.engine.api() as api:
            await asyncio.to_thread(api.restart, identity.container_id, timeout=0)
        assert await asyncio.wait_for(waiting, 60) in (None, -9)
        assert await launcher.alive(identity) == "gone"
        await launcher.forget(identity)
        assert not home.containers()


async def test_what_ended_is_removed_once_its_exit_is_on_record(home: Home) -> None:
    async with home.launcher() as launcher:
        identity = await launcher.launch(home.launch("raise SystemExit(4)"))
    async with home.launcher() as launcher:
        # The agent was away when it ended: the engine still knows how.
        assert await launcher.exited(identity) == 4
        home.engine.signal(signal.SIGSTOP)
        try:
            await until(lambda: launcher.fault, 15)
            await launcher.forget(identity)
        finally:
            home.engine.signal(signal.SIGCONT)
        await until(lambda: not home.containers(), 30, "its removal when the engine is back")


async def test_a_new_epoch_clears_away_what_older_ones_left(home: Home) -> None:
    async with home.launcher() as launcher:
        first = await launcher.launch(home.launch(""))
        await launcher.exited(first)
        second = await home.started(launcher, epoch=2)
        assert [one["Id"] for one in home.containers()] == [second.container_id]


async def test_an_image_that_is_not_there_is_named(home: Home) -> None:
    async with home.launcher(image="no-such-image:7") as launcher:
        with pytest.raises(OSError, match="no-such-image:7"):
            await launcher.launch(home.launch())
    assert not home.containers()


async def test_media_mounts_are_read_only_and_must_be_there(home: Home, tmp_path: Path) -> None:
    clips = tmp_path / "clips with ünïcode"
    clips.mkdir()
    (clips / "a").write_text("clip")
    code = f"""
print(open({str(clips / "a")!r}).read())
try:
    open({str(clips / "b")!r}, "w")
except OSError as error:
    print("up", error.strerror, flush=True)
"""
    async with home.launcher(media=(str(clips),)) as launcher:
        await launcher.exited(await home.started(launcher, code))
        assert home.log() == "clip\nup Read-only file system\n"
    async with home.launcher(media=(str(tmp_path / "missing"),)) as launcher:
        with pytest.raises(OSError, match="missing"):
            await launcher.launch(home.launch(epoch=2))
    assert not (tmp_path / "missing").exists()


async def test_a_sidecar_on_a_network_of_its_own_is_reached_at_a_published_port(home: Home) -> None:
    name = f"mcr-{home.owner[:8]}"
    with home.engine.api() as api:
        network = api.create_network(
            name, "bridge", options={"com.docker.network.bridge.enable_ip_masquerade": "false"}
        )
    try:
        async with home.launcher(network=name) as launcher:
            identity = await home.started(launcher, SERVES)
            base = await launcher.door(identity, 8799, 1)
            assert base is not None
            assert base.startswith("http://127.0.0.1:")
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.get(base)).text == "inside"
            await launcher.signal(identity, signal.SIGKILL)
            await launcher.exited(identity)
            await launcher.forget(identity)
    finally:
        with home.engine.api() as api:
            api.remove_network(network["Id"])


async def test_a_sidecar_shares_the_loopback_of_a_named_container(home: Home) -> None:
    with home.engine.api() as api:
        holder = api.create_container(BASE, ["sleep", "600"], name=f"node-{home.owner[:8]}", host_config=None)["Id"]
        api.start(holder)
    async with home.launcher(network=f"container:node-{home.owner[:8]}") as launcher:
        identity = await home.started(launcher, SERVES)
        port = int(home.log().split()[1])
        assert await launcher.door(identity, port, 1) == f"http://127.0.0.1:{port}"
        with home.engine.api() as api:
            asked = api.exec_create(
                holder,
                ["python3", "-c", f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}').read())"],
            )
            assert b"inside" in api.exec_start(asked["Id"])


@pytest.fixture(params=[False, True], ids=["containers die with it", "containers live on"])
def live_restore(request: pytest.FixtureRequest, docker_engine: DockerEngine) -> Iterator[bool]:
    docker_engine.configure(live_restore=request.param)
    docker_engine.signal(signal.SIGHUP)
    yield request.param
    docker_engine.configure()
    docker_engine.signal(signal.SIGHUP)


async def test_an_engine_that_is_killed_and_comes_back(live_restore: bool, home: Home) -> None:
    """P6: while it is away nothing is an exit; when it is back, it tells whether there was one."""
    async with home.launcher() as launcher:
        identity = await home.started(launcher)
        waiting = asyncio.create_task(launcher.exited(identity))
        await asyncio.to_thread(home.engine.kill)
        await until(lambda: launcher.fault, 15, "the fault to be told")
        assert await launcher.alive(identity) == "unknown"
        assert not waiting.done()
        await asyncio.to_thread(home.engine.start)
        await known_again(launcher)
        if live_restore:
            assert await launcher.alive(identity) == "lives"
            await launcher.signal(identity, signal.SIGKILL)
        assert await asyncio.wait_for(waiting, 30) == -9
        assert await launcher.alive(identity) == "gone"


async def test_another_engine_in_its_place_tells_nothing(home: Home) -> None:
    """P6: a URL that leads to another engine now: what ran on the first is not gone because the second has no such."""
    async with home.launcher() as launcher:
        identity = await home.started(launcher)
        elsewhere = ContainerIdentity("another engine", identity.container_id, identity.pid)
        missing = ContainerIdentity("another engine", "0" * 64, 1)
        for other in (elsewhere, missing):
            assert await launcher.alive(other) == "unknown"
            with pytest.raises(EngineAway, match="another engine"):
                await launcher.signal(other, signal.SIGKILL)
        assert await launcher.alive(identity) == "lives"


async def test_an_engine_by_tls(home: Home, tmp_path: Path) -> None:
    url = home.engine.tls_url
    async with home.launcher(url=url, certificates=home.engine.certificates) as launcher:
        identity = await home.started(launcher)
        await launcher.signal(identity, signal.SIGKILL)
        assert await asyncio.wait_for(launcher.exited(identity), 60) == -9
    async with home.launcher(url=url, certificates=certificates(tmp_path / "others")) as launcher:
        assert "certificate" in launcher.fault.lower()


SSH = """#!{python}
import os, sys
# Stands for ssh and the machine behind it: runs what it is told to run there, with the engine that is there.
assert sys.argv[sys.argv.index("--") + 1 :] == ["there.example", "docker", "system", "dial-stdio"], sys.argv
if os.path.exists({refuses!r}):
    sys.exit("Permission denied (publickey).")
os.environ["DOCKER_HOST"] = {url!r}
os.execvp("docker", ["docker", "system", "dial-stdio"])
"""


async def test_an_engine_by_ssh(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    refuses = tmp_path / "refuses"
    fake = bin_ / "ssh"
    fake.write_text(SSH.format(python=sys.executable, refuses=str(refuses), url=home.engine.url))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    url = "ssh://olga@there.example:2222"
    async with home.launcher(url=url) as launcher:
        identity = await home.started(launcher)
        waiting = asyncio.create_task(launcher.exited(identity))
        await launcher.signal(identity, signal.SIGKILL)
        assert await asyncio.wait_for(waiting, 60) == -9
    refuses.touch()
    async with home.launcher(url=url) as launcher:
        assert "Permission denied" in launcher.fault
        assert await launcher.alive(identity) == "unknown"
