"""Which agent speaks for which node of the store."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.models import Node
from supervisor.agent.interface import AgentAway
from supervisor.agent.service.certificate import issued_certificate
from supervisor.agent.source import Agents
from supervisor.clock import SystemClock
from tests.fixtures.agents import NodeHome, served


def node(kind: str, name: str = "here", url: str | None = None, node_id: str = "1" * 32) -> Node:
    return Node(id=node_id, name=name, kind=kind, url=url, created_at=datetime.now(UTC))


async def test_an_agent_stays_the_same_while_its_node_does(node_home: NodeHome) -> None:
    async with served(node_home) as it:
        agents = Agents(("0" * 32, it.local), bytes(32), SystemClock(), margin=2.0)
        assert agents.of(node("local", node_id="0" * 32)) is it.local
        assert agents.of(node("local", "another's", node_id="2" * 32)) is None
        assert agents.of(node("agent", "no url", node_id="3" * 32)) is None
        remote = agents.of(node("agent", url=it.url))
        assert remote is not None
        assert (await remote.report(-1, 0.0)).number >= 0
        assert agents.of(node("agent", url=it.url)) is remote
        renamed = agents.of(node("agent", "there", it.url))
        assert renamed is not None
        assert renamed is not remote
        with pytest.raises(AgentAway, match="key"):
            await renamed.report(-1, 0.0)
        moved = agents.of(node("agent", url=f"{it.url}/"))
        assert moved is not renamed
        await agents.close()
        for closed in (remote, renamed, moved):
            assert closed is not None
            with pytest.raises(AgentAway, match="closed"):
                await closed.report(-1, 0.0)


async def test_an_agent_that_speaks_in_the_clear_again_is_met_anew_when_its_certificate_is_taken_back(
    node_home: NodeHome, tmp_path: Path
) -> None:
    """``mcr node set NAME --fingerprint ''``; before that it is believed to be somebody between."""
    own = issued_certificate(tmp_path)
    agents = Agents(None, bytes(32), SystemClock(), margin=20.0)
    try:
        async with served(node_home) as it:
            row, port = node("agent", url=it.url), int(it.url.rpartition(":")[2])
            row.certificate = ""
        async with served(node_home, port, shown=own):
            agent = agents.of(row)
            assert agent is not None
            with pytest.raises(AgentAway):
                await agent.report(-1, 0.0)  # the first call finds out that it speaks TLS
            await agent.report(-1, 0.0)
            row.certificate = own.fingerprint  # as it is noted then
            assert agents.of(row) is agent
        async with served(node_home, port):
            for _ in range(3):
                with pytest.raises(AgentAway):
                    await agent.report(-1, 0.0)
            row.certificate = ""
            again = agents.of(row)
            assert again is not None
            assert (await again.report(-1, 0.0)).number >= 0
            assert agents.of(row) is again
    finally:
        await agents.close()
