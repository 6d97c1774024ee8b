"""The node agent: words passed on to its sidecars."""

import pytest
from msgspec.structs import replace

from sidecar.protocol.channel import Playlist
from supervisor.agent.interface import (
    Cue,
    NotRunning,
    Replace,
    SidecarBroken,
    SidecarRefused,
    SidecarSilent,
    Transport,
)
from tests.fixtures.agent_orders import CHANNEL, muted, on_air, say, sees, start
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
        again = await agent.command(say(Transport("take", "film"), command_id="once" * 3), 30.0)
        assert replace(again, status=None) == replace(reply, status=None)
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


async def test_what_came_of_a_command_is_in_its_answer_and_known_from_then_on(node_home: NodeHome, run: Run) -> None:
    """P8: nobody has to ask the sidecar once more."""
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        reply = await agent.command(say(Transport("take", "film")), 30.0)
        assert reply.status is not None
        assert reply.status.item is not None
        assert reply.status.item.item_id == "film"
        seen = await sees(agent)
        assert seen is not None
        assert seen.status is not None
        assert seen.status.item is not None
        assert seen.status.item.item_id == "film"


async def test_a_sidecar_from_before_answers_without_its_status(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        node_home.faults(tells_nothing=True)
        reply = await agent.command(say(Transport("take", "film")), 30.0)
        assert (reply.done, reply.status) == ("on air: film", None)


async def test_an_answer_with_the_status_of_another_is_not_believed(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        before = await on_air(agent)
        node_home.faults(wrong_epoch=True)
        with pytest.raises(SidecarBroken, match="it answers for epoch 2"):
            await agent.command(say(Transport("take", "film")), 30.0)
        seen = await sees(agent)
        assert seen is not None
        assert before.status is not None
        assert seen.status is not None
        assert seen.status.epoch == before.status.epoch
