"""The node agent: what it starts, and what it refuses to."""

import asyncio
from dataclasses import replace

import pytest

from supervisor.agent.interface import (
    EpochUsed,
    StaleEpoch,
    StaleTerm,
    StartFailed,
    StillRunning,
    Transport,
)
from tests.fixtures.agent_orders import muted, on_air, say, sees, start, stop
from tests.fixtures.agents import NodeHome, Run, until


async def test_starts_muted_and_enters_the_air_by_arming_alone(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        pid = await agent.start(start())
        seen = await muted(agent)
        assert seen.pid == pid
        assert seen.status is not None
        assert seen.status.state == "muted"
        seen = await on_air(agent)
        assert seen.status is not None
        assert seen.status.state == "on_air"
        assert seen.status.item is not None
        assert seen.status.item.item_id == "news"


async def test_a_first_picture_is_told_as_soon_as_it_is_decoded(node_home: NodeHome, run: Run) -> None:
    """P1: a start waits for its first picture, so it must not wait for the next round of polls too."""
    node_home.faults(undecoded="news")
    async with run(node_home, poll=60.0, answer=0.8) as agent:
        await agent.start(start())
        seen = await muted(agent)
        assert seen.status is not None
        assert seen.status.next is not None
        assert not seen.status.next.ready
        node_home.faults()

        async def decoded() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.status is not None and seen.status.next is None

        await until(decoded, 5.0, "the next answer, long before the next round")


async def test_repeating_a_start_starts_nothing(node_home: NodeHome, run: Run) -> None:
    """P2: at most one sidecar of an epoch, however often it is ordered."""
    async with run(node_home) as agent:
        pids = await asyncio.gather(*(agent.start(start()) for _ in range(5)))
        assert len(set(pids)) == 1
        assert len(node_home.processes()) == 1


async def test_older_epochs_are_refused_for_ever(node_home: NodeHome, run: Run) -> None:
    """P2: what the agent has seen is on disk; a new agent refuses it too."""
    async with run(node_home) as agent:
        await agent.start(start(7))
        await agent.stop(stop(7))
    async with run(node_home) as agent:
        for epoch in (1, 6):
            with pytest.raises(StaleEpoch, match="epoch 7"):
                await agent.start(start(epoch))
        with pytest.raises(EpochUsed):
            await agent.start(start(7))
        assert not node_home.processes()
        await agent.start(start(8))


async def test_a_start_that_comes_after_its_stop_starts_nothing(node_home: NodeHome, run: Run) -> None:
    """P2, P3: a stop answers for what is still on its way, so that what it held may be given to others."""
    async with run(node_home) as agent:
        assert await agent.stop(stop(3)) is None
        with pytest.raises(EpochUsed, match="ended before its start came"):
            await agent.start(start(3))
        assert not node_home.processes()
        await agent.start(start(4))


async def test_a_start_is_refused_while_an_older_sidecar_lives(node_home: NodeHome, run: Run) -> None:
    """P2: the agent itself never lets two run for a channel."""
    async with run(node_home) as agent:
        pid = await agent.start(start(1))
        with pytest.raises(StillRunning, match=str(pid)):
            await agent.start(start(2))
        await agent.stop(stop(1))
        assert await agent.start(start(2)) != pid


async def test_an_older_leader_is_refused(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start(1, 5))
        with pytest.raises(StaleTerm):
            await agent.start(start(2, 4))
        with pytest.raises(StaleTerm):
            await agent.stop(stop())
        assert len(node_home.processes()) == 1


async def test_an_older_leader_is_refused_by_the_agents_next_life_too(node_home: NodeHome, run: Run) -> None:
    """P2: the term is on disk before the order is obeyed."""
    async with run(node_home) as agent:
        await agent.start(start(1, 5))
    async with run(node_home) as agent:
        assert (await agent.report(-1, 0.0)).term == 5
        await muted(agent)
        for order in (agent.start(start(2, 4)), agent.standby(start(2, 4)), agent.stop(stop())):
            with pytest.raises(StaleTerm) as refused:
                await order
            assert refused.value.seen == 5
        with pytest.raises(StaleTerm, match="term 5 gives the orders here"):
            await agent.command(say(Transport("take")), 30.0)
        assert len(node_home.processes()) == 1
        await agent.stop(replace(stop(), term=6))
        assert (await agent.report(-1, 0.0)).term == 6


async def test_nothing_is_started_by_a_leader_whose_term_cannot_be_kept(node_home: NodeHome, run: Run) -> None:
    """P2, P1: a full disk starts nothing that an older leader could double; it keeps nothing on air either."""
    async with run(node_home) as agent:
        await agent.start(start(1, 1))
        await muted(agent)
        (node_home.path / "agent" / "term").unlink()
        (node_home.path / "agent" / "term").mkdir()
        with pytest.raises(StartFailed, match="could not be started"):
            await agent.standby(start(2, 2))
        assert len(node_home.processes()) == 1
        await agent.stop(replace(stop(1), term=2))
        assert not node_home.processes()
        with pytest.raises(StaleTerm):
            await agent.stop(stop(1))


async def test_a_start_that_dies_says_its_last_words(node_home: NodeHome, run: Run) -> None:
    node_home.faults(exit_at_start=3)
    async with run(node_home) as agent:
        await agent.start(start())

        async def gone() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None

        await until(gone, what="exit")
        seen = await sees(agent)
        assert seen is not None
        assert str(seen.exit) == "ended with code 3: no such encoder: h265"


async def test_a_program_that_is_not_there_is_a_failed_start(node_home: NodeHome, run: Run) -> None:
    async with run(node_home, program=("/nonexistent/python",)) as agent:
        with pytest.raises(StartFailed, match="nonexistent"):
            await agent.start(start())


async def test_secrets_and_memory_are_this_users_alone(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        for path in (node_home.path / "agent").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path
