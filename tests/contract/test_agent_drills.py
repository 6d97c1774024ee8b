"""The node agent: faults that are made on purpose, and undo themselves."""

import signal
from pathlib import Path

import pytest

from supervisor.agent.drills import CanDrill, Drilled, DrillKind, DrillOrder
from supervisor.agent.interface import AgentAway, NodeAgent, NotRunning, SidecarSilent, StaleTerm, Transport
from tests.fixtures.agent_orders import CHANNEL, lives, on_air, say, sees, start
from tests.fixtures.agents import NodeHome, Run, over_http, running, served, until

LONG_S = 30.0
"""Nothing that is looked at while a fault lasts takes so long, on the busiest machine; a shorter drill ends it."""
ENDED_S = 60.0


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
        await drilled(agent, order(kind, seconds=LONG_S))

        async def misses() -> bool:  # not the first poll yet: a stop reaches a program of many threads in its own time
            return bool((await agent.poll(CHANNEL, 1)).fault)

        await until(misses, ENDED_S, "it misses a poll")
        with pytest.raises(SidecarSilent):
            await agent.command(say(Transport("take")), 0.2)
        assert lives(pid)
        await drilled(agent, order(kind, seconds=0.1))

        async def answers() -> bool:
            seen = await sees(agent)
            return seen is not None and not seen.fault and seen.answers > before.answers

        await until(answers, ENDED_S, "it answers again")


async def test_an_agent_that_ends_leaves_no_sidecar_frozen(node_home: NodeHome) -> None:
    def stands_still(pid: int) -> bool:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    async with running(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        await drilled(agent, order("freeze", seconds=120.0))
        await until(lambda: stands_still(pid), ENDED_S, "it stands still")
    await until(lambda: not stands_still(pid), ENDED_S, "it runs on")
    assert lives(pid)


async def test_a_whole_node_falls_silent_while_its_sidecars_run_on_and_is_heard_again(node_home: NodeHome) -> None:
    async with served(node_home) as it, it.remote() as agent:
        pid = await agent.start(start())
        await on_air(agent)
        with pytest.raises(ValueError, match="at most 120"):
            await drilled(agent, order("isolate", seconds=121.0, whole=True))
        await drilled(agent, DrillOrder(1, "isolate", LONG_S, (), whole_node=True))
        with pytest.raises(AgentAway):
            await agent.report(-1, 0.0)
        assert lives(pid)
        await drilled(it.local, DrillOrder(1, "isolate", 0.1, (), whole_node=True))

        async def heard() -> bool:
            try:
                return any(one.exit is None for one in (await agent.report(-1, 0.0)).sidecars)
            except AgentAway:
                return False

        await until(heard, ENDED_S, "the agent answers again")


async def test_an_older_leaders_drill_is_refused(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        pid = await agent.start(start(term=2))
        await on_air(agent, term=2)
        with pytest.raises(StaleTerm):
            await drilled(agent, order("kill", term=1))
        assert lives(pid)
