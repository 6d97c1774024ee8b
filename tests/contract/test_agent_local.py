"""The node agent's contract, over real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from sidecar.protocol.channel import Playlist
from supervisor.agent.interface import (
    Arm,
    Cue,
    EpochUsed,
    NotRunning,
    Order,
    Replace,
    SidecarRefused,
    SidecarReport,
    SidecarSilent,
    StaleEpoch,
    StaleTerm,
    StartFailed,
    StartOrder,
    StillRunning,
    StopOrder,
    Transport,
)
from supervisor.agent.local import LocalAgent
from supervisor.agent.memory import Handle, Memory
from tests.fixtures.agents import NodeHome, document, running, until

CHANNEL = "c" * 32


def start(epoch: int = 1, term: int = 1, *titles: str) -> StartOrder:
    return StartOrder(CHANNEL, epoch, term, document(CHANNEL, *(titles or ("news", "film"))))


def stop(epoch: int = 1, *, patient: bool = True) -> StopOrder:
    return StopOrder(CHANNEL, epoch, 1, "olga", patient)


def say(said: Transport | Cue | Arm | Replace, epoch: int = 1, command_id: str | None = None) -> Order:
    return Order(CHANNEL, epoch, 1, command_id or uuid.uuid4().hex, "olga", said)


async def sees(agent: LocalAgent, epoch: int = 1) -> SidecarReport | None:
    report = await agent.report(-1, 0.0)
    return next((it for it in report.sidecars if it.epoch == epoch), None)


async def muted(agent: LocalAgent, epoch: int = 1) -> SidecarReport:
    async def answers() -> SidecarReport | None:
        seen = await sees(agent, epoch)
        return seen if seen is not None and seen.status is not None else None

    return await until(answers, what="first answer")


async def on_air(agent: LocalAgent, epoch: int = 1) -> SidecarReport:
    seen = await muted(agent, epoch)
    assert seen.status is not None
    await agent.command(say(Arm(seen.status.nonce), epoch), 2.0)
    return await agent.poll(CHANNEL, epoch)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def test_starts_muted_and_enters_the_air_by_arming_alone(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
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


async def test_a_first_picture_is_told_as_soon_as_it_is_decoded(node_home: NodeHome) -> None:
    """P1: a start waits for its first picture, so it must not wait for the next round of polls too."""
    node_home.faults(undecoded="news")
    async with running(node_home, poll=60.0, answer=0.8) as agent:
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


async def test_repeating_a_start_starts_nothing(node_home: NodeHome) -> None:
    """P2: at most one sidecar of an epoch, however often it is ordered."""
    async with running(node_home) as agent:
        pids = await asyncio.gather(*(agent.start(start()) for _ in range(5)))
        assert len(set(pids)) == 1
        assert len(node_home.processes()) == 1


async def test_older_epochs_are_refused_for_ever(node_home: NodeHome) -> None:
    """P2: what the agent has seen is on disk; a new agent refuses it too."""
    async with running(node_home) as agent:
        await agent.start(start(7))
        await agent.stop(stop(7))
    async with running(node_home) as agent:
        for epoch in (1, 6):
            with pytest.raises(StaleEpoch, match="epoch 7"):
                await agent.start(start(epoch))
        with pytest.raises(EpochUsed):
            await agent.start(start(7))
        assert not node_home.processes()
        await agent.start(start(8))


async def test_a_start_is_refused_while_an_older_sidecar_lives(node_home: NodeHome) -> None:
    """P2: the agent itself never lets two run for a channel."""
    async with running(node_home) as agent:
        pid = await agent.start(start(1))
        with pytest.raises(StillRunning, match=str(pid)):
            await agent.start(start(2))
        await agent.stop(stop(1))
        assert await agent.start(start(2)) != pid


async def test_an_older_leader_is_refused(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        await agent.start(start(1, 5))
        with pytest.raises(StaleTerm):
            await agent.start(start(2, 4))
        with pytest.raises(StaleTerm):
            await agent.stop(stop())
        assert len(node_home.processes()) == 1


async def test_an_exit_is_told_at_once(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        before = await agent.report(-1, 0.0)
        os.kill(pid, signal.SIGKILL)
        began = asyncio.get_running_loop().time()
        seen = before.number
        while (report := await sees(agent)) is None or report.exit is None:
            seen = (await agent.report(seen, 5.0)).number
        assert asyncio.get_running_loop().time() - began < 0.5
        assert report.exit.code == -9
        assert "signal 9" in str(report.exit)


async def test_a_report_waits_for_news_and_no_longer(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        first = await agent.report(-1, 0.0)
        began = asyncio.get_running_loop().time()
        second = await agent.report(first.number, 3.0)
        assert second.number > first.number
        assert asyncio.get_running_loop().time() - began < 2.0
        assert (await agent.report(second.number, 0.01)).number == second.number


async def test_a_start_that_dies_says_its_last_words(node_home: NodeHome) -> None:
    node_home.faults(exit_at_start=3)
    async with running(node_home) as agent:
        await agent.start(start())

        async def gone() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None

        await until(gone, what="exit")
        seen = await sees(agent)
        assert seen is not None
        assert str(seen.exit) == "ended with code 3: no such encoder: h265"


async def test_a_program_that_is_not_there_is_a_failed_start(node_home: NodeHome) -> None:
    async with running(node_home, program=("/nonexistent/python",)) as agent:
        with pytest.raises(StartFailed, match="nonexistent"):
            await agent.start(start())


@pytest.mark.parametrize(
    ("faults", "patient", "code"),
    [({}, True, 0), ({"ignore_term": True}, False, -9), ({"hang": True}, True, 0), ({}, False, -9)],
    ids=["asked", "killed", "SIGTERM when it does not answer", "impatient"],
)
async def test_a_stop_is_confirmed_by_the_exit(
    node_home: NodeHome, faults: dict[str, object], patient: bool, code: int
) -> None:
    async with running(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        node_home.faults(**faults)
        ended = await agent.stop(stop(patient=patient))
        assert ended is not None
        assert ended.code == code
        assert not lives(pid)
        assert await agent.stop(stop()) is None


async def test_a_clean_stop_ends_the_journal(node_home: NodeHome) -> None:
    """P4: who stopped it is in the as-run."""
    async with running(node_home) as agent:
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


async def test_sidecars_outlive_the_agent_and_are_found_again(node_home: NodeHome) -> None:
    """P5: the same process, watched by an agent that is not its parent."""
    other = subprocess.run(  # noqa: ASYNC221 - the first agent's whole life
        [sys.executable, "-c", STARTER, str(node_home.path), CHANNEL], capture_output=True, text=True, check=True
    )
    pid = int(other.stdout)
    assert lives(pid)
    async with running(node_home) as agent:
        seen = await muted(agent)
        assert seen.pid == pid
        assert await agent.start(start()) == pid
        await on_air(agent)
        os.kill(pid, signal.SIGKILL)
        began = asyncio.get_running_loop().time()

        async def gone() -> bool:
            seen = await sees(agent)
            return seen is not None and seen.exit is not None

        await until(gone, what="exit of a process that is not a child")
        assert asyncio.get_running_loop().time() - began < 0.5


STARTER = """
import asyncio, os, sys
from pathlib import Path
from tests.fixtures.agents import NodeHome, document
from supervisor.agent.interface import StartOrder

async def main():
    async with NodeHome(Path(sys.argv[1])).agent() as agent:
        print(await agent.start(StartOrder(sys.argv[2], 1, 1, document(sys.argv[2], "news", "film"))), flush=True)
        os._exit(0)

asyncio.run(main())
"""


async def test_a_sidecar_whose_start_was_never_noted_is_found_by_what_it_was_started_with(node_home: NodeHome) -> None:
    """P2, P5: killed between the start and the note of it, the agent still knows its own."""
    async with running(node_home) as agent:
        pid = await agent.start(start())
        await muted(agent)
    memory = Memory(node_home.path / "agent")
    (handle,) = memory.handles()
    memory.put(Handle(handle.channel_id, handle.epoch, handle.token, handle.state_dir, None))
    async with running(node_home) as agent:
        seen = await muted(agent)
        assert seen.pid == pid
        with pytest.raises(StillRunning):
            await agent.start(start(2))


@pytest.mark.parametrize("beside", [True, False], ids=["beside a whole one", "alone"])
async def test_a_broken_handle_loses_no_sidecar(node_home: NodeHome, beside: bool) -> None:
    """P2, P5: what a full disk or a power cut left of it, its name, is enough to adopt the sidecar untouched."""
    other = "d" * 32
    async with running(node_home) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        if beside:
            await agent.start(StartOrder(other, 1, 1, document(other, "news")))
    (node_home.path / "agent" / "handles" / f"{CHANNEL}-1.json").write_bytes(b'{"channel_id":"ccc')
    async with running(node_home) as agent:
        seen = {it.channel_id: it for it in (await agent.report(-1, 0.0)).sidecars}
        assert seen.keys() == ({CHANNEL, other} if beside else {CHANNEL})
        assert seen[CHANNEL].pid == pid
        with pytest.raises(StillRunning):
            await agent.start(start(2))
        assert (await agent.command(say(Transport("take")), 1.5)).done == "on air: film"


async def test_a_broken_handle_of_a_sidecar_that_is_gone_is_dropped(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        await agent.start(start())
        await agent.stop(stop())
    handle = node_home.path / "agent" / "handles" / f"{CHANNEL}-1.json"
    handle.write_bytes(b"")
    handle.with_name("notes.json").write_bytes(b"of somebody")
    async with running(node_home) as agent:
        assert not (await agent.report(-1, 0.0)).sidecars
        assert not handle.exists()
        await agent.start(start(2))


async def test_a_reused_pid_is_not_taken_for_the_sidecar(node_home: NodeHome) -> None:
    """Identity is boot, pid and start time: somebody else's process is neither adopted nor killed."""
    async with running(node_home) as agent:
        await agent.start(start())
        await agent.stop(stop())
    memory = Memory(node_home.path / "agent")
    (handle,) = memory.handles()
    assert handle.process is not None
    stranger = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    try:
        process = type(handle.process)(handle.process.boot_id, stranger.pid, handle.process.start_ticks)
        memory.put(Handle(handle.channel_id, handle.epoch, handle.token, handle.state_dir, process))
        async with running(node_home) as agent:
            seen = await sees(agent)
            assert seen is not None
            assert seen.exit is not None
            assert await agent.stop(stop()) is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_secrets_and_memory_are_this_users_alone(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        await agent.start(start())
        for path in (node_home.path / "agent").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"hang": True}, "no answer to /status"),
        ({"wrong_epoch": True}, "it answers for epoch 2"),
        ({"garbage": "{nonsense"}, "not a Status"),
        ({"garbage": '{"frame": NaN}'}, "not a Status"),
    ],
)
async def test_an_answer_nobody_can_believe_is_a_miss(node_home: NodeHome, faults: dict[str, object], why: str) -> None:
    async with running(node_home) as agent:
        await agent.start(start())
        good = await on_air(agent)
        node_home.faults(**faults)
        bad = await agent.poll(CHANNEL, 1)
        assert bad.answers == good.answers
        assert why in bad.fault
        node_home.faults()
        again = await agent.poll(CHANNEL, 1)
        assert again.answers > bad.answers
        assert again.fault == ""


async def test_commands_are_passed_on_and_refusals_come_back(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
        await agent.start(start())
        await muted(agent)
        with pytest.raises(SidecarRefused) as refused:
            await agent.command(say(Transport("take")), 1.5)
        assert refused.value.refusal.code == "not_armed"
        await on_air(agent)
        reply = await agent.command(say(Transport("take", "film"), command_id="once" * 3), 1.5)
        assert reply.done == "on air: film"
        assert (await agent.command(say(Transport("take", "film"), command_id="once" * 3), 1.5)) == reply
        with pytest.raises(SidecarRefused) as refused:
            await agent.command(say(Cue("nothing")), 1.5)
        assert refused.value.refusal.status == 422
        await agent.command(say(Replace(Playlist(revision=2, items=start().document.playlist.items[:1]))), 1.5)
        with pytest.raises(NotRunning):
            await agent.command(say(Transport("take"), epoch=2), 1.5)
        node_home.faults(hang=True)
        with pytest.raises(SidecarSilent):
            await agent.command(say(Transport("take")), 0.2)
        node_home.faults()
        assert (await agent.thumbnail(CHANNEL, 1)).startswith(b"\xff\xd8")


async def test_the_public_playlist_is_moved_once_and_by_the_newest_epoch_alone(node_home: NodeHome) -> None:
    """P2: what an older epoch writes is looked at by nobody."""
    link = node_home.path / "media" / "live" / CHANNEL / "index.m3u8"
    async with running(node_home) as agent:
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


async def test_output_that_grows_is_seen_though_the_sidecar_is_silent(node_home: NodeHome) -> None:
    async with running(node_home) as agent:
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


async def test_journals_of_the_dead_are_read_to_the_last_whole_line(node_home: NodeHome) -> None:
    """P4: what a killed sidecar flushed is all there; a torn line ends it."""
    async with running(node_home) as agent:
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


async def test_what_is_no_journal_of_a_run_is_not_listed_and_hides_none(node_home: NodeHome) -> None:
    """P4: one stray directory must not end the collection of a node; a run that comes later is seen all the same."""
    journal = node_home.path / "journal"
    (journal / "lost+found").mkdir(parents=True)
    (journal / CHANNEL / "copy of june").mkdir(parents=True)
    (journal / CHANNEL / ("a" * 32)).write_text("a file, not a run")
    async with running(node_home) as agent:
        assert await agent.runs({}) == ()
        for epoch in (1, 2):
            await agent.start(start(epoch))
            await muted(agent, epoch)
            await agent.stop(stop(epoch))
            assert [run.epoch for run in await agent.runs({})] == list(range(1, epoch + 1))
        first, _ = await agent.runs({})
        assert [run.epoch for run in await agent.runs({CHANNEL: {first.run_id}})] == [2]


async def test_the_leash_ends_what_it_holds(node_home: NodeHome) -> None:
    """What a demo started leaves the air when the demo is gone, however it went."""
    held, holds = os.pipe()
    async with running(node_home, leash_fd=held) as agent:
        pid = await agent.start(start())
        await on_air(agent)
        os.close(held)
        os.close(holds)
        await until(lambda: not lives(pid), what="exit by the leash")
