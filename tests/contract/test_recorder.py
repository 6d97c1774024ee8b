"""A recorder as a process: what comes is in its files, picture by picture, whatever happens to it."""

import hashlib
import random
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from sidecar.protocol.channel import Item, Playlist
from sidecar.protocol.recording import RecorderInput, Recording
from tests.fixtures.live_senders import LiveSender, SenderProcess, free_port
from tests.fixtures.recordings import files_of, held, kill_one, opens, recorded, recorder_document
from tests.fixtures.sidecars import on_air
from tests.long import LONG

pytestmark = [pytest.mark.realtime, pytest.mark.long]

KILLS = 12 if LONG else 5
"""``make kills`` makes fifty."""
TEST = Recording(RecorderInput("test"), floor_mb=0)


def assert_in_order(numbers: list[int]) -> None:
    assert [(one, two) for one, two in pairwise(numbers) if two != one + 1] == []


def test_a_recording_is_whole_checked_and_has_a_picture(tmp_path: Path) -> None:
    with on_air(recorder_document(TEST, name="Ingest/../1"), tmp_path) as recorder:
        shown = recorder.until(lambda s: recorded(s, 50), "two seconds recorded").recording
        assert shown is not None
        assert (shown.state, shown.rate, shown.gaps) == ("recording", "25", 0)
        assert recorder.client.get("/thumbnail.jpg").content.startswith(b"\xff\xd8")
        recorder.do("stop")
        assert recorder.ended() == 0
    (file,) = files_of(recorder)
    assert file.name.startswith("Ingest_.._1_")
    what = held(file)
    assert_in_order(what.numbers)
    assert len(what.numbers) >= 50
    assert abs(what.sound - Fraction(len(what.numbers), 25)) < Fraction(1, 10)
    told, name = file.with_name(file.name + ".sha256").read_text().split()
    assert (told, name) == (hashlib.sha256(file.read_bytes()).hexdigest(), file.name)
    assert file.with_name(file.name + ".jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_log_tells_each_file_to_the_frame(tmp_path: Path) -> None:
    document = recorder_document(Recording(RecorderInput("test"), segment_s=2, floor_mb=0), Item("a" * 32, "News"))
    with on_air(document, tmp_path) as recorder:
        recorder.until(lambda s: recorded(s, 130), "three files", 30)
        recorder.do("stop")
        recorder.ended()
    files = files_of(recorder)
    assert len(files) >= 3
    numbers = [held(file).numbers for file in files]
    assert_in_order([number for one in numbers for number in one])
    assert all(len(one) == 50 for one in numbers[:-1])


def test_jobs_that_follow_each_other_lose_no_frame(tmp_path: Path) -> None:
    first = Item("a" * 32, "Morning")
    document = recorder_document(Recording(RecorderInput("test"), template="{title}", floor_mb=0), first)
    with on_air(document, tmp_path) as recorder:
        recorder.until(lambda s: recorded(s, 30), "recorded", 30)
        then = Item("b" * 32, "Noon", fixed_at_ns=time.time_ns() + 1_500_000_000)
        recorder.do("playlist", playlist=msgspec.to_builtins(Playlist(2, (first, then), "hold")))
        recorder.until(lambda s: s.recording is not None and s.recording.title == "Noon", "the next job", 20)
        recorder.until(lambda s: s.recording is not None and s.recording.file_frames > 30, "some of it")
        records = recorder.records()
        recorder.do("stop")
        recorder.ended()
    files = files_of(recorder)
    assert [file.name for file in files] == ["Morning.mp4", "Noon.mp4"]
    assert_in_order([number for file in files for number in held(file).numbers])
    starts = {record.title: record.frame for record in records if record.kind == "item_start"}
    ends = {record.title: record.frame for record in records if record.kind == "item_end"}
    assert ends["Morning"] == starts["Noon"] == len(held(files[0]).numbers)


def test_an_input_that_is_cut_leaves_a_gap_that_is_told_to_the_frame(tmp_path: Path) -> None:
    port = free_port()
    what = Recording(RecorderInput("udp", f"udp://127.0.0.1:{port}"), floor_mb=0)
    with (
        LiveSender(f"udp://127.0.0.1:{port}?pkt_size=1316") as sender,
        on_air(recorder_document(what), tmp_path) as recorder,
    ):
        recorder.until(lambda s: recorded(s, 50), "recorded", 30)
        sender.cut()
        recorder.until(lambda s: s.recording is not None and s.recording.state == "no_signal", "told as lost")
        sender.restore()
        at = recorder.until(lambda s: s.recording is not None and s.recording.gaps == 1, "back", 30).recording
        assert at is not None
        recorder.until(lambda s: recorded(s, at.frames + 30), "goes on")
        recorder.do("stop")
        recorder.ended()
    (file,) = files_of(recorder)
    what_is_there = held(file)
    (jump,) = [(one, two) for one, two in pairwise(what_is_there.numbers) if two != one + 1]
    lost = jump[1] - jump[0] - 1
    # Another connection has another clock: what is missing is what this machine's says.
    assert abs(at.lost_frames - lost) <= 2
    place = what_is_there.numbers.index(jump[1])
    step = what_is_there.times[place] - what_is_there.times[place - 1]
    assert abs(step - Fraction(at.lost_frames + 1, 25)) < Fraction(1, 25)


@pytest.mark.parametrize("kind", ["srt", "rtmp"])
def test_srt_and_rtmp_are_recorded_as_they_come(kind: str, tmp_path: Path) -> None:
    port = free_port()
    if kind == "srt":
        what = RecorderInput("srt", f"srt://:{port}?mode=listener&latency=60")
        sender = SenderProcess(f"srt://127.0.0.1:{port}?mode=caller", "mpegts")
    else:
        what = RecorderInput("rtmp", f"rtmp://127.0.0.1:{port}/app/key?listen=1")
        sender = SenderProcess(f"rtmp://127.0.0.1:{port}/app/key", "flv")
    with on_air(recorder_document(Recording(what, floor_mb=0)), tmp_path) as recorder, sender:
        recorder.until(lambda s: recorded(s, 75), "three seconds recorded", 40)
        recorder.do("stop")
        recorder.ended()
    (file,) = files_of(recorder)
    there = held(file)
    assert_in_order(there.numbers)
    assert there.sound > 2


def test_without_room_nothing_is_written_and_it_is_told(tmp_path: Path) -> None:
    what = Recording(RecorderInput("test"), floor_mb=1 << 40)
    with on_air(recorder_document(what), tmp_path) as recorder:
        status = recorder.until(lambda s: s.recording is not None and s.recording.state == "no_room", "told")
        assert status.outputs[0].state == "down"
        assert "to stay free" in status.outputs[0].detail
    assert files_of(recorder) == []


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_recording_that_is_killed_at_any_moment_opens_and_misses_at_most_a_second(tmp_path: Path) -> None:
    chance = random.Random(5)
    killed = [kill_one(tmp_path, number, chance) for number in range(1, KILLS + 1)]
    assert max(one.missing_s for one in killed) <= 1.0, killed
    files = sorted((tmp_path / "media").rglob("*.mp4"))
    assert files == sorted({one.path for one in killed})
    assert all(map(opens, files))
