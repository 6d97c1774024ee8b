"""The frame counter must find what is planted before it may say that nothing is wrong."""

from fractions import Fraction

import av
import numpy as np
import pytest

from sidecar.clips.picture import ClipPicture
from sidecar.clips.specification import ClipSpecification
from tests.instruments.frame_account import Account, NumberedClip, account, expected_length
from tests.instruments.frame_cells import Seen, read_frame

WIDE, OLD = Fraction(16, 9), Fraction(4, 3)
CLIPS = {
    1: NumberedClip(Fraction(25), 50),
    2: NumberedClip(Fraction(50), 80),
    3: NumberedClip(Fraction(24000, 1001), 48),
}
TARGET = Fraction(25)


def airing(clip: int) -> list[Seen]:
    rate = CLIPS[clip].rate
    length = expected_length(CLIPS[clip], TARGET)
    return [Seen(clip, int(at * rate / TARGET), False, False) for at in range(length)]


def recording() -> list[Seen]:
    return airing(1)[20:] + airing(2) + airing(3) + airing(1) + airing(1) + airing(3)[:10]


def test_a_clean_recording_of_mixed_rates_is_clean() -> None:
    result = account(recording(), CLIPS, TARGET)
    assert result.clean, result.faults
    assert result.seams == 5


@pytest.mark.parametrize("at", [3, 29, 31, 60, 75, 120, 180])
def test_a_planted_lost_frame_is_found(at: int) -> None:
    seen = recording()
    del seen[at]
    assert not account(seen, CLIPS, TARGET).clean


@pytest.mark.parametrize("at", [3, 29, 31, 60, 75, 120, 180])
def test_a_planted_repeated_frame_is_found(at: int) -> None:
    seen = recording()
    seen.insert(at, seen[at])
    result = account(seen, CLIPS, TARGET)
    assert not result.clean


def test_a_planted_black_frame_and_an_unreadable_one_are_found() -> None:
    seen = recording()
    seen[40] = Seen(None, None, False, True)
    seen[41] = Seen(None, None, False, False)
    result = account(seen, CLIPS, TARGET)
    assert (result.black, result.unreadable) == (1, 1)


def test_one_lost_frame_in_the_middle_counts_once() -> None:
    seen = recording()
    del seen[45]
    result: Account = account(seen, CLIPS, TARGET)
    assert result.lost == 1
    assert result.repeated == 0


@pytest.mark.parametrize(
    ("width", "height", "sample_aspect", "aspect"),
    [(1280, 720, Fraction(1), WIDE), (640, 480, Fraction(1), OLD), (720, 576, Fraction(16, 15), OLD)],
)
def test_cells_survive_fitting_and_encoding(width: int, height: int, sample_aspect: Fraction, aspect: Fraction) -> None:
    clip = ClipSpecification(7, "Cells", width, height, Fraction(25), 1000, sample_aspect)
    picture = ClipPicture(clip)
    encoder, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "crf": "30"}
    inner = round(360 * aspect)
    seen: list[Seen] = []
    numbers = [0, 1, 511, 999]
    packets = []
    for pts, number in enumerate(numbers):
        source = av.VideoFrame.from_ndarray(picture.frame(number), format="rgb24")
        fitted = np.full((360, 640, 3), 16, np.uint8)
        left = (640 - inner) // 2
        fitted[:, left : left + inner] = source.reformat(inner, 360, "rgb24").to_ndarray()
        frame = av.VideoFrame.from_ndarray(fitted, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, 25)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    for packet in [*packets, None]:
        seen += [read_frame(frame, (WIDE, OLD)) for frame in decoder.decode(packet)]
    assert [(one.clip, one.number) for one in seen] == [(7, number) for number in numbers]


def test_a_picture_without_cells_is_not_given_a_number() -> None:
    grey = av.VideoFrame.from_ndarray(
        np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8), format="rgb24"
    )
    seen = read_frame(grey.reformat(format="yuv420p"), (WIDE, OLD))
    assert seen.clip is None
    assert not seen.black
