"""The node agent: faults that are made on purpose, and undo themselves."""

import signal

import pytest

from supervisor.agent.drills import CanDrill, Drilled, DrillKind, DrillOrder
from supervisor.agent.interface import AgentAway, NodeAgent, NotRunning, SidecarSilent, StaleTerm, Transport
from tests.fixtures.agent_orders import CHANNEL, lives, on_air, say, sees, start
from tests.fixtures.agents import NodeHome, Run, over_http, running, until


def order(kind: DrillKind, *, seconds: float = 1.0, epoch: int = 1, term: int = 1, whole: bool = False) -> DrillOrder:
    return DrillOrder(term, kind, seconds, (Drilled(CHANNEL, epoch),), whole)


async def drilled(agent: NodeAgent, made: DrillOrder) -> None:
    assert isinstance(agent, CanDrill)
    await agent.drill(made)


async def test_a_killed_sidecar_is_gone_and_its_exit_says_how(node_home: NodeHome) -> None:
    async with over_http(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        with pytest.raises(NotRunning):
            await drilled(agent, order("kill", epoch=2))
        assert lives(pid)
        await drilled(agent, order("kill"))

        async def exited() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None and seen.exit.code == -signal.SIGKILL

        await until(exited, what="its exit")


@pytest.mark.parametrize(("kind", "run"), [("freeze", running), ("isolate", over_http)])
async def test_what_is_frozen_or_kept_apart_misses_its_polls_and_goes_on_by_itself(
    node_home: NodeHome, kind: DrillKind, run: Run
) -> None:
    async with run(node_home, poll=0.3, answer=0.2) as agent:
        pid = await agent.start(start())
        before = await on_air(agent)
        await drilled(agent, order(kind, seconds=3.0))
        assert (await agent.poll(CHANNEL, 1)).fault
        with pytest.raises(SidecarSilent):
            await agent.command(say(Transport("take")), 0.2)
        assert lives(pid)

        async def answers() -> bool:
            seen = await sees(agent)
            return seen is not None and not seen.fault and seen.answers > before.answers

        await until(answers, what="it answers again")


async def test_a_whole_node_falls_silent_while_its_sidecars_run_on_and_is_heard_again(node_home: NodeHome) -> None:
    async with over_http(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        with pytest.raises(ValueError, match="at most 120"):
            await drilled(agent, order("isolate", seconds=121.0, whole=True))
        await drilled(agent, DrillOrder(1, "isolate", 2.0, (), whole_node=True))
        with pytest.raises(AgentAway):
            await agent.report(-1, 0.0)
        assert lives(pid)

        async def heard() -> bool:
            try:
                return any(it.exit is None for it in (await agent.report(-1, 0.0)).sidecars)
            except AgentAway:
                return False

        await until(heard, what="the agent answers again")


async def test_an_older_leaders_drill_is_refused(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        pid = await agent.start(start(term=2))
        await on_air(agent, term=2)
        with pytest.raises(StaleTerm):
            await drilled(agent, order("kill", term=1))
        assert lives(pid)
