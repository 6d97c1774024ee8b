"""The node agent: stops, which are confirmed by exits."""

import os

import pytest

from supervisor.agent.interface import StopOrder
from tests.fixtures.agent_orders import CHANNEL, lives, on_air, start, stop
from tests.fixtures.agents import NodeHome, Run, until


@pytest.mark.parametrize(
    ("faults", "patient", "code"),
    [({}, True, 0), ({"ignore_term": True}, False, -9), ({"hang": True}, True, 0), ({}, False, -9)],
    ids=["asked", "killed", "SIGTERM when it does not answer", "impatient"],
)
async def test_a_stop_is_confirmed_by_the_exit(
    node_home: NodeHome, faults: dict[str, object], patient: bool, code: int, run: Run
) -> None:
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        node_home.faults(**faults)
        ended = await agent.stop(stop(patient=patient))
        assert ended is not None
        assert ended.code == code
        assert not lives(pid)
        assert await agent.stop(stop()) is None


async def test_a_clean_stop_ends_the_journal(node_home: NodeHome, run: Run) -> None:
    """P4: who stopped it is in the as-run."""
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        await agent.stop(stop())
        (run,) = await agent.runs({})
        page = await agent.asrun(CHANNEL, run.run_id, 0, 100)
        assert page is not None
        kinds = [line.record.kind for line in page.lines]
        assert kinds == ["run_start", "on_air", "item_start", "item_end", "run_end"]
        assert page.lines[-1].record.by == "olga"
        assert not page.alive
        assert not run.alive


async def test_the_leash_ends_what_it_holds(node_home: NodeHome, run: Run) -> None:
    """What a demo started leaves the air when the demo is gone, however it went."""
    held, holds = os.pipe()
    async with run(node_home, leash_fd=held) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        os.close(held)
        os.close(holds)
        await until(lambda: not lives(pid), what="exit by the leash")


async def test_a_stop_that_is_not_the_end_of_the_programme_is_a_signal(node_home: NodeHome, run: Run) -> None:
    """P1: the channel goes on elsewhere; a sidecar that is asked by HTTP would tell its players that it is over."""
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        ended = await agent.stop(StopOrder(CHANNEL, 1, 1, "olga", final=False))
        assert ended is not None
        assert ended.code == 0
        assert not lives(pid)
        (it,) = await agent.runs({})
        page = await agent.asrun(CHANNEL, it.run_id, 0, 100)
        assert page is not None
        assert page.lines[-1].record.kind == "run_end"
        assert page.lines[-1].record.by == "SIGTERM"
