"""Places in a clip by the timecode that its file begins with."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.models import Asset
from supervisor.errors import Invalid
from supervisor.playlists.schedule import Frames, Seconds, Timecode
from supervisor.playlists.source_timecode import label_at, place_in

RATES = ["24", "25", "50", "30000/1001", "60000/1001"]


def clip(start: str | None, rate: str = "25", frames: int | None = 2500) -> Asset:
    return Asset(rate=rate, duration_frames=frames, start_timecode=start, title="Film")


@pytest.mark.parametrize(
    ("start", "label", "frame"),
    [
        ("10:00:00:00", "10:00:10:05", 255),
        ("10:00:00:00", "10:00:00:00", 0),
        (None, "00:00:10:05", 255),
        ("23:59:50:00", "00:00:10:00", 500),
        ("10:00:00:00", "10:01:40:00", 2500),
    ],
)
def test_a_label_is_a_picture_of_the_file(start: str | None, label: str, frame: int) -> None:
    assert (place_in(Timecode(label), clip(start)).frame, place_in(Timecode(label), clip(start)).remark) == (frame, "")


def test_a_label_that_is_not_in_the_file_is_counted_from_its_first_frame_and_said() -> None:
    place = place_in(Timecode("00:00:10:00"), clip("10:00:00:00"))
    assert place.frame == 250
    assert "begins with 10:00:00:00" in place.remark
    behind = place_in(Timecode("10:05:00:00"), clip("10:00:00:00"))
    assert (behind.frame, behind.remark) == (7500, ""), "in neither: it ends after the clip"


def test_frames_and_seconds_count_from_the_first_frame() -> None:
    assert place_in(Frames(10), clip("10:00:00:00")).frame == 10
    assert place_in(Seconds(Fraction(2)), clip("10:00:00:00")).frame == 50


def test_a_file_that_drops_no_labels_is_counted_so_at_2997() -> None:
    file = clip("01:00:00:00", "30000/1001", 200_000)
    assert place_in(Timecode("01:10:00:00"), file).frame == 18_000
    dropping = clip("01:00:00;00", "30000/1001", 200_000)
    assert place_in(Timecode("01:10:00;00"), dropping).frame == 17_982
    assert place_in(Timecode("01:10:00:00"), dropping).frame == 17_982, "however the list writes it"


def test_a_list_at_another_rate_means_the_same_time() -> None:
    assert place_in(Timecode("10:00:01:05", "25"), clip("10:00:00:00", "50")).frame == 60


def test_a_label_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        place_in(Timecode("10:00:00:25"), clip("10:00:00:00"))


@given(rate=st.sampled_from(RATES), start=st.integers(0, 23), drop=st.booleans(), frame=st.integers(0, 500_000))
def test_a_place_and_its_label_are_each_others(rate: str, start: int, drop: bool, frame: int) -> None:
    separator = ";" if drop and rate.endswith("1001") else ":"
    file = clip(f"{start:02}:00:00{separator}00", rate, 600_000)
    label = label_at(frame, file)
    assert label is not None
    assert place_in(Timecode(label), file).frame == frame
