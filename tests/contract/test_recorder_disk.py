"""A recorder on a disk that is slow, and on one that has no hard links."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.journal import Journal
from sidecar.protocol.recording import RecorderInput, Recording
from sidecar.recorder import fragments
from sidecar.recorder.engine import RecorderEngine
from sidecar.recorder.finishing import Finishing, Mended
from tests.fixtures.recordings import held, recorder_document

pytestmark = pytest.mark.realtime

DEADLINE_S = 30.0
ANSWER_S = 2.0


@contextmanager
def recording(home: Path) -> Generator[RecorderEngine]:
    document = recorder_document(Recording(RecorderInput("test"), floor_mb=0))
    journal = Journal(home / "journal", document.channel_id, "f" * 32, 1, "25")
    assert document.recording is not None
    engine = RecorderEngine(
        document, document.recording, epoch=1, journal=journal, media_root=home / "media", environment={}
    )
    engine.start()
    engine.arm("olga")
    try:
        yield engine
    finally:
        engine.stop("olga", DEADLINE_S)


def until(condition: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(int(DEADLINE_S / 0.05)):
        if condition():
            return
        waited.wait(0.05)
    pytest.fail(f"not within {DEADLINE_S} s")


def frames(engine: RecorderEngine) -> int:
    said = engine.status().recording
    return 0 if said is None else said.frames


@pytest.mark.parametrize("step", ["a file's name", "the room that is left"])
def test_a_disk_that_hangs_holds_neither_the_status_nor_new_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    reached, goes_on = threading.Event(), threading.Event()
    sync_folder, statvfs = fragments.sync_folder, os.statvfs

    def hang() -> None:
        reached.set()
        goes_on.wait(DEADLINE_S)

    def slow_sync(path: Path) -> None:
        hang()
        sync_folder(path)

    def slow_statvfs(path: Path) -> os.statvfs_result:
        hang()
        return statvfs(path)

    if step == "a file's name":
        monkeypatch.setattr(fragments, "sync_folder", slow_sync)
    else:
        monkeypatch.setattr(os, "statvfs", slow_statvfs)
    with ThreadPoolExecutor(1) as asking, recording(tmp_path) as engine:
        try:
            assert reached.wait(DEADLINE_S)
            asking.submit(engine.status).result(ANSWER_S)
            jobs = recorder_document(Recording(RecorderInput("test"))).playlist
            asking.submit(engine.replace_jobs, jobs).result(ANSWER_S)
            if step != "a file's name":
                until(lambda: frames(engine) > 5)
        finally:
            goes_on.set()
        until(lambda: frames(engine) > 30)


def test_a_disk_without_hard_links_is_recorded_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """exFAT, and many a share: EPERM."""

    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    with recording(tmp_path) as engine:
        until(lambda: frames(engine) > 30)
    (file,) = (tmp_path / "media").rglob("*.mp4")
    assert len(held(file).numbers) > 30
    assert [*(tmp_path / "media").rglob(".*.new")] == []


def test_what_was_killed_with_its_name_claimed_is_whole_after_the_next_start(tmp_path: Path) -> None:
    with recording(tmp_path) as engine:
        until(lambda: frames(engine) > 30)
    (file,) = (tmp_path / "media").rglob("*.mp4")
    there = held(file).numbers
    file.rename(fragments.hidden_of(file))
    file.touch()
    file.with_name(file.name + ".sha256").unlink()
    for path in (file, fragments.hidden_of(file)):
        os.utime(path, (1, 1))
    found: list[Mended] = []
    finishing = Finishing(found.append)
    finishing.mend(tmp_path / "media", 1000.0, 0.5)
    assert finishing.wait(DEADLINE_S)
    assert not file.with_name(file.name + ".sha256").exists(), "written to since this run began"
    finishing.mend(tmp_path / "media", 1000.0, 900.0)
    assert finishing.wait(DEADLINE_S)
    (mended,) = found
    assert (mended.path, mended.pictures, mended.bytes) == (file, len(there), file.stat().st_size)
    assert held(file).numbers == there
    assert file.with_name(file.name + ".sha256").exists()


def test_one_thing_that_cannot_be_finished_keeps_none_of_what_was_cut_short(tmp_path: Path) -> None:
    """A title is a folder's name, ``News.mp4`` too; and a power cut leaves a checksum without a word in it."""
    whole = [tmp_path / "News.mp4" / "a.mp4", tmp_path / "emptied.mp4", tmp_path / "z.mp4"]
    whole[0].parent.mkdir()
    for path in whole:
        path.write_bytes(b"recorded")
    whole[1].with_name("emptied.mp4.sha256").touch()
    (tmp_path / f"{'x' * 250}.mp4").touch()  # its checksum's name is too long for a disk
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "away")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    found: list[Mended] = []
    finishing = Finishing(found.append)
    finishing.mend(tmp_path, 1000.0, 900.0)
    assert finishing.wait(DEADLINE_S)
    assert [one.path for one in found] == whole
    digest = hashlib.sha256(b"recorded").hexdigest()
    assert [path.with_name(f"{path.name}.sha256").read_text().split()[0] for path in whole] == [digest] * 3
