from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.engine.pacing import NS, Timetable, instant
from sidecar.rundown.rate import due_ns, samples_before

RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60000, 1001)]


@pytest.mark.parametrize("rate", RATES)
def test_samples_and_times_are_exact_after_ten_million_frames(rate: Fraction) -> None:
    """Each frame's share of samples differs by at most one from the mean, and the shares add up without a remainder."""
    frames = 10_000_000
    assert samples_before(frames, rate, 48_000) == int(frames * 48_000 / rate)
    assert due_ns(frames, rate) == int(frames * NS / rate)
    total, mean = 0, 48_000 / rate
    for frame in range(frames - 20_000, frames):
        share = samples_before(frame + 1, rate, 48_000) - samples_before(frame, rate, 48_000)
        assert abs(share - mean) < 1
        total += share
    assert total == samples_before(frames, rate, 48_000) - samples_before(frames - 20_000, rate, 48_000)


@pytest.mark.parametrize("rate", RATES)
def test_a_short_delay_is_caught_up_and_passes_nothing_over(rate: Fraction) -> None:
    table = Timetable(5 * NS, rate)
    assert table.pass_over(100, table.due(100) + NS // 2) == 0
    assert table.skipped == 0


@given(st.sampled_from(RATES), st.integers(0, 10**7), st.integers(NS // 2 + 1, 3600 * NS))
def test_after_a_stall_the_frame_leaves_on_the_same_grid(rate: Fraction, frame: int, stall_ns: int) -> None:
    """Whole frame times are passed over; what is due then lies less than one frame time back, and on the old grid."""
    table = Timetable(7 * NS, rate)
    grid = table.due(frame)
    now = grid + stall_ns
    passed = table.pass_over(frame, now)
    assert table.skipped == passed
    assert table.due(frame) <= now
    assert now - table.due(frame) <= NS / rate + 1
    assert table.due(frame) == 7 * NS + due_ns(frame + passed, rate)
    assert table.pass_over(frame + 1, table.due(frame + 1)) == 0


def test_an_instant_has_microseconds() -> None:
    assert instant(1_795_350_760_985_746_088) == "2026-11-22T12:32:40.985746Z"
