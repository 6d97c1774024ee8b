"""The node agent: a sidecar that waits, decoded and muted, beside the one it is to follow."""

import os
import signal

import pytest

from supervisor.agent.interface import Arm, NodeAgent, StaleEpoch, StillRunning
from tests.fixtures.agent_orders import lives, muted, on_air, say, sees, start, stop
from tests.fixtures.agents import NodeHome, Run, until


async def nonce(agent: NodeAgent, epoch: int) -> str:
    seen = await muted(agent, epoch)
    assert seen.status is not None
    return seen.status.nonce


async def test_a_standby_waits_beside_the_one_on_air_and_enters_only_after_it_is_gone(
    node_home: NodeHome, run: Run
) -> None:
    """P2: two of a channel may live, and never two on air."""
    link = node_home.path / "media" / "live" / ("c" * 32) / "index.m3u8"
    async with run(node_home) as agent:
        pid = await agent.start(start(1))
        await on_air(agent, 1)
        await until(link.is_symlink, what="link")
        beside = await agent.standby(start(2))
        assert beside != pid
        with pytest.raises(StillRunning) as refused:
            await agent.command(say(Arm(await nonce(agent, 2)), 2), 30.0)
        assert (refused.value.epoch, refused.value.pid) == (1, pid)
        assert str(pid) in str(refused.value)
        seen = await sees(agent, 1)
        assert seen is not None
        assert seen.status is not None
        assert seen.status.state == "on_air"
        assert str(link.readlink()) == "1.m3u8"
        await agent.stop(stop(1))
        assert not lives(pid)
        assert lives(beside)
        await agent.command(say(Arm(await nonce(agent, 2)), 2), 30.0)
        await until(lambda: str(link.readlink()) == "2.m3u8", what="link moves")


async def test_a_standby_may_be_ordered_again_and_is_what_older_orders_are_refused_for(
    node_home: NodeHome, run: Run
) -> None:
    async with run(node_home) as agent:
        await agent.start(start(3))
        pid = await agent.standby(start(5))
        assert await agent.standby(start(5)) == pid
        assert await agent.start(start(5)) == pid
        with pytest.raises(StaleEpoch) as refused:
            await agent.standby(start(4))
        assert refused.value.highest == 5
        with pytest.raises(StillRunning):
            await agent.start(start(6))
        assert len(node_home.processes()) == 2


async def test_a_standby_of_a_node_with_no_other_is_a_start(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.standby(start(1))
        assert (await on_air(agent, 1)).status is not None


async def test_one_stop_ends_both(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start(1))
        await agent.standby(start(2))
        await muted(agent, 1)
        await muted(agent, 2)
        ended = await agent.stop(stop(2))
        assert ended is not None
        assert ended.code == 0
        assert not node_home.processes()


async def test_both_are_found_again(node_home: NodeHome, run: Run) -> None:
    """P5: the note of the one on air is kept while it lives, whatever stands by."""
    async with run(node_home) as agent:
        pids = {1: await agent.start(start(1)), 2: await agent.standby(start(2))}
    async with run(node_home) as agent:
        assert {it.epoch: it.pid for it in (await agent.report(-1, 0.0)).sidecars} == pids
        os.kill(pids[1], signal.SIGKILL)

        async def gone() -> bool:
            seen = await sees(agent, 1)
            return seen is not None and seen.exit is not None

        await until(gone, what="exit")
        await agent.command(say(Arm(await nonce(agent, 2)), 2), 30.0)
