"""The node agent takes away what the leader says and the node itself finds to be needed no more, and nothing else."""

import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.journal.reading import JournalOnDisk
from sidecar.protocol.asrun import GENESIS, AsRunRecord, chain_hash, encode_line
from supervisor.agent.interface import NodeAgent, StaleTerm
from supervisor.agent.old_journals import WholeRun
from supervisor.agent.old_recordings import MOST_FILES, OldRecordings, RecordingsRule
from supervisor.agent.tidying import CanTidy, JournalsOrder, RecordingsOrder
from tests.fixtures.agent_orders import CHANNEL, muted, start, stop
from tests.fixtures.agents import NodeHome, Run, over_http, running

RECORDER = "e" * 32
HOUR_S = 3600.0


def journal(home: NodeHome, name: str, epoch: int, prev: str = GENESIS, records: int = 3) -> WholeRun:
    """A run's as a sidecar leaves it, and what the log says of it when it has all of it."""
    run_id = name * 32
    folder = home.path / "journal" / CHANNEL / run_id
    folder.mkdir(parents=True)
    lines: list[bytes] = []
    for seq in range(1, records + 1):
        lines.append(encode_line(AsRunRecord(CHANNEL, run_id, epoch, seq, "run_start", seq, seq, "25", prev)))
        prev = chain_hash(lines[-1])
    (folder / "000000000001.0.jsonl").write_bytes(b"".join(lines[:2]))
    (folder / "000000000003.0.jsonl").write_bytes(b"".join(lines[2:]) + b'deadbeef {"seq": 9')
    return WholeRun(CHANNEL, run_id, records, prev)


async def dropped(agent: NodeAgent, *runs: WholeRun, term: int = 1) -> list[str]:
    """Why each of them stays."""
    assert isinstance(agent, CanTidy)
    said = await agent.drop_journals(JournalsOrder(term, runs))
    return [said[run.run_id] for run in runs]


async def test_a_journal_goes_that_ends_as_the_log_says_and_a_later_run_follows(node_home: NodeHome, run: Run) -> None:
    """P4: of a run that the log has not to its end, or otherwise, nothing is lost."""
    first = journal(node_home, "a", 1)
    second = journal(node_home, "b", 2, first.last_hash)
    third = journal(node_home, "d", 3, second.last_hash)
    shorter = WholeRun(CHANNEL, second.run_id, 2, second.last_hash)
    other = WholeRun(CHANNEL, second.run_id, 3, first.last_hash)
    unknown = WholeRun(CHANNEL, "0" * 32, 5, first.last_hash)
    chain = JournalOnDisk(node_home.path / "journal" / CHANNEL)
    async with run(node_home) as agent:
        assert "3 here, and with 2 in the log" in (await dropped(agent, shorter))[0]
        assert "another here than in the log" in (await dropped(agent, other))[0]
        assert await dropped(agent, first, unknown) == ["", ""]
        elsewhere = WholeRun("9" * 32, "0" * 32, 5, first.last_hash)
        assert "is their disk mounted?" in (await dropped(agent, elsewhere))[0]
        assert [it.epoch for it in await agent.runs({})] == [2, 3]
        assert "newest" in (await dropped(agent, third))[0]
        assert await dropped(agent, second) == [""]
        assert chain.chain_end("f" * 32) == third.last_hash, "the next run would not follow from it"
        assert not list((node_home.path / "journal" / ".gone").iterdir())
        with pytest.raises(ValueError, match="not an id"):
            await dropped(agent, WholeRun("../" + CHANNEL, third.run_id, 3, third.last_hash))
        await dropped(agent, term=7)
        with pytest.raises(StaleTerm):
            await dropped(agent, third, term=6)


async def test_the_journal_of_a_run_that_plays_stays_whatever_the_order_says(node_home: NodeHome) -> None:
    async with over_http(node_home) as agent:
        await agent.start(start())
        await muted(agent)
        (playing,) = await agent.runs({})
        page = await agent.asrun(CHANNEL, playing.run_id, 0, 10)
        assert page is not None
        said = WholeRun(CHANNEL, playing.run_id, page.last_seq, chain_hash(page.lines[-1].line))
        # One of a later epoch, as after a restart of which this process was not told: it is not the newest.
        journal(node_home, "a", 9)
        assert await dropped(agent, said) == ["its process lives"]
        await agent.stop(stop())
        page = await agent.asrun(CHANNEL, playing.run_id, 0, 10)
        assert page is not None
        ended = WholeRun(CHANNEL, playing.run_id, page.last_seq, chain_hash(page.lines[-1].line))
        assert await dropped(agent, ended) == [""]


def recording(folder: Path, name: str, age_s: float, size: int = 100, *, checked: bool = True) -> Path:
    """As a recorder leaves it: its checksum and picture are written last."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    written = datetime.now(UTC).timestamp() - age_s
    os.utime(path, (written, written))
    for ending in (".sha256", ".jpg") if checked else ():
        beside = path.with_name(path.name + ending)
        beside.write_text("0" * 64 + "  x\n")
        os.utime(beside, (written, written))
    return path


async def taken(agent: NodeAgent, rule: RecordingsRule, *, at: datetime | None = None) -> OldRecordings:
    """Asked first, and then what was answered."""
    assert isinstance(agent, CanTidy)
    now = at or datetime.now(UTC)
    asked = await agent.drop_recordings(RecordingsOrder(1, RECORDER, now, rule))
    paths = tuple(it.path for it in asked.due)
    assert all(map(os.path.exists, paths)), "a question took something away"
    return await agent.drop_recordings(RecordingsOrder(1, RECORDER, now, rule, paths))


def left(folder: Path) -> Sequence[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


async def test_old_recordings_go_with_all_that_lies_beside_them_and_unfinished_ones_never(
    node_home: NodeHome, run: Run
) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    recording(folder, "News/old.mp4", 5 * HOUR_S)
    recording(folder, "cut short.mp4", 6 * HOUR_S, checked=False)
    young = recording(folder, "young.mp4", 0.5 * HOUR_S)
    # Named as one that went before: of that the checksum is left, and this one is being written.
    again = recording(folder, "again.mp4", 7 * HOUR_S)
    written = datetime.now(UTC).timestamp() - 2 * HOUR_S
    os.utime(again, (written, written))
    elsewhere = recording(node_home.path / "elsewhere", "clip.mp4", 9 * HOUR_S)
    (folder / "link.mp4").symlink_to(elsewhere)
    (folder / "other").symlink_to(elsewhere.parent)
    async with run(node_home) as agent:
        found = await taken(agent, RecordingsRule(older_than_s=HOUR_S))
        assert [(Path(it.path).name, it.why, it.bytes) for it in found.due] == [("old.mp4", "age", 100)]
        assert left(folder) == [
            "again.mp4", "again.mp4.jpg", "again.mp4.sha256", "cut short.mp4", "link.mp4",
            "young.mp4", "young.mp4.jpg", "young.mp4.sha256",
        ]  # fmt: skip
        assert elsewhere.exists()
        assert await taken(agent, RecordingsRule(older_than_s=HOUR_S)) == OldRecordings((), is_all=True)
        with pytest.raises(ValueError, match="apart"):
            await taken(agent, RecordingsRule(older_than_s=60), at=datetime.now(UTC) + timedelta(days=400))
        assert young.exists()


async def test_beyond_their_room_the_oldest_go_and_what_is_an_asset_stays(node_home: NodeHome) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    files = [recording(folder, f"{name}.mp4", (9 - name) * HOUR_S) for name in range(5)]
    by_link = node_home.path / "by link"
    by_link.symlink_to(folder)
    async with running(node_home) as agent:
        rule = RecordingsRule(most_bytes=250, spared=(str(by_link / "0.mp4"), str(files[2]), "/no/such"))
        found = await taken(agent, rule)
        assert [(Path(it.path).name, it.why) for it in found.due] == [
            ("1.mp4", "room"), ("3.mp4", "room"), ("4.mp4", "room"),
        ]  # fmt: skip
        assert [path.exists() for path in files] == [True, False, True, False, False]


async def test_one_file_that_cannot_go_keeps_none_of_the_others(node_home: NodeHome, run: Run) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    held = recording(folder, "held.mp4", 9 * HOUR_S)
    picture = held.with_name("held.mp4.jpg")
    picture.unlink()
    picture.mkdir()  # no one takes a folder for a picture, and root may write everywhere
    recording(folder, "old.mp4", 8 * HOUR_S)
    recording(folder, os.fsdecode(b"not UTF-8 \xff/old.mp4"), 9 * HOUR_S)
    async with run(node_home) as agent:
        found = await taken(agent, RecordingsRule(older_than_s=HOUR_S))
    assert ([Path(it.path).name for it in found.due], found.stuck) == (["old.mp4"], (str(held),))
    assert left(folder) == ["held.mp4", "held.mp4.sha256", *left(folder)[2:]]
    assert len(left(folder)) == 5, "nobody can be told of the other"


async def test_a_file_of_which_nobody_can_tell_whether_it_is_finished_keeps_none_of_the_others(
    node_home: NodeHome, run: Run
) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    recording(folder, "old.mp4", 8 * HOUR_S)
    # Somebody put it there: with the checksum's ending its name is longer than a disk has room for.
    long = recording(folder, f"{'x' * 250}.mp4", 9 * HOUR_S, checked=False)
    async with run(node_home) as agent:
        found = await taken(agent, RecordingsRule(older_than_s=HOUR_S))
    assert ([Path(it.path).name for it in found.due], left(folder)) == (["old.mp4"], [long.name])


async def test_a_recording_that_went_is_told_as_gone_though_its_checksum_stays(node_home: NodeHome) -> None:
    """The audit log would say that it is there."""
    folder = node_home.path / "media" / "recordings" / RECORDER
    checksum = recording(folder, "old.mp4", 8 * HOUR_S).with_name("old.mp4.sha256")
    with unchangeable(checksum):
        async with running(node_home) as agent:
            found = await taken(agent, RecordingsRule(older_than_s=HOUR_S))
    assert ([Path(it.path).name for it in found.due], found.stuck) == (["old.mp4"], ())
    assert left(folder) == ["old.mp4.sha256"]


@contextmanager
def unchangeable(path: Path) -> Generator[None]:
    """For root, too."""
    done = subprocess.run(["chattr", "+i", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file can be made unchangeable here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


async def test_another_file_that_has_the_name_by_now_stays(
    node_home: NodeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an order that took too long, on a folder that two nodes share: the name was free, a recorder took it."""
    folder = node_home.path / "media" / "recordings" / RECORDER
    first, second = (recording(folder, f"{name}.mp4", (9 - name) * HOUR_S) for name in range(2))
    async with running(node_home) as agent:
        assert isinstance(agent, CanTidy)
        rule = RecordingsRule(older_than_s=HOUR_S)
        paths = (str(first), str(second))
        unlink = Path.unlink

        def and_records_anew(path: Path, missing_ok: bool = False) -> None:
            """The first goes, when all were looked at."""
            if path == first:
                unlink(second)
                second.write_text("what is recorded now")
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(Path, "unlink", and_records_anew)
        found = await agent.drop_recordings(RecordingsOrder(1, RECORDER, datetime.now(UTC), rule, paths))
        monkeypatch.undo()
    assert ([it.path for it in found.due], found.stuck) == ([str(first)], ())
    assert second.read_text() == "what is recorded now"


async def test_a_file_of_two_names_takes_its_room_once(node_home: NodeHome, run: Run) -> None:
    """Somebody gave a recording that is to be kept another name; nothing has to go for that."""
    folder = node_home.path / "media" / "recordings" / RECORDER
    old = recording(folder, "old.mp4", 9 * HOUR_S)
    young = recording(folder, "young.mp4", 8 * HOUR_S)
    for ending in ("", ".sha256"):
        os.link(f"{old}{ending}", f"{old.with_name('kept.mp4')}{ending}")
    async with run(node_home) as agent:
        assert (await taken(agent, RecordingsRule(most_bytes=200))).due == ()
        gone = await taken(agent, RecordingsRule(most_bytes=199))
    assert [Path(it.path).name for it in gone.due] == ["kept.mp4", "old.mp4"]
    assert young.exists()


async def test_what_is_in_use_by_the_path_of_another_mount_stays(node_home: NodeHome) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    used = recording(folder, "News/used.mp4", 9 * HOUR_S)
    async with running(node_home) as agent:
        rule = RecordingsRule(older_than_s=HOUR_S, spared=(f"/mnt/nas/recordings/{RECORDER}/News/used.mp4",))
        assert (await taken(agent, rule)).due == ()
    assert used.exists()


async def test_what_lies_behind_a_link_where_journals_go_is_nobodys_to_take(node_home: NodeHome) -> None:
    first = journal(node_home, "a", 1)
    journal(node_home, "b", 2, first.last_hash)
    precious = node_home.path / "elsewhere" / "clip"
    precious.mkdir(parents=True)
    (node_home.path / "journal" / ".gone").symlink_to(precious.parent)
    async with running(node_home) as agent:
        assert "is a link" in (await dropped(agent, first))[0]
        assert [it.epoch for it in await agent.runs({})] == [1, 2]
    assert precious.exists()


async def test_some_files_go_at_a_time_and_the_answer_says_whether_there_are_more(node_home: NodeHome) -> None:
    folder = node_home.path / "media" / "recordings" / RECORDER
    for number in range(MOST_FILES + 1):
        recording(folder, f"{number:03d}.mp4", (200 - number) * HOUR_S)
    async with running(node_home) as agent:
        rule = RecordingsRule(older_than_s=HOUR_S)
        first = await taken(agent, rule)
        assert (len(first.due), first.is_all) == (MOST_FILES, False)
        second = await taken(agent, rule)
        assert ([Path(it.path).name for it in second.due], second.is_all) == ([f"{MOST_FILES:03d}.mp4"], True)
        assert left(folder) == []
