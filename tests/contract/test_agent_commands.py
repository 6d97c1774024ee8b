"""The node agent: words passed on to its sidecars."""

import pytest

from sidecar.protocol.channel import Playlist
from supervisor.agent.interface import (
    Cue,
    NotRunning,
    Replace,
    SidecarRefused,
    SidecarSilent,
    Transport,
)
from tests.fixtures.agent_orders import CHANNEL, muted, on_air, say, start
from tests.fixtures.agents import NodeHome, Run


async def test_commands_are_passed_on_and_refusals_come_back(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        await muted(agent)
        with pytest.raises(SidecarRefused) as refused:
            await agent.command(say(Transport("take")), 30.0)
        assert refused.value.refusal.code == "not_armed"
        await on_air(agent)
        reply = await agent.command(say(Transport("take", "film"), command_id="once" * 3), 30.0)
        assert reply.done == "on air: film"
        assert (await agent.command(say(Transport("take", "film"), command_id="once" * 3), 30.0)) == reply
        with pytest.raises(SidecarRefused) as refused:
            await agent.command(say(Cue("nothing")), 30.0)
        assert refused.value.refusal.status == 422
        await agent.command(say(Replace(Playlist(revision=2, items=start().document.playlist.items[:1]))), 30.0)
        with pytest.raises(NotRunning):
            await agent.command(say(Transport("take"), epoch=2), 30.0)
        node_home.faults(hang=True)
        with pytest.raises(SidecarSilent):
            await agent.command(say(Transport("take")), 0.2)
        node_home.faults()
        assert (await agent.thumbnail(CHANNEL, 1)).startswith(b"\xff\xd8")
