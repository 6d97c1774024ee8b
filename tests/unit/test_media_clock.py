"""The arithmetic of frames on screen, for any rates."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.geometry import place
from sidecar.media.timing import Continuity, SampleAndHold, grid_time, source_rate
from sidecar.rundown.rate import converted_frames

RATES = st.sampled_from(
    [Fraction(*r) for r in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (50, 1), (60000, 1001), (75, 7), (120, 1))]
)


@given(source=RATES, channel=RATES, frames=st.integers(1, 200), first=st.integers(0, 60))
def test_every_output_frame_shows_what_is_on_screen(
    source: Fraction, channel: Fraction, frames: int, first: int
) -> None:
    """Fed as slowly as it asks, it decides as if it knew the whole source."""
    hold: SampleAndHold[int] = SampleAndHold(channel, first)
    shown, offered = [], 0
    while not hold.ended:
        while not hold.decided and not hold.ended:
            if offered < frames:
                hold.offer(offered / source, (offered + 1) / source, offered)
                offered += 1
            else:
                hold.finish()
        if not hold.ended:
            shown.append(hold.next())
    length = converted_frames(frames, source, channel)
    assert shown == [min(frames - 1, m * source // channel) for m in range(first, length)]


@given(source=RATES, frames=st.integers(0, 500_000), base=st.sampled_from([1_000, 90_000, 48_000, 12_800]))
def test_rounded_time_stamps_fall_back_on_the_grid(source: Fraction, frames: int, base: int) -> None:
    """However late in a file, and though the first frame's stamp was rounded too."""
    ticks = round(frames / source * base)
    assert grid_time(ticks, Fraction(1, base), source) == frames / source


@pytest.mark.parametrize(
    ("average", "base", "rate"),
    [
        (Fraction(25), Fraction(25), Fraction(25)),
        (Fraction(6250, 251), Fraction(25), Fraction(25)),  # 10 s with an odd last frame
        (Fraction(2997, 100), Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(750000, 71393), Fraction(90000), Fraction(750000, 71393)),  # variable
        (None, Fraction(50), Fraction(50)),
        (None, None, Fraction(25)),
        (Fraction(90000), Fraction(90000), Fraction(25)),
    ],
)
def test_the_rate_frames_are_numbered_at(average: Fraction | None, base: Fraction | None, rate: Fraction) -> None:
    assert source_rate(average, base) == rate


def test_a_jump_moves_all_streams_alike() -> None:
    """Picture and sound jump back by 100 s, the sound a few packets later than the picture."""
    continuity = Continuity()
    step = 1 / 25
    times = [*range(2500, 2550), *range(50)]
    lagging = [*range(2496, 2550), *range(46)]
    for picture, sound in zip(times, lagging, strict=True):
        moved = continuity.offset(0, picture * step, step)
        assert moved == pytest.approx(0 if picture >= 2500 else 102, abs=1e-6)
        moved = continuity.offset(1, sound * step, step)
        assert moved == pytest.approx(0 if sound >= 2496 else 102, abs=1e-6)


@given(
    width=st.integers(2, 4096), height=st.integers(2, 4096),
    aspect=st.fractions(Fraction(1, 3), 3, max_denominator=64),
    channel=st.sampled_from([(1280, 720), (1920, 1080), (720, 576), (1080, 1920)]),
)  # fmt: skip
def test_a_picture_is_placed_whole_and_in_its_shape(
    width: int, height: int, aspect: Fraction, channel: tuple[int, int]
) -> None:
    placed = place(width, height, aspect, channel)
    assert all(value % 2 == 0 for value in (placed.width, placed.height, placed.x, placed.y))
    assert 0 <= placed.x <= channel[0] - placed.width
    assert 0 <= placed.y <= channel[1] - placed.height
    assert placed.width == channel[0] or placed.height == channel[1]
    shape = Fraction(width, height) * aspect
    if placed.width > 100 and placed.height > 100:
        assert abs(Fraction(placed.width, placed.height) / shape - 1) < Fraction(2, 100)
