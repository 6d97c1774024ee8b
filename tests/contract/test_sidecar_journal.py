"""The as-run journal on real disks: killed, full, torn, changed (P4)."""

import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sidecar.journal import Journal
from sidecar.journal import journal as journal_module
from sidecar.journal.reading import damages
from sidecar.protocol.asrun import GENESIS, AsRunRecord, chain_hash, decode_line
from sidecar.protocol.channel import Item
from sidecar.rundown.model import Airing, Fact
from tests.fixtures.patience import patience
from tests.fixtures.small_disk import small_disk
from tests.long import examples

CHANNEL = "c" * 32
WRITER = Path(__file__).with_name("journal_writer.py")
ROOT = WRITER.parents[2]


def until(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    seconds = patience(seconds)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.002)


@contextmanager
def running(directory: Path, run_id: str = "1" * 32, epoch: int = 1) -> Iterator[Journal]:
    journal = Journal(directory, CHANNEL, run_id, epoch, "25")
    journal.start()
    try:
        yield journal
    finally:
        journal.close(5)


def write(journal: Journal, count: int, first: int = 1) -> None:
    for frame in range(first, first + count):
        journal.write(Fact("command", frame, cause="hold", by="ada"), 1_000 + frame)


def all_records(journal: Journal, run_id: str) -> list[AsRunRecord]:
    records: list[AsRunRecord] = []
    while (page := journal.page(run_id, len(records), 100)) is not None and page.records:
        records += page.records
    return records


def lines_of(run: Path) -> list[bytes]:
    return [line for segment in sorted(run.glob("*.jsonl")) for line in segment.read_bytes().splitlines(keepends=True)]


def test_what_is_reported_is_on_the_disk_and_says_it_all(tmp_path: Path) -> None:
    item = Item(id="i" * 32, title="News", path="/m/news.mp4", asset_id="a" * 32, house_id="H1")
    with running(tmp_path) as journal:
        journal.write(Fact("item_start", 7, Airing(3, item, 12), cause="take", by="ada"), 99)
        journal.write(Fact("item_end", 57, Airing(3, item, 12), cause="ended", frames=50, late=2), 100)
        until(lambda: journal.last_seq == 2, "both records")
        page = journal.page(journal.run_id, 0, 10)
        assert page is not None
        start, end = page.records
        assert (start.seq, start.kind, start.frame, start.wall_ns, start.rate) == (1, "item_start", 7, 99, "25")
        assert (start.airing, start.item_id, start.in_frames, start.by) == (3, "i" * 32, 12, "ada")
        assert (start.asset_id, start.house_id, start.title, start.path) == ("a" * 32, "H1", "News", "/m/news.mp4")
        assert (end.seq, end.frames, end.late, end.cause) == (2, 50, 2, "ended")
        assert [decode_line(line) for line in lines_of(tmp_path / journal.run_id)] == [start, end]
        assert journal.degraded is None


def test_pages_follow_each_other_over_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.journal.segments.SEGMENT_BYTES", 2_000)
    with running(tmp_path) as journal:
        for block in range(10):
            write(journal, 30, 1 + 30 * block)
            until(lambda due=30 * (block + 1): journal.last_seq == due, "the block")
        assert len(list((tmp_path / journal.run_id).glob("*.jsonl"))) > 3
        assert [record.frame for record in all_records(journal, journal.run_id)] == [*range(1, 301)]
        page = journal.page(journal.run_id, 250, 20)
        assert page is not None
        assert [record.seq for record in page.records] == [*range(251, 271)]
        assert page.last_seq == 300
    assert list(damages(tmp_path)) == []


def test_no_reported_record_is_lost_by_kill_9_and_no_number_comes_twice(tmp_path: Path) -> None:
    """Processes killed at random instants, one after the other in one directory: 20, or 4 on a laptop."""
    chance = random.Random(20)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for epoch in range(1, examples(20) + 1):
        run_id = f"{epoch:032x}"
        with subprocess.Popen(
            [sys.executable, str(WRITER), str(tmp_path), run_id, str(epoch)], stdout=subprocess.PIPE, env=environment
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()
            told = writer.stdout.read().split()
        reader = Journal(tmp_path, CHANNEL, "f" * 32, 99, "25")
        records = all_records(reader, run_id)
        assert [record.seq for record in records] == [*range(1, len(records) + 1)]
        assert [record.frame for record in records] == [record.seq for record in records]
        # The last line told may be cut short by the kill.
        assert len(records) >= max([1, *(int(number) for number in told[:-1])])
    assert list(damages(tmp_path)) == []


def test_a_long_segment_is_read_from_any_record_on_and_not_behind_what_is_torn(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        write(journal, 400)
        until(lambda: journal.last_seq == 400, "all records")
        for after in (0, 1, 17, 199, 398, 399, 400):
            page = journal.page(journal.run_id, after, 3)
            assert page is not None
            assert [record.seq for record in page.records] == [*range(after + 1, min(after + 3, 400) + 1)]
    segment = next((tmp_path / ("1" * 32)).glob("*.jsonl"))
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[250] = b"x" + lines[250][1:]
    segment.write_bytes(b"".join(lines))
    with running(tmp_path, "2" * 32, 2) as journal:
        for after in (0, 100, 240):
            page = journal.page("1" * 32, after, 1000)
            assert page is not None
            assert [record.seq for record in page.records] == [*range(after + 1, 251)]


def test_a_torn_tail_ends_the_readable_part_and_is_never_extended(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        write(journal, 5)
    segment = next((tmp_path / ("1" * 32)).glob("*.jsonl"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-10])
    torn = segment.read_bytes()
    with running(tmp_path, "2" * 32, 2) as journal:
        write(journal, 1)
        until(lambda: journal.last_seq == 1, "the new run's record")
        page = journal.page("1" * 32, 0, 10)
        assert page is not None
        assert ([record.seq for record in page.records], page.last_seq) == ([1, 2, 3, 4], 4)
        assert segment.read_bytes() == torn
        first = all_records(journal, "2" * 32)[0]
        assert first.prev == chain_hash(whole.splitlines(keepends=True)[3])
    assert list(damages(tmp_path)) == []


def test_the_chain_goes_through_runs_by_age_and_not_by_name(tmp_path: Path) -> None:
    last = GENESIS
    for epoch, run_id in enumerate(["9" * 32, "1" * 32, "5" * 32], 1):
        with running(tmp_path, run_id, epoch) as journal:
            write(journal, 3)
        lines = lines_of(tmp_path / run_id)
        assert decode_line(lines[0]).prev == last
        last = chain_hash(lines[-1])
    assert list(damages(tmp_path)) == []


@pytest.mark.parametrize("whole_checksum", [False, True], ids=["a byte", "a byte, and its checksum made to fit"])
def test_a_changed_byte_is_found(tmp_path: Path, whole_checksum: bool) -> None:
    with running(tmp_path) as journal:
        write(journal, 9)
    segment = next((tmp_path / ("1" * 32)).glob("*.jsonl"))
    lines = segment.read_bytes().splitlines(keepends=True)
    changed = lines[4].replace(b'"ada"', b'"eva"')
    assert changed != lines[4]
    if whole_checksum:
        changed = b"%08x" % zlib.crc32(changed[9:-1]) + changed[8:]
    segment.write_bytes(b"".join([*lines[:4], changed, *lines[5:]]))
    found = next(damages(tmp_path))
    assert (found.run_id, found.line) == ("1" * 32, 6 if whole_checksum else 5)


def test_names_of_runs_are_names_and_no_paths(tmp_path: Path) -> None:
    with running(tmp_path / "journal") as journal:
        (tmp_path / "other").mkdir()
        assert journal.page("../other", 0, 10) is None
        assert journal.page("", 0, 10) is None
        assert journal.page("a" * 32, 0, 10) is None


def test_a_disk_that_fails_degrades_and_loses_nothing_once_it_takes_again(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    directory.write_text("in the way")
    with running(directory) as journal:
        write(journal, 100)
        until(lambda: journal.degraded is not None, "a fault told")
        assert journal.last_seq == 0
        page = journal.page(journal.run_id, 0, 10)
        assert page is not None
        assert page.records == ()
        directory.unlink()
        until(lambda: journal.last_seq == 100, "all records")
        assert journal.degraded is None
        assert [record.frame for record in all_records(journal, journal.run_id)] == [*range(1, 101)]


def test_what_does_not_fit_in_memory_is_counted_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SPOOL", 10)
    directory = tmp_path / "journal"
    directory.write_text("in the way")
    with running(directory) as journal:
        write(journal, 1)
        until(lambda: journal.degraded is not None, "a fault told")
        write(journal, 25, first=2)
        degraded = journal.degraded
        assert degraded is not None
        assert "15 lost" in degraded
        directory.unlink()
        until(lambda: journal.last_seq == 11, "what fitted")
        records = all_records(journal, journal.run_id)
        assert [record.seq for record in records] == [*range(1, 12)]
        assert records[-1].detail == "15 records after this one were lost: the disk failed for too long"


def test_a_disk_that_hangs_holds_up_nobody_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    real = os.fdatasync
    monkeypatch.setattr(journal_module, "HUNG_S", 0.1)
    monkeypatch.setattr(os, "fdatasync", lambda fd: (answers.wait(60), real(fd)))
    with running(tmp_path) as journal:
        began = time.monotonic()
        write(journal, 1000)
        assert time.monotonic() - began < 20
        until(lambda: journal.degraded is not None, "the hang told")
        assert journal.last_seq == 0
        assert not journal.close(0.05)
        answers.set()
        until(lambda: journal.last_seq == 1000, "all records")


def test_a_disk_that_hangs_before_the_first_record_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a pipe that nobody writes hangs, as reading an older run from a dead file server does."""
    monkeypatch.setattr(journal_module, "HUNG_S", 0.1)
    older = tmp_path / ("1" * 32)
    older.mkdir()
    os.mkfifo(older / "000000000001.0.jsonl")
    with running(tmp_path, "2" * 32, 2) as journal:
        write(journal, 3)
        until(lambda: journal.degraded is not None, "the hang told")
        assert journal.last_seq == 0
        # The older run is read for its age and its end; each finds an empty file once a writer has come and gone.
        until(lambda: opened_and_closed(older / "000000000001.0.jsonl") and journal.last_seq == 3, "all records")
        assert journal.degraded is None


def opened_and_closed(pipe: Path) -> bool:
    with suppress(OSError):  # nobody reads at this instant
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    return True


def test_the_ballast_is_set_aside_again_when_its_room_was_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "BALLAST_RETRY_S", 0.0)
    with small_disk(tmp_path / "disk", "3m") as disk, running(disk / "journal") as journal:
        ballast = disk / "journal" / "ballast"
        write(journal, 1)
        until(lambda: journal.last_seq == 1, "the first record")
        hog = disk / "hog"
        with hog.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        written = 1
        while ballast.exists():
            write(journal, 20, first=written + 1)
            written += 20
            until(lambda due=written: journal.last_seq == due, "the block")
            assert written < 50_000
        hog.unlink()
        write(journal, 1, first=written + 1)
        until(ballast.exists, "the ballast again")
        assert journal.degraded is None


def test_a_full_disk_gives_back_the_ballast_then_degrades_then_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk, running(disk / "journal") as journal:
        ballast = disk / "journal" / "ballast"
        write(journal, 10)
        until(lambda: journal.last_seq == 10, "the first records")
        assert ballast.stat().st_blocks * 512 >= 1 << 20
        hog = disk / "hog"
        with hog.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        written = 10
        while journal.degraded is None:
            write(journal, 100, first=written + 1)
            written += 100
            until(
                lambda due=written: journal.last_seq == due or journal.degraded is not None, "the block, or the fault"
            )
            assert written < 50_000
        assert not ballast.exists()
        assert journal.last_seq > 1000, "the ballast's room was used"
        assert "No space left" in (journal.degraded or "")
        write(journal, 500, first=written + 1)
        written += 500
        hog.unlink()
        until(lambda: journal.last_seq == written, "every record")
        until(ballast.exists, "the ballast again")
        assert journal.degraded is None
        assert [record.frame for record in all_records(journal, journal.run_id)] == [*range(1, written + 1)]
        assert list(damages(disk / "journal")) == []


def test_a_write_cut_short_is_taken_back(tmp_path: Path) -> None:
    """A limit on the size of files cuts a line in two, as a full disk does; it needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with running(tmp_path) as journal:
        write(journal, 10)
        until(lambda: journal.last_seq == 10, "the first records")
        segment = next((tmp_path / journal.run_id).glob("*.jsonl"))
        size = segment.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
        try:
            write(journal, 20, first=11)
            until(lambda: journal.degraded is not None, "the fault told")
            assert segment.stat().st_size == size
            assert journal.last_seq == 10
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        until(lambda: journal.last_seq == 30, "every record")
        assert [record.frame for record in all_records(journal, journal.run_id)] == [*range(1, 31)]
    assert list(damages(tmp_path)) == []


def test_a_journal_removed_under_it_begins_a_new_file(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        write(journal, 3)
        until(lambda: journal.last_seq == 3, "the first records")
        shutil.rmtree(tmp_path / journal.run_id)
        write(journal, 2, first=4)
        until(lambda: journal.last_seq == 5, "the later records")
        page = journal.page(journal.run_id, 3, 10)
        assert page is not None
        assert [record.seq for record in page.records] == [4, 5]
