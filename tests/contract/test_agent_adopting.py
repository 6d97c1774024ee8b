"""The node agent: sidecars outlive it, and its next life finds them."""

import asyncio
import errno
import os
import signal
import subprocess
import sys

import pytest

from supervisor.agent.interface import (
    StartOrder,
    StillRunning,
    Transport,
)
from supervisor.agent.memory import Handle, Memory
from tests.fixtures.agent_orders import CHANNEL, lives, muted, on_air, say, sees, start, stop
from tests.fixtures.agents import NodeHome, Run, document, until


async def test_sidecars_outlive_the_agent_and_are_found_again(node_home: NodeHome, run: Run) -> None:
    """P5: the same process, watched by an agent that is not its parent."""
    other = subprocess.run(  # noqa: ASYNC221 - the first agent's whole life
        [sys.executable, "-c", STARTER, str(node_home.path), CHANNEL], capture_output=True, text=True, check=True
    )
    pid = int(other.stdout)
    assert lives(pid)
    async with run(node_home) as agent:
        seen = await muted(agent)
        assert seen.pid == pid
        assert await agent.start(start()) == pid
        await on_air(agent)
        os.kill(pid, signal.SIGKILL)
        began = asyncio.get_running_loop().time()

        async def gone() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None

        await until(gone, what="exit of a process that is not a child")
        assert asyncio.get_running_loop().time() - began < 0.5


async def test_a_sidecar_whose_start_was_never_noted_is_found_by_what_it_was_started_with(
    node_home: NodeHome, run: Run
) -> None:
    """P2, P5: killed between the start and the note of it, the agent still knows its own."""
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await muted(agent)
    memory = Memory(node_home.path / "agent")
    (handle,) = memory.handles()
    memory.put(Handle(handle.channel_id, handle.epoch, handle.token, handle.state_dir, None))
    async with run(node_home) as agent:
        seen = await muted(agent)
        assert seen.pid == pid
        with pytest.raises(StillRunning):
            await agent.start(start(2))


@pytest.mark.parametrize("beside", [True, False], ids=["beside a whole one", "alone"])
async def test_a_broken_handle_loses_no_sidecar(node_home: NodeHome, beside: bool, run: Run) -> None:
    """P2, P5: what a full disk or a power cut left of it, its name, is enough to adopt the sidecar untouched."""
    other = "d" * 32
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        if beside:
            await agent.start(StartOrder(other, 1, 1, document(other, "news")))
    (node_home.path / "agent" / "handles" / f"{CHANNEL}-1.json").write_bytes(b'{"channel_id":"ccc')
    async with run(node_home) as agent:
        seen = {it.channel_id: it for it in (await agent.report(-1, 0.0)).sidecars}
        assert seen.keys() == ({CHANNEL, other} if beside else {CHANNEL})
        assert seen[CHANNEL].pid == pid
        with pytest.raises(StillRunning):
            await agent.start(start(2))
        assert (await agent.command(say(Transport("take")), 30.0)).done == "on air: film"


async def test_a_broken_handle_of_a_sidecar_that_is_gone_is_dropped(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        await agent.stop(stop())
    handle = node_home.path / "agent" / "handles" / f"{CHANNEL}-1.json"
    handle.write_bytes(b"")
    handle.with_name("notes.json").write_bytes(b"of somebody")
    async with run(node_home) as agent:
        assert not (await agent.report(-1, 0.0)).sidecars
        assert not handle.exists()
        await agent.start(start(2))


async def test_a_reused_pid_is_not_taken_for_the_sidecar(node_home: NodeHome, run: Run) -> None:
    """Identity is boot, pid and start time: somebody else's process is neither adopted nor killed."""
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)  # so that the stranger begins in a later tick of the kernel's clock
        await agent.stop(stop())
    memory = Memory(node_home.path / "agent")
    (handle,) = memory.handles()
    assert handle.process is not None
    stranger = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    try:
        process = type(handle.process)(handle.process.boot_id, stranger.pid, handle.process.start_ticks)
        memory.put(Handle(handle.channel_id, handle.epoch, handle.token, handle.state_dir, process))
        async with run(node_home) as agent:
            seen = await sees(agent)
            assert seen is not None
            assert seen.exit is not None
            assert await agent.stop(stop()) is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_disk_that_fills_up_during_a_start_loses_no_sidecar(
    node_home: NodeHome, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2: it runs, so it is told of, stopped on order, and found again by the next agent."""
    put = Memory.put

    def full(memory: Memory, handle: Handle) -> None:
        if handle.identity is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(memory, handle)

    monkeypatch.setattr(Memory, "put", full)
    async with run(node_home) as agent:
        pid = await agent.start(start())
        assert (await muted(agent)).pid == pid
    async with run(node_home) as agent:
        assert (await muted(agent)).pid == pid
        assert await agent.stop(stop()) is not None


STARTER = """
import asyncio, os, sys
from pathlib import Path
from tests.fixtures.agents import NodeHome, document
from supervisor.agent.interface import StartOrder

async def main():
    async with NodeHome(Path(sys.argv[1])).agent() as agent:
        print(await agent.start(StartOrder(sys.argv[2], 1, 1, document(sys.argv[2], "news", "film"))), flush=True)
        os._exit(0)

asyncio.run(main())
"""
