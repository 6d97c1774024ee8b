"""The warm spare: it becomes a sidecar like any other, and is nothing else meanwhile (P1, P2, P5)."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.agent import spare as spare_module
from supervisor.agent.interface import StartOrder
from supervisor.agent.launcher import Launch, ProcessIdentity
from supervisor.agent.launching import TOKEN, Directories, identifying, program_environment, remembered
from supervisor.agent.memory import Memory
from supervisor.agent.process import ProcessLauncher
from supervisor.agent.spare import Spare
from supervisor.clock import SystemClock
from tests.fixtures.agents import NodeHome, document, until

PROGRAM = (sys.executable, "-P", "-m", "sidecar")
CHANNEL = "c" * 32
SLOW_S = 60.0
"""Imports on a busy machine."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_module, "QUIET_S", 0.0)
    monkeypatch.setattr(spare_module, "_NAMED_S", 10.0)


@pytest.fixture
async def spare(tmp_path: Path) -> AsyncIterator[Spare]:
    kept = Spare(PROGRAM, program_environment(), str(tmp_path / "spare.log"), SystemClock(), None)
    keeping = asyncio.create_task(kept.keep())
    yield kept
    await kept.close()
    keeping.cancel()
    await asyncio.wait({keeping})


async def warm(spare: Spare | None) -> ProcessIdentity:
    assert spare is not None
    process: ProcessIdentity = await until(lambda: spare.process, SLOW_S, "a warm spare")
    return process


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def launch(tmp_path: Path, **environment: str) -> Launch:
    return Launch(PROGRAM, environment, str(tmp_path), str(tmp_path / "sidecar.log"))


async def test_a_start_takes_the_spare_which_then_is_a_sidecar_like_any_other(node_home: NodeHome) -> None:
    """P5: an agent that lost its notes finds it again by its environment, with its token; the leash holds it too."""
    ours, theirs = os.pipe()
    order = StartOrder(CHANNEL, 1, 1, document(CHANNEL))
    async with node_home.agent(program=PROGRAM, spare=True, leash_fd=ours) as agent:
        process = await warm(agent._spare)
        assert node_home.processes() == [], "a spare counts as no channel's sidecar"
        assert await agent.start(order) == process.pid
        assert node_home.processes() == [process.pid]

        async def answers() -> bool:
            report = (await agent.report(0, 0.0)).sidecars[0]
            return report.status is not None and report.status.pid == process.pid

        await until(answers, SLOW_S, "the sidecar's first answer")
        memory = Memory(node_home.path / "agent")
        places = Directories(node_home.path / "sidecars", node_home.path / "journal", node_home.path / "media")
        handle = remembered(CHANNEL, 1, memory, places)
        launcher = ProcessLauncher()
        assert (await launcher.find(identifying(handle))) == process == handle.process
        assert (await launcher.variable(process, TOKEN)) == handle.token
        assert (await launcher.variable(process, "MCR_MEDIA_ROOT")) == str(node_home.path / "media")
        assert "muted, listening" in (Path(handle.state_dir) / "sidecar.log").read_text()
        next_one = await warm(agent._spare)
        assert next_one.pid != process.pid
    assert not alive(next_one.pid), "the spare ends with its agent"
    assert alive(process.pid), "the sidecar does not"
    os.close(ours)
    os.close(theirs)
    await until(lambda: not alive(process.pid), 15, "the leash lets it go")


async def test_a_spare_that_does_not_answer_is_killed_and_the_sidecar_started_plainly(
    spare: Spare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1, P2: it must not come to itself later and be a second one."""
    monkeypatch.setattr(spare_module, "_NAMED_S", 0.2)
    stopped = await warm(spare)
    os.kill(stopped.pid, signal.SIGSTOP)
    launcher = ProcessLauncher(spare=spare)
    process = await launcher.launch(launch(tmp_path, MCR_STATE_DIR=str(tmp_path)))
    assert process.pid != stopped.pid
    assert not alive(stopped.pid)
    assert await launcher.exited(process) == 64, "it was a sidecar, and found too little to be one"
    replaced = await warm(spare)
    assert replaced.pid not in (process.pid, stopped.pid)


async def test_a_spare_serves_its_own_program_and_one_launch_only(spare: Spare, tmp_path: Path) -> None:
    process = await warm(spare)
    launcher = ProcessLauncher(spare=spare)
    other = Launch((sys.executable, "-c", "pass"), {}, str(tmp_path), str(tmp_path / "other.log"))
    assert (await launcher.launch(other)).pid != process.pid
    too_long = await launcher.launch(launch(tmp_path, MCR_STATE_DIR="/" + "x" * 10_000))
    assert too_long.pid != process.pid
    assert await launcher.exited(too_long) == 64
    both = await asyncio.gather(*(launcher.launch(launch(tmp_path, MCR_EPOCH=str(n))) for n in (1, 2)))
    assert [one.pid for one in both].count(process.pid) == 1
    codes = [await launcher.exited(one) for one in both]
    assert codes == [64, 64]
    assert (tmp_path / "sidecar.log").read_text().count("CHANNEL_ID is not set") == 3


async def test_a_spare_that_ended_is_noticed(spare: Spare, tmp_path: Path) -> None:
    ended = await warm(spare)
    os.kill(ended.pid, signal.SIGKILL)
    await until(lambda: spare.process is None, 5, "the loss is seen")
    process = await ProcessLauncher(spare=spare).launch(launch(tmp_path, MCR_EPOCH="1"))
    assert process.pid != ended.pid


KEEPER = """
import asyncio, sys
from supervisor.agent.launching import program_environment
from supervisor.agent.spare import Spare
from supervisor.clock import SystemClock

async def keep():
    spare = Spare((sys.executable, "-P", "-m", "sidecar"), program_environment(), sys.argv[1], SystemClock(), None)
    keeping = asyncio.create_task(spare.keep())
    while spare.process is None:
        await asyncio.sleep(0.02)
    print(spare.process.pid, flush=True)
    await keeping

asyncio.run(keep())
"""


async def test_a_spare_does_not_outlive_an_agent_that_was_killed(tmp_path: Path) -> None:
    keeper = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KEEPER, str(tmp_path / "spare.log"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert keeper.stdout is not None
    lines = []
    async with asyncio.timeout(SLOW_S):
        while not lines or not lines[-1].strip().isdigit():
            lines.append(await keeper.stdout.readline())
            assert lines[-1], "the keeper ended"
    pid = int(lines[-1])
    assert alive(pid)
    keeper.kill()
    await keeper.wait()
    await until(lambda: not alive(pid), 5, "the spare's end")
