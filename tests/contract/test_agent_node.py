"""The node agent: what its node is, has and reads."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supervisor.agent import media_look
from supervisor.agent.interface import MediaRootSeen
from supervisor.version import program_version
from tests.fixtures.agent_orders import CHANNEL, on_air, start
from tests.fixtures.agents import NodeHome, Run, until


async def test_a_node_says_what_it_is(node_home: NodeHome, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """P3: ports are counted from 1, and one that a process has open is busy, whosever process that is."""
    cards = node_home.path / "cards"
    cards.mkdir()
    (cards / "io0").write_text("DeckLink Duo 2\n3f2a\n")
    (cards / "io1").write_text("")
    (cards / "control").write_text("no port")
    monkeypatch.setenv("MCR_BLACKMAGIC_DIR", str(cards))
    with (cards / "io1").open():
        async with run(node_home, capacity=3) as agent:
            condition = (await agent.report(-1, 0.0)).condition
            again = (await agent.report(-1, 0.0)).condition
    assert [(it.index, it.model, it.persistent_id, it.busy) for it in condition.devices] == [
        (1, "DeckLink Duo 2", "3f2a", False),
        (2, "Blackmagic io1", None, True),
    ]
    assert condition.capabilities == {"ffmpeg", "decklink"}
    assert (condition.launcher, condition.engine_fault, condition.capacity) == ("process", "", 3)
    assert condition.version == program_version()
    assert condition.load is not None
    assert abs((datetime.now(UTC) - condition.at).total_seconds()) < 60
    assert (again.incarnation, again.boot) == (condition.incarnation, condition.boot)


async def test_an_incarnation_outlives_the_agent_and_a_boot_does_not(node_home: NodeHome, run: Run) -> None:
    lives = []
    for _ in range(2):
        async with run(node_home) as agent:
            lives.append((await agent.report(-1, 0.0)).condition)
    assert lives[0].incarnation == lives[1].incarnation
    assert len(lives[0].incarnation) == 32
    assert lives[0].boot != lives[1].boot
    assert not lives[0].devices


async def test_media_is_what_can_be_read_and_not_what_exists(node_home: NodeHome, run: Run) -> None:
    """P1: a node whose disk is not mounted is no target, though the mount point exists."""
    good, bare, wrong = (node_home.path / name for name in ("good", "bare", "wrong"))
    for root in (good, bare, wrong):
        root.mkdir()
    (good / ".mcr-media-root").write_text("ab" * 16 + "\n")
    (wrong / ".mcr-media-root").write_text("../../etc/passwd")
    (good / "clip.mp4").write_bytes(b"x")
    (good / "empty.mp4").touch()
    (good / "folder.mp4").mkdir()
    os.mkfifo(good / "pipe.mp4")
    roots = [str(good), str(bare), str(wrong), str(node_home.path / "none")]
    paths = [str(good / f"{name}.mp4") for name in ("clip", "empty", "folder", "pipe", "gone")]
    paths += ["clip.mp4", "/nul\0.mp4", "/" + "n" * 300]
    async with run(node_home) as agent:
        seen = await agent.media(roots, paths)
    assert [(it.path, it.marker) for it in seen.roots] == [(roots[0], "ab" * 16)] + [(path, None) for path in roots[1:]]
    assert [bool(it.fault) for it in seen.roots] == [False, True, True, True]
    assert "No such file" in seen.roots[3].fault
    assert "holds no marker" in seen.roots[2].fault
    assert paths[0] not in seen.missing
    assert seen.missing.keys() == set(paths[1:])
    assert seen.missing[paths[1]] == "the file is empty"
    assert seen.missing[paths[4]] == "No such file or directory"


@contextmanager
def a_disk_that_hangs(below: Path) -> Iterator[None]:
    """Every open below it waits until the block ends."""
    free, real = threading.Event(), media_look.os.open

    def hang(path: str, flags: int) -> int:
        if path.startswith(str(below)):
            free.wait()
        return real(path, flags)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(media_look, "_PATIENCE", 0.3)
        patch.setattr(media_look.os, "open", hang)
        try:
            yield
        finally:
            free.set()


async def test_a_disk_that_hangs_is_a_fault_of_its_own_paths_alone(node_home: NodeHome, run: Run) -> None:
    good, hung = node_home.path / "good", node_home.path / "hung"
    for root in (good, hung):
        root.mkdir()
        (root / ".mcr-media-root").write_text("cd" * 16)
        (root / "clip.mp4").write_bytes(b"x")
    roots, clips = [str(good), str(hung)], [str(good / "clip.mp4"), str(hung / "clip.mp4")]
    async with run(node_home) as agent:
        with a_disk_that_hangs(hung):
            for _ in range(3):  # again and again: a thread that hangs makes no second one
                async with asyncio.timeout(60):
                    seen = await agent.media(roots, clips)
                assert seen.roots[0] == MediaRootSeen(roots[0], "cd" * 16)
                assert seen.roots[1].marker is None
                assert list(seen.missing) == [clips[1]]
                assert "did not answer" in seen.missing[clips[1]]
            assert sum(thread.name == f"looks below {hung}" for thread in threading.enumerate()) == 1

        async def well() -> bool:
            return not (await agent.media(roots, clips)).missing

        await until(well, what="a disk that is back")


async def test_a_question_about_too_much_is_refused(node_home: NodeHome, run: Run) -> None:
    async with run(node_home) as agent:
        with pytest.raises(ValueError):  # noqa: PT011 - each agent says it in its own words
            await agent.media([], ["/clip.mp4"] * 5001)
        assert len((await agent.media([], [f"/none/{n}.mp4" for n in range(5000)])).missing) == 5000


async def test_hls_is_given_out_by_its_own_names_and_nothing_else(node_home: NodeHome, run: Run) -> None:
    """P7: what lies beside it is not for the network."""
    live = node_home.path / "media" / "live" / CHANNEL
    async with run(node_home) as agent:
        await agent.start(start())
        await on_air(agent)
        await until((live / "index.m3u8").exists, what="playlist")
        assert (await agent.live_file(CHANNEL, "index.m3u8")).startswith(b"#EXTM3U")
        (live / "1").mkdir(exist_ok=True)
        segment = bytes(range(256)) * 4096
        (live / "1" / "7.ts").write_bytes(segment)
        assert await agent.live_file(CHANNEL, "1/7.ts") == segment
        (live / "notes.txt").write_text("secret")
        for path in (
            "notes.txt",
            "../../../agent/term",
            "\ud800",
            "1/8.ts",
            "",
            "1//7.ts",
            "%31/7.ts",
            "1/7.ts?x",
            "\0",
            "é",
        ):
            with pytest.raises(FileNotFoundError):
                await agent.live_file(CHANNEL, path)
        with pytest.raises(FileNotFoundError):
            await agent.live_file("..", "index.m3u8")
