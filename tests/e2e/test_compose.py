"""``compose.yaml``, without Docker Compose: it is what it says, and its equal comes up and survives its leader's end.

Each service of ours is a process of this machine, by the command and environment of the file: tests/fixtures/
compose_equal.py tells the few substitutions. Where ``MCR_DOCKER_TESTS=1`` turns tests with an engine on, sidecars are
containers of the real image; elsewhere they are plain processes, and the file's options of Docker do nothing.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from supervisor.declared_nodes import parse_declared
from supervisor.settings import Settings
from tests.fixtures.compose_equal import ComposeEqual, EngineOfTest, compose_equal
from tests.fixtures.compose_file import COMPOSE_FILE, Service, read_services, resolve
from tests.fixtures.docker_engine import DockerEngine, why_not
from tests.fixtures.homes import until
from tests.fixtures.machines import ApiError, Json

WITH_ENGINE = not why_not()
ENGINE_SOCKET = "/var/run/docker.sock"
SHARED = ("MCR_NODES", "MCR_DATABASE_URL", "MCR_CLUSTER_KEY_FILE")
TAKEOVER_S = 15.0


@pytest.fixture
def data() -> Iterator[Path]:
    """``MCR_DATA``: short, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="mcr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[EngineOfTest | None]:
    """None where sidecars are processes. Every container that was made goes at the end."""
    if not WITH_ENGINE:
        yield None
        return
    running: DockerEngine = request.getfixturevalue("docker_engine")
    image: str = request.getfixturevalue("sidecar_image")
    before = {one["Id"] for one in containers(running)}
    yield EngineOfTest(running.url, image)
    for one in containers(running):
        if one["Id"] not in before:
            with running.api() as api:
                api.remove_container(one["Id"], force=True)


def containers(running: DockerEngine) -> list[Json]:
    with running.api() as api:
        listed: list[Json] = api.containers(all=True, filters={"label": ["mcr.owner"]})
        return listed


def by_kind(services: Mapping[str, Service], word: str) -> list[Service]:
    return [one for one in services.values() if one.is_ours and any(word in part.split() for part in one.command)]


def test_the_file_is_two_supervisors_a_database_and_three_nodes() -> None:
    services = read_services({})
    supervisors, agents = by_kind(services, "serve"), by_kind(services, "agent")
    assert (len(supervisors), len(agents)) == (2, 3)
    # Nothing plays beside a supervisor: its end must never be a node's.
    assert all("--no-node" in one.command for one in supervisors)
    for variable in SHARED:
        assert len({one.environment[variable] for one in supervisors}) == 1, variable
    declared = {node.name: node.url for node in parse_declared(supervisors[0].environment["MCR_NODES"])}
    # The agents' port is the one that is listened on without --port.
    assert declared == {one.environment["MCR_NODE"]: f"https://{one.name}:6271" for one in agents}
    assert not any("--port" in part for one in agents for part in one.command)
    keys = {one.environment["MCR_CLUSTER_KEY_FILE"] for one in (*supervisors, *agents)}
    assert len(keys) == 1, "one key is the cluster's"
    homes = [one.environment["MCR_HOME"] for one in services.values() if one.is_ours]
    assert len(set(homes)) == len(homes), "a home of two has one lock and one socket"
    assert all(one.raw["restart"] == "unless-stopped" for one in (*supervisors, *agents, services["postgres"]))


def test_sidecars_share_a_network_that_outlives_their_agent() -> None:
    """P5: a container's network goes when it ends, and what listens there is never reached again."""
    services = read_services({"MCR_IMAGE": "mine:2"})
    for one in by_kind(services, "agent"):
        kind, _, name = one.raw["network_mode"].partition(":")
        network = services[name]
        assert kind == "service"
        assert not network.is_ours
        assert network.raw["image"] != one.raw["image"], "a build must not make it anew"
        # MCR_NODES has this name, and the agent's own service has no network to be found in.
        assert network.raw["networks"]["default"]["aliases"] == [one.name]
        # What --docker-network "container:mcr-$MCR_NODE" is in the agent's shell.
        assert '"container:mcr-$MCR_NODE"' in one.command[-1]
        assert network.raw["container_name"] == f"mcr-{one.environment['MCR_NODE']}"


def test_only_agents_reach_the_engine_and_nothing_is_privileged() -> None:
    """P7: whoever has the engine's socket is root on its machine."""
    services = read_services({})
    agents = {one.name for one in by_kind(services, "agent")}
    assert {name for name, one in services.items() if any(ENGINE_SOCKET in it for it in one.volumes)} == agents
    for name, one in services.items():
        forbidden = {"privileged", "cap_add", "devices", "pid", "ipc"} & set(one.raw)
        assert not forbidden, f"{name}: {forbidden}"
        assert one.raw.get("security_opt", ["no-new-privileges:true"]) == ["no-new-privileges:true"], name
    for one in by_kind(services, "serve"):
        assert one.raw["user"] == "10001:10001", one.name
        assert (one.raw["read_only"], one.raw["cap_drop"], one.raw["tmpfs"]) == (True, ["ALL"], ["/tmp"]), one.name
        assert one.raw["build"]["target"] == "supervisor", one.name
        assert one.raw["security_opt"], one.name


def test_what_the_supervisors_write_to_is_made_and_given_to_their_user_beforehand() -> None:
    services = read_services({"MCR_DATA": "/data", "MCR_UID": "77", "MCR_GID": "78"})
    prepare = services["prepare"]
    assert (prepare.raw["user"], prepare.environment["MCR_UID"]) == ("0:0", "77")
    (given,) = [part for part in prepare.command[-1].split("&&") if "chown -R" in part]
    for one in by_kind(services, "serve"):
        assert one.raw["user"] == "77:78"
        home = one.environment["MCR_HOME"].replace("/data", "$MCR_DATA")
        assert f'"{home}"' in given


def test_supervisors_read_a_nodes_media_and_nothing_else_of_its_home(tmp_path: Path) -> None:
    """Without root they look into clips, recordings too; a node's keys and journals are its own."""
    data = tmp_path / "data"
    variables = {"MCR_DATA": str(data), "MCR_UID": str(os.getuid()), "MCR_GID": str(os.getgid())}
    services = read_services(variables)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text('#!/bin/sh\ntouch "$MCR_CLUSTER_KEY_FILE"\n')
    (programs / "python").chmod(0o755)
    prepare = services["prepare"]
    for _ in range(2):  # at every ``up``
        subprocess.run(
            prepare.command, check=True, timeout=60, capture_output=True,
            env={**prepare.environment, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
        for agent in by_kind(services, "agent"):
            home = Path(agent.environment["MCR_HOME"])
            Settings(home=home).make_directories()  # as an agent does
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())}
            assert (found.pop(home.name), found.pop("media")) == (0o710, 0o750)
            assert {*found.values()} == {0o700}, found
    group = prepare.command[-1].partition("chgrp")[2].split()[0]
    assert (group, prepare.environment["MCR_GID"]) == ('"$MCR_GID"', str(os.getgid()))


def test_a_database_that_is_being_made_is_not_taken_for_ready() -> None:
    """While its image makes it, a server answers on the socket alone: what came by the network then ended ``up``."""
    (test,) = (one.raw["healthcheck"]["test"] for one in read_services({}).values() if "healthcheck" in one.raw)
    assert test[:4] == ["CMD", "pg_isready", "--host", "127.0.0.1"]


def test_compose_itself_reads_the_file_as_these_tests_do() -> None:
    compose = compose_program()
    if compose is None:
        pytest.skip("Docker Compose 2 is not on every machine")
    variables = {"MCR_DATA": "/data", "MCR_UID": "77", "MCR_ENGINE_SOCKET": "/run/another.sock", "MCR_IMAGE": "mine:2"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCR_", "COMPOSE_"))}
    done = subprocess.run(
        [*compose, "--file", str(COMPOSE_FILE), "config", "--format", "json", "--no-path-resolution"],
        env=environment | variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    whole, ours = json.loads(done.stdout), read_services(variables)
    assert (whole["name"], whole["services"].keys()) == ("mcr", ours.keys())
    for name, one in whole["services"].items():
        # What it writes is to be read again: each dollar is two.
        command = [part.replace("$$", "$") for part in one.get("command") or ()]
        mounts = {f"{it['source']}:{it['target']}" for it in one.get("volumes", ())}
        service = ours[name]
        assert command == list(service.command), name
        assert one.get("environment") or dict(service.environment) == {}, name
        assert mounts == set(service.volumes), name
        plain = ("image", "user", "network_mode", "restart", "read_only", "cap_drop", "security_opt", "container_name")
        assert {key: one.get(key) for key in plain} == {key: service.raw.get(key) for key in plain}, name


def compose_program() -> list[str] | None:
    """The first that does not know a project's name is of 2020 and reads another file."""
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) is not None:
            said = subprocess.run([*program, "version", "--short"], capture_output=True, text=True, check=False).stdout
            if re.match(r"v?[2-9]", said):
                return program
    return None


def test_variables_are_put_in_and_everything_has_the_same_path() -> None:
    images = {"MCR_IMAGE": "mine:2", "MCR_SUPERVISOR_IMAGE": "mine:3"}
    services = read_services({"MCR_DATA": "/data", "MCR_DATABASE_PASSWORD": "p", **images})
    ours = [one for one in services.values() if one.is_ours]
    assert {one.raw["image"] for one in by_kind(services, "agent")} == {"mine:2"}
    assert {one.raw["image"] for one in ours if "agent" not in one.command[-1]} == {"mine:3"}
    assert all("/data:/data" in one.volumes for one in ours), "a sidecar's mounts have the engine's machine's paths"
    assert all(one.environment["MCR_HOME"] == f"/data/{one.name}" for one in ours)
    assert services["postgres"].environment["POSTGRES_PASSWORD"] == "p"
    assert services["supervisor-1"].environment["MCR_DATABASE_URL"] == "postgresql://mcr:p@postgres/mcr"
    assert resolve("$$X ${A:-b} ${A:-}", {}) == "$X b "
    with pytest.raises(ValueError, match="write"):
        resolve("$MCR_DATA", {})


class Station:
    """The equal, looked at as an operator does: by the API."""

    def __init__(self, equal: ComposeEqual) -> None:
        self.equal = equal

    def until_up(self) -> None:
        until(self._is_up, 60.0, self.equal.logs)

    def _is_up(self) -> bool:
        assert not self.equal.ended(), self.equal.logs()
        leaders = self.equal.leaders()
        if len(leaders) != 1:
            return False
        try:
            for name in self.equal.supervisors:
                self.equal.api(name).get("/supervisor", timeout=2.0)
            nodes = self.equal.api(leaders[0]).everything("/nodes")
        except (OSError, ApiError):
            return False
        return {node["name"] for node in nodes if node["state"] == "answers"} == set(self.equal.agents)

    def on_air(self, name: str, channel_id: str, *, beyond: int = 0, timeout: float = 40.0) -> Json:
        """``live`` at ``name``, once it is on air past frame ``beyond``; late frames are a busy machine's."""
        seen: list[Json] = [None]

        def there() -> bool:
            try:
                seen[0] = live = self.equal.api(name).get(f"/channels/{channel_id}", timeout=2.0)["live"]
            except (OSError, ApiError):
                return False
            plays = live["phase"] == "running" and live["observed"] in ("on_air", "late")
            return bool(plays and live["frame"] > beyond)

        until(there, timeout, lambda: f"{seen[0]}\n{self.equal.logs()}")
        return seen[0]

    def until_refused(self, follower: str, leader: str) -> None:
        """A command, by ``follower``, with the leader's name once it has heard of it; never taken."""
        said: list[str] = [""]

        def names() -> bool:
            with pytest.raises(ApiError) as refused:
                self.equal.api(follower).post("/media-roots", {"path": str(self.equal.data / "media")})
            said[0] = str(refused.value)
            assert refused.value.status == 503, said[0]
            return f'"leader":"{leader}"' in said[0]

        until(names, 15.0, lambda: said[0])

    def until_served(self, name: str, channel_id: str) -> bytes:
        """Its HLS playlist, at supervisor ``name``, with a segment in it."""
        found: list[bytes] = [b""]

        def served() -> bool:
            try:
                found[0] = self.equal.api(name).live_file(channel_id)
            except OSError:
                return False
            return b"#EXTINF" in found[0]

        until(served, 20.0, lambda: f"{name} serves {found[0]!r}\n{self.equal.logs()}")
        return found[0]


@pytest.mark.long
@pytest.mark.realtime
@pytest.mark.timeout(900 if WITH_ENGINE else 120)
@pytest.mark.xdist_group("docker" if WITH_ENGINE else "compose")
# The SDK leaves the socket of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_its_equal_comes_up_plays_and_outlives_its_leader(
    data: Path, postgres_url: str, engine: EngineOfTest | None, request: pytest.FixtureRequest
) -> None:
    """P1, P2, P5: the other supervisor leads in time, and the channel is never touched."""
    with compose_equal(data, postgres_url, engine) as equal:
        station = Station(equal)
        station.until_up()
        (leader,) = equal.leaders()
        (follower,) = set(equal.supervisors) - {leader}
        station.until_refused(follower, leader)

        make_clip(ClipSpecification(1, "Composed", 320, 180, Fraction(25), 2000), data / "media")
        equal.execute(leader, "mcr", "media", "mark", f"{data}/media")
        equal.execute(
            leader, "mcr", "channel", "add", "News", "--from", f"{data}/media", "--format", "320x180p25", "--start"
        )
        (channel,) = equal.api(leader).everything("/channels")
        before = station.on_air(leader, channel["id"])
        for name in equal.supervisors:
            station.until_served(name, channel["id"])
        playing = equal.sidecars() if engine is None else _containers_of(channel["id"], request)
        assert len(playing) == 1, playing

        before = station.on_air(leader, channel["id"])
        equal.kill(leader)
        until(lambda: equal.leaders() == [follower], TAKEOVER_S, equal.logs)
        after = station.on_air(follower, channel["id"], beyond=before["frame"])
        assert (after["epoch"], after["node_name"]) == (before["epoch"], before["node_name"])
        assert playing == (equal.sidecars() if engine is None else _containers_of(channel["id"], request))
        station.until_served(follower, channel["id"])


def _containers_of(channel_id: str, request: pytest.FixtureRequest) -> set[int]:
    """Process ids, on this machine, of the containers of a channel."""
    running: DockerEngine = request.getfixturevalue("docker_engine")
    with running.api() as api:
        made = running.containers(**{"mcr.channel": channel_id})
        return {int(api.inspect_container(one["Id"])["State"]["Pid"]) for one in made}
