"""The node agent: leases on their way from the leader to the sidecars."""

import asyncio
import os
import signal

import pytest

from supervisor.agent.interface import LeaseGrant, LeaseRound, NodeAgent, StaleTerm, StartOrder
from tests.fixtures.agent_orders import CHANNEL, muted, start
from tests.fixtures.agents import NodeHome, Run, document

OTHER = "d" * 32


async def nonces(agent: NodeAgent) -> dict[str, str]:
    """By channel, from a report that is all there."""
    while True:
        report = await agent.report(-1, 0.0)
        found = {it.channel_id: it.status.nonce for it in report.sidecars if it.status is not None}
        if len(found) == len(report.sidecars):
            return found
        await agent.report(report.number, 1.0)


async def left_ms(agent: NodeAgent, channel_id: str) -> int | None:
    seen = await agent.poll(channel_id, 1)
    assert seen.status is not None
    return seen.status.lease_left_ms


async def test_a_grant_reaches_its_sidecar_before_the_report_is_back(node_home: NodeHome, run: Run) -> None:
    """P6: what keeps a channel on air goes with the one call a second."""
    async with run(node_home) as agent:
        await agent.start(start())
        await agent.start(StartOrder(OTHER, 1, 1, document(OTHER, "news")))
        given = await nonces(agent)
        assert await left_ms(agent, CHANNEL) is None
        grants = (
            LeaseGrant(CHANNEL, 1, given[CHANNEL]),
            LeaseGrant(OTHER, 2, given[OTHER]),
            LeaseGrant("e" * 32, 1, "nobody's"),
        )
        report = await agent.report(-1, 0.0, LeaseRound(1, 6000, grants))
        assert len(report.sidecars) == 2
        assert 4000 < (await left_ms(agent, CHANNEL) or 0) <= 6000
        assert await left_ms(agent, OTHER) is None, "a grant for another epoch"


async def test_a_lease_runs_from_its_nonce_however_late_it_comes(node_home: NodeHome, run: Run) -> None:
    """P2: a stale nonce gives nothing, and that is no fault of the report."""
    async with run(node_home) as agent:
        await agent.start(start())
        await muted(agent)
        report = await agent.report(-1, 0.0, LeaseRound(1, 6000, (LeaseGrant(CHANNEL, 1, "f" * 32),)))
        assert report.sidecars
        assert await left_ms(agent, CHANNEL) is None


async def test_a_sidecar_that_hangs_holds_up_neither_the_report_nor_the_others_lease(
    node_home: NodeHome, run: Run
) -> None:
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await agent.start(StartOrder(OTHER, 1, 1, document(OTHER, "news")))
        given = await nonces(agent)
        os.kill(pid, signal.SIGSTOP)
        try:
            grants = tuple(LeaseGrant(channel, 1, nonce) for channel, nonce in given.items())
            async with asyncio.timeout(60):
                await agent.report(-1, 0.0, LeaseRound(1, 6000, grants))
            assert await left_ms(agent, OTHER)
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_the_leases_of_an_older_leader_are_refused(node_home: NodeHome, run: Run) -> None:
    """P2: who follows has let its horizon run out; who went before must not prolong it."""
    async with run(node_home) as agent:
        await agent.start(start(1, 5))
        given = await nonces(agent)
        with pytest.raises(StaleTerm) as refused:
            await agent.report(-1, 0.0, LeaseRound(4, 6000, (LeaseGrant(CHANNEL, 1, given[CHANNEL]),)))
        assert (refused.value.term, refused.value.seen) == (4, 5)
        assert await left_ms(agent, CHANNEL) is None
        assert (await agent.report(-1, 0.0)).term == 5
