"""Labels of frames, against the published landmarks of SMPTE ST 12."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.schemas.timecode import format_timecode, is_drop_frame, parse_timecode, time_of_day

RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")


@pytest.mark.parametrize(
    ("frames", "rate", "label"),
    [
        (0, "25", "00:00:00:00"),
        (25 * 3600 * 25, "25", "25:00:00:00"),
        (1799, "30000/1001", "00:00:59;29"),
        (1800, "30000/1001", "00:01:00;02"),
        (17981, "30000/1001", "00:09:59;29"),
        (17982, "30000/1001", "00:10:00;00"),
        (107892, "30000/1001", "01:00:00;00"),
        (3599, "60000/1001", "00:00:59;59"),
        (3600, "60000/1001", "00:01:00;04"),
        (35964, "60000/1001", "00:10:00;00"),
        (1440, "24000/1001", "00:01:00:00"),
        (-104, "25", "-00:00:04:04"),
    ],
)
def test_label_of_a_frame(frames: int, rate: str, label: str) -> None:
    assert format_timecode(frames, rate) == label


@given(st.integers(0, 30_000_000), st.sampled_from(RATES))
def test_every_frame_has_one_label_that_names_it(frames: int, rate: str) -> None:
    assert parse_timecode(format_timecode(frames, rate), rate) == frames


@given(st.integers(0, 30_000_000), st.sampled_from(RATES))
def test_labels_never_stand_still_or_go_back(frames: int, rate: str) -> None:
    fields = [format_timecode(count, rate).replace(";", ":").split(":") for count in (frames, frames + 1)]
    assert [int(field) for field in fields[0]] < [int(field) for field in fields[1]]


@pytest.mark.parametrize("rate", [rate for rate in RATES if is_drop_frame(rate)])
def test_a_day_of_drop_frame_labels_keeps_to_the_clock(rate: str) -> None:
    numerator, denominator = rate.split("/")
    a_day = 86_400 * int(numerator) // int(denominator)
    hours, minutes, seconds = format_timecode(a_day, rate).split(";")[0].split(":")
    assert abs(int(hours) * 3600 + int(minutes) * 60 + int(seconds) - 86_400) <= 1


@pytest.mark.parametrize(
    ("label", "rate"),
    [
        ("00:01:00;01", "30000/1001"),
        ("00:00:00:25", "25"),
        ("00:00:00;00", "25"),
        ("1:2:3:4", "25"),
        ("00:60:00:00", "25"),
    ],
)
def test_a_label_that_does_not_exist_is_refused(label: str, rate: str) -> None:
    with pytest.raises(ValueError, match=r"timecode|exist|label"):
        parse_timecode(label, rate)


def test_time_of_day_keeps_the_clocks_seconds() -> None:
    assert time_of_day(datetime(2026, 11, 22, 14, 3, 47, 999_999, tzinfo=UTC), "30000/1001") == "14:03:47:29"
