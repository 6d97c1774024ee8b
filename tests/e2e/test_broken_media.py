"""P1: media that fail in every way there is, on a running channel, watched from outside."""

import itertools
import os
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.protocol.channel import ChannelFormat, Output
from tests.fixtures.sidecars import looped, on_air
from tests.instruments.frame_cells import read_frame
from tests.instruments.hls_reader import HlsRecorder, from_folder

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(120)]

GOOD, STALLING = 1, 2


def feed_half(fifo: Path, data: bytes, done: threading.Event) -> None:
    """A file server that dies in the middle: half of the file comes, then nothing, and the reader stays in its read."""
    with fifo.open("wb", buffering=0) as writer:
        writer.write(data[: len(data) // 2])
        done.wait(60)


def test_nothing_that_media_do_stops_clock_or_output(tmp_path: Path) -> None:
    """A read that hangs in the middle, one that hangs at the opening, a missing, an empty and a broken file."""
    folder = tmp_path / "media"
    good = make_clip(ClipSpecification(GOOD, "Good", 640, 360, Fraction(25), 50), folder)
    whole = make_clip(ClipSpecification(STALLING, "Stalling", 640, 360, Fraction(25), 100, suffix=".ts"), folder)
    stalling, unfed = folder / "stalling.ts", folder / "unfed.mp4"
    os.mkfifo(stalling)
    os.mkfifo(unfed)
    missing, empty, broken = folder / "missing.mp4", folder / "empty.mp4", folder / "broken.mp4"
    empty.touch()
    broken.write_bytes(os.urandom(100_000))
    done = threading.Event()
    feeder = threading.Thread(target=feed_half, args=(stalling, whole.read_bytes(), done), daemon=True)
    feeder.start()
    files = [good, stalling, missing, empty, broken, unfed]
    document = looped("Broken", files, ChannelFormat(640, 360, "25"), (Output("0" * 32, "hls"),))
    with on_air(document, tmp_path / "home") as sidecar:
        with HlsRecorder(from_folder(sidecar.live), "1.m3u8") as recorder:
            recorder.wait_for(9, 60)
        status = sidecar.status()
        records = sidecar.records(status.run_id)
    done.set()

    assert recorder.recording.faults == []
    segments = recorder.recording.segments
    seen = [read_frame(frame, (Fraction(16, 9),)) for frame in recorder.recording.pictures()]
    assert len(seen) == 50 * len(segments), "the output did not run on frame by frame"
    assert not any(frame.black for frame in seen), "black instead of the slate"
    times = [recorder.recording.listed_at[sequence] for sequence in sorted(segments)]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) < 4.0, f"segments did not come every two seconds: {gaps}"

    numbers = [frame.clip for frame in seen]
    first_good, stalled = numbers.index(GOOD), numbers.index(STALLING)
    assert first_good < stalled < len(numbers) - numbers[::-1].index(GOOD), "the good clip did not come again"
    stands = longest_stand([frame.number if frame.clip == STALLING else None for frame in seen])
    assert stands <= 3 * 25 + 1, f"the last picture of a hung file stood for {stands} frames"
    reasons = {record.title: record.detail for record in records if record.kind == "item_skipped"}
    assert reasons.keys() >= {"missing", "empty", "broken", "unfed"}, reasons
    assert all(reasons.values())


def longest_stand(numbers: list[int | None]) -> int:
    """The most times in a row that the same frame is seen."""
    longest = run = 0
    before: int | None = None
    for number in numbers:
        run = run + 1 if number is not None and number == before else 1
        before = number
        longest = max(longest, run if number is not None else 0)
    return longest
