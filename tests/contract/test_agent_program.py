"""The agent as a program of its own: real signals, real processes, and what is left when it is gone."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.agent.interface import AgentAway, StaleEpoch, StaleTerm, Transport
from supervisor.agent.keys import node_key
from supervisor.agent.service.program import AgentOptions, run_agent
from supervisor.application import Application, Options
from supervisor.errors import Conflict, Invalid
from supervisor.settings import Settings
from tests.fixtures.agent_orders import lives, muted, on_air, say, start, stop
from tests.fixtures.agent_process import AgentProcess
from tests.fixtures.agents import until

KEY = node_key(bytes(32), "far")


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[AgentProcess]:
    async with AgentProcess(tmp_path / "far", "far", 0, KEY, faults=tmp_path / "faults.json") as it:
        yield it


async def test_a_killed_agent_takes_nothing_off_air_and_its_next_life_finds_all(far: AgentProcess) -> None:
    """P5, P2: the same process, epoch and run; what was refused before is refused after."""
    async with far.remote() as remote:
        pid = await remote.start(start(3, 7))
        before = (await on_air(remote, 3, 7)).status
        far.kill()
        with pytest.raises(AgentAway):
            await remote.report(-1, 0.0)
        assert lives(pid)
        await far.start()
        after = await muted(remote, 3)
        assert (after.pid, after.epoch) == (pid, 3)
        assert before is not None
        assert after.status is not None
        assert after.status.state == "on_air"
        assert after.status.run_id == before.run_id
        assert after.status.frame >= before.frame
        assert (await remote.report(-1, 0.0)).term == 7
        with pytest.raises(StaleTerm):
            await remote.stop(stop(3))
        with pytest.raises(StaleEpoch):
            await remote.start(start(2, 7))
        assert (await remote.command(replace(say(Transport("take"), 3), term=7), 30.0)).done == "on air: film"
        os.kill(pid, signal.SIGKILL)

        async def gone() -> bool:
            return all(it.exit is not None for it in (await remote.report(-1, 0.0)).sidecars)

        await until(gone, what="the exit of a process that is not its child")


async def test_systemd_hears_that_the_agent_is_ready_that_it_polls_and_that_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1: its watchdog is fed by rounds of polls alone; a unit with ``WatchdogSec`` starts one that hangs again."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = f"{folder}/notify"
        systemd.bind(address)
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        loop = asyncio.get_running_loop()

        async def heard() -> str:
            return (await asyncio.wait_for(loop.sock_recv(systemd, 4096), 60)).decode()

        async with AgentProcess(tmp_path / "far", "far", 0, KEY, faults=tmp_path / "faults.json") as agent:
            assert (await heard()).startswith("READY=1")
            for _ in range(2):
                assert await heard() == "WATCHDOG=1"
            agent.send(signal.SIGTERM)
            said = await heard()
            while said == "WATCHDOG=1":
                said = await heard()
            assert said == "STOPPING=1"


async def test_a_signal_ends_the_agent_and_playout_goes_on(far: AgentProcess) -> None:
    """P5: also while somebody waits for its report."""
    async with far.remote() as remote:
        pid = await remote.start(start())
        number = (await muted(remote)).polls
        waiting = asyncio.create_task(remote.report(number, 20.0))
        await remote.runs({})
        far.send(signal.SIGTERM)
        assert await asyncio.to_thread(far.wait) == 0
        await asyncio.wait({waiting})
        waiting.exception()
        assert lives(pid)
        assert not (far.home / "run" / "agent.json").exists()


async def test_a_frozen_agent_is_away_and_then_back(far: AgentProcess) -> None:
    """P6: an order that was sent meanwhile may be carried out later, and is one order."""
    async with far.remote(margin=0.3) as remote:

        async def back() -> bool:
            try:
                return (await remote.report(-1, 0.0)).number >= 0
            except AgentAway:
                return False

        await until(back, what="an answer in time, of a busy machine")
        far.stop()
        try:
            with pytest.raises(AgentAway, match=r"no answer within 0\.3 s"):
                await remote.report(-1, 0.0)
        finally:
            far.cont()
        await until(back, what="an answer")


async def test_one_home_is_for_one_agent(far: AgentProcess) -> None:
    """P2: two memories of one node's epochs would each allow what the other refuses; a supervisor has one too."""
    settings, why = Settings(home=far.home), f"already runs here: process {far.pid}"
    with pytest.raises(Conflict, match=why):
        await run_agent(settings, AgentOptions("far", "127.0.0.1", 0, far.home / "node_key", None))
    with pytest.raises(Conflict, match=why):
        await Application(settings, Options()).run()


async def test_what_cannot_start_says_why_and_touches_nothing(tmp_path: Path) -> None:
    good, open_to_all, nothing = (tmp_path / name for name in ("good", "open", "nothing"))
    for path, text, mode in ((good, "ab" * 32, 0o600), (open_to_all, "ab" * 32, 0o644), (nothing, "secret", 0o600)):
        path.write_text(text)
        path.chmod(mode)
    there = AgentOptions("far", "127.0.0.1", 0, good, None)
    for options, why in (
        (replace(there, key_file=open_to_all), "can be read by others"),
        (replace(there, key_file=nothing), "holds no key"),
        (replace(there, key_file=tmp_path / "none"), "cannot be read"),
        (replace(there, cluster_key_file=good), "give one of"),
        (replace(there, key_file=None), "give one of"),
        (replace(there, name=""), "--name"),
        (replace(there, host="no.such.host.invalid"), "is no address"),
    ):
        with pytest.raises(Invalid, match=why):
            await run_agent(Settings(home=tmp_path / "home"), options)
    assert not (tmp_path / "home" / "agent" / "incarnation").exists()


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mcr_console.cli.main", *arguments], env={**os.environ, "MCR_HOME": str(home)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_operator_gets_a_nodes_key_and_hears_why_it_is_not_taken(tmp_path: Path) -> None:
    """The key is made once and is this user's alone; another node's is another."""
    home = tmp_path / "home"
    said = run(home, "node", "key", "far").stdout
    cluster = home / "cluster_key"
    assert cluster.stat().st_mode & 0o077 == 0
    assert said == f"{node_key(bytes.fromhex(cluster.read_text()), 'far').hex()}\n"
    key = tmp_path / "far.key"
    key.write_text(said)
    key.chmod(0o644)
    done = run(home, "agent", "--name", "far", "--key-file", str(key), "--capacity", "3")
    assert done.returncode == 2
    assert "can be read by others" in done.stderr
    assert "chmod 600" in done.stderr
    assert "Traceback" not in done.stderr
