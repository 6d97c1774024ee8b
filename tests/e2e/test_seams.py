"""Seams, counted from outside: the real clock, the real encoder, and a counter that imports nothing of ours."""

import os
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.protocol.channel import ChannelFormat, Output
from tests.fixtures.sidecars import looped, on_air
from tests.instruments.frame_account import Account, NumberedClip, account
from tests.instruments.frame_cells import read_frame
from tests.instruments.hls_reader import HlsRecorder, Recording, from_folder
from tests.long import LONG

SEAMS = int(os.environ.get("MCR_SEAMS", "120" if LONG else "40"))
"""Over both channels. ``MCR_SEAMS=1000`` takes some four minutes."""
KINDS = (
    (640, 360, Fraction(25), Fraction(1), 2),
    (640, 480, Fraction(30000, 1001), Fraction(1), 1),
    (960, 540, Fraction(50), Fraction(1), 2),
    (720, 576, Fraction(25), Fraction(16, 15), 0),
    (640, 360, Fraction(24000, 1001), Fraction(1), 6),
    (640, 360, Fraction(60000, 1001), Fraction(1), 2),
)
ASPECTS = (Fraction(16, 9), Fraction(4, 3))
CLIP_SECONDS = Fraction(2, 5)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[ClipSpecification, Path]]:
    folder = tmp_path_factory.mktemp("numbered")
    made: dict[int, tuple[ClipSpecification, Path]] = {}
    for number in range(1, 19):
        width, height, rate, aspect, channels = KINDS[number % len(KINDS)]
        frames = round(rate * CLIP_SECONDS) + number % 3
        clip = ClipSpecification(number, f"Seam {number}", width, height, rate, frames, aspect, channels)
        made[number] = (clip, make_clip(clip, folder))
    return made


def count(recording: Recording, clips: dict[int, tuple[ClipSpecification, Path]], rate: Fraction) -> Account:
    numbered = {number: NumberedClip(clip.rate, clip.frames) for number, (clip, _) in clips.items()}
    return account((read_frame(frame, ASPECTS) for frame in recording.pictures()), numbered, rate)


@pytest.mark.realtime
@pytest.mark.timeout(240 + SEAMS)
def test_every_frame_is_accounted_for_at_every_seam(
    clips: dict[int, tuple[ClipSpecification, Path]], tmp_path: Path
) -> None:
    """Two channels at once, at 25 and 29.97 frames a second, cross seams of clips of six kinds."""
    rates = ("25", "30000/1001")
    files = [path for _, path in clips.values()]
    documents = [
        looped(f"Seams {rate}", files, ChannelFormat(640, 360, rate), (Output("0" * 32, "hls"),)) for rate in rates
    ]
    with on_air(documents[0], tmp_path / "1") as first, on_air(documents[1], tmp_path / "2") as second:
        recorders = [HlsRecorder(from_folder(one.live), "1.m3u8") for one in (first, second)]
        segments = int(SEAMS // 2 * (CLIP_SECONDS + Fraction(1, 25)) / 2) + 2
        with recorders[0], recorders[1]:
            for recorder in recorders:
                recorder.wait_for(segments, 100 + SEAMS * float(CLIP_SECONDS))
        late = [one.waited_for_data() + one.status().frames_skipped for one in (first, second)]
    accounts = [
        count(recorder.recording, clips, Fraction(rate)) for recorder, rate in zip(recorders, rates, strict=True)
    ]
    for recorder, counted in zip(recorders, accounts, strict=True):
        assert counted.clean, counted.faults
        assert recorder.recording.faults == []
    assert late == [0, 0]
    assert sum(counted.seams for counted in accounts) >= SEAMS
