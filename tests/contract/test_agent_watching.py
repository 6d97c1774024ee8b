"""The node agent: what it sees of its sidecars."""

import asyncio
import os
import signal

import pytest

from tests.fixtures.agent_orders import CHANNEL, muted, on_air, sees, start, stop
from tests.fixtures.agents import NodeHome, Run, until


async def test_an_exit_is_told_at_once(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        took: list[float] = []
        while len(took) < 4 and not any(one < 0.5 for one in took):
            epoch = len(took) + 1
            pid = await agent.start(start(epoch))
            await on_air(agent, epoch)
            before = await agent.report(-1, 0.0)
            os.kill(pid, signal.SIGKILL)
            began = asyncio.get_running_loop().time()
            seen = before.number
            while (report := await sees(agent, epoch)) is None or report.exit is None:
                seen = (await agent.report(seen, 5.0)).number
            took.append(asyncio.get_running_loop().time() - began)
            assert report.exit.code == -9
            assert "signal 9" in str(report.exit)
        assert min(took) < 0.5, "by the best of a few on a busy machine"


async def test_a_report_waits_for_news_and_no_longer(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        first = await agent.report(-1, 0.0)
        began = asyncio.get_running_loop().time()
        second = await agent.report(first.number, 20.0)
        assert second.number > first.number
        assert asyncio.get_running_loop().time() - began < 15.0

        async def nothing_new() -> bool:
            last = await agent.report(-1, 0.0)
            return (await agent.report(last.number, 0.01)).number == last.number

        await until(nothing_new, what="a report without news")


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"hang": True}, "no answer to /status"),
        ({"wrong_epoch": True}, "it answers for epoch 2"),
        ({"garbage": "{nonsense"}, "not a Status"),
        ({"garbage": '{"frame": NaN}'}, "not a Status"),
    ],
)
async def test_an_answer_nobody_can_believe_is_a_miss(
    node_home: NodeHome, faults: dict[str, object], why: str, run: Run
) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        node_home.faults(**faults)
        first = await agent.poll(CHANNEL, 1)  # a round may have been under way before it
        bad = await agent.poll(CHANNEL, 1)
        assert bad.answers == first.answers
        assert why in bad.fault
        node_home.faults()
        again = await agent.poll(CHANNEL, 1)
        assert again.answers > bad.answers
        assert again.fault == ""


async def test_the_public_playlist_is_moved_once_and_by_the_newest_epoch_alone(node_home: NodeHome, run: Run) -> None:
    """P2: what an older epoch writes is looked at by nobody."""
    link = node_home.path / "media" / "live" / CHANNEL / "index.m3u8"
    async with run(node_home) as agent:
        await agent.start(start(1))
        assert not link.is_symlink()
        await on_air(agent)
        await until(link.is_symlink, what="link")
        assert str(link.readlink()) == "1.m3u8"
        await agent.stop(stop(1))
        await agent.start(start(2))
        await muted(agent, 2)
        assert str(link.readlink()) == "1.m3u8"
        await on_air(agent, 2)
        await until(lambda: str(link.readlink()) == "2.m3u8", what="link moves")


async def test_output_that_grows_is_seen_though_the_sidecar_is_silent(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        node_home.faults(hang=True)

        async def moves() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.polls > seen.answers + 1 and (seen.output_age_s or 9) < 1.5

        await until(moves, what="a witness of the output")
        node_home.faults(hang=True, no_output=True)

        async def stands() -> bool:
            seen = await sees(agent)
            return seen is not None and (seen.output_age_s or 0) > 2.0

        await until(stands, what="an output that stands still")
