from fractions import Fraction

import pytest

from sidecar.engine.encoder_settings import encoder_threads, gop_frames, preview_format, preview_step
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.rate import parse_rate

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]


@pytest.mark.parametrize("rate", RATES)
def test_two_seconds_are_a_whole_number_of_frames(rate: str) -> None:
    assert gop_frames(parse_rate(rate), 2_000) in (48, 50, 60, 100, 120)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gop_ms", [200, 400, 960, 2_000, 10_000])
def test_preview_keyframes_fall_on_programme_keyframes(rate: str, gop_ms: int) -> None:
    gop = gop_frames(parse_rate(rate), gop_ms)
    assert gop % preview_step(parse_rate(rate), gop) == 0


@pytest.mark.parametrize("rate", RATES)
def test_the_preview_has_about_six_frames_a_second(rate: str) -> None:
    fraction = parse_rate(rate)
    assert 4 <= fraction / preview_step(fraction, gop_frames(fraction, 2_000)) <= 8


@pytest.mark.parametrize(
    ("width", "height", "rate", "threads"),
    [(640, 360, "25", 1), (1280, 720, "25", 1), (1280, 720, "30", 1), (1280, 720, "50", 2), (1920, 1080, "25", 2),
     (1920, 1080, "60000/1001", 5), (3840, 2160, "60", 8)],
)  # fmt: skip
def test_threads_follow_pixels(width: int, height: int, rate: str, threads: int) -> None:
    assert encoder_threads(ChannelFormat(width, height, rate)) == threads


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (720, 576), (1080, 1920), (64, 64), (7680, 64), (1998, 1080)]
)
def test_the_preview_keeps_the_shape_and_can_be_encoded(width: int, height: int) -> None:
    small = preview_format(ChannelFormat(width, height, "25"))
    assert small.width % 2 == 0 == small.height % 2
    assert small.height >= 64
    assert small.width <= 320
    if height * 320 >= 64 * width:
        assert abs(Fraction(small.width, small.height) / Fraction(width, height) - 1) < Fraction(1, 50)
