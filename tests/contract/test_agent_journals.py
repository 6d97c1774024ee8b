"""The node agent: as-run journals of the living and the dead."""

import os
import signal

from tests.fixtures.agent_orders import CHANNEL, muted, on_air, sees, start, stop
from tests.fixtures.agents import NodeHome, Run, until


async def test_journals_of_the_dead_are_read_to_the_last_whole_line(node_home: NodeHome, run: Run) -> None:
    """P4: what a killed sidecar flushed is all there; a torn line ends it."""
    async with run(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        (run,) = await agent.runs({})
        alive = await agent.asrun(CHANNEL, run.run_id, 0, 2)
        assert alive is not None
        assert (alive.alive, [line.record.seq for line in alive.lines], alive.last_seq) == (True, [1, 2], 3)
        os.kill(pid, signal.SIGKILL)
        (segment,) = (node_home.path / "journal" / CHANNEL / run.run_id).glob("*.jsonl")
        whole = segment.read_bytes()

        async def dead() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None

        await until(dead, what="exit")
        segment.write_bytes(whole + b'deadbeef {"seq": 4')
        page = await agent.asrun(CHANNEL, run.run_id, 0, 100)
        assert page is not None
        assert b"".join(line.line for line in page.lines) == whole
        assert not page.alive
        assert await agent.asrun(CHANNEL, "0" * 32, 0, 10) is None
        assert await agent.runs({CHANNEL: frozenset({run.run_id})}) == ()


async def test_what_is_no_journal_of_a_run_is_not_listed_and_hides_none(node_home: NodeHome, run: Run) -> None:
    """P4: one stray directory must not end the collection of a node; a run that comes later is seen all the same."""
    journal = node_home.path / "journal"
    (journal / "lost+found").mkdir(parents=True)
    (journal / CHANNEL / "copy of june").mkdir(parents=True)
    (journal / CHANNEL / ("a" * 32)).write_text("a file, not a run")
    async with run(node_home) as agent:
        assert await agent.runs({}) == ()
        for epoch in (1, 2):
            await agent.start(start(epoch))
            await muted(agent, epoch)
            await agent.stop(stop(epoch))
            assert [run.epoch for run in await agent.runs({})] == list(range(1, epoch + 1))
        first, _ = await agent.runs({})
        assert [run.epoch for run in await agent.runs({CHANNEL: {first.run_id}})] == [2]
