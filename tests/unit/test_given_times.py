"""Times of day given beside an item: after what stands above it, in the broadcast day of the channel's zone."""

from datetime import UTC, datetime

import pytest

from db.models import Channel, Item
from supervisor.errors import Invalid
from supervisor.playlists.given_times import anchor, given_times
from supervisor.schemas.airing import Times

SPRING = datetime(2026, 3, 28, 19, 0, tzinfo=UTC)  # 20:00 in Berlin, the evening before the clock goes on
AUTUMN = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)  # 20:00 in Berlin, the evening before it goes back


def berlin(desired: str = "off") -> Channel:
    return Channel(time_zone="Europe/Berlin", day_start="06:00", rate="25", desired=desired, phase="off")


def fixed(*texts: str, now: datetime, after: datetime | None = None, desired: str = "off") -> list[str]:
    times = [Times(fixed_time=text) for text in texts]
    found = given_times(times, after, berlin(desired), now)
    return [f"{one.fixed_at:%d %H:%M:%S.%f}".removesuffix(".000000") for one in found if one.fixed_at]


def test_a_time_comes_after_what_stands_above() -> None:
    assert fixed("20:15:00", "23:00", "00:30:00", "07:00:00", now=SPRING) == [
        "28 19:15:00", "28 22:00:00", "28 23:30:00", "29 05:00:00",
    ]  # fmt: skip


def test_hours_go_on_to_29_and_frames_count_at_the_channels_rate() -> None:
    assert fixed("25:30:00:12", now=SPRING) == ["29 00:30:00.480000"]
    assert fixed("28:59:59", now=AUTUMN) == ["25 03:59:59"]
    with pytest.raises(Invalid, match="hours end at 29"):
        fixed("30:00:00", now=SPRING)


def test_a_date_beside_a_time_is_the_calendars() -> None:
    assert fixed("2026-10-25 02:30:00", "02:30:00", now=SPRING) == ["25 00:30:00", "25 01:30:00"]
    assert fixed("2026-10-24 26:30:00", now=SPRING) == ["25 00:30:00"]


def test_the_second_half_past_two_belongs_to_the_later_item() -> None:
    assert fixed("02:30:00", "02:30:01", "02:30:00", now=AUTUMN) == ["25 00:30:00", "25 00:30:01", "25 01:30:00"]


def test_a_time_that_the_clock_skips_starts_at_three_with_a_warning() -> None:
    (one,) = given_times([Times(fixed_time="02:30:00")], None, berlin(), SPRING)
    assert one.fixed_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert "02:30:00 does not exist on 2026-03-29" in one.warnings[0]
    assert "03:00:00" in one.warnings[0]


def test_on_a_list_that_airs_no_time_of_day_is_past() -> None:
    morning = datetime(2026, 3, 28, 8, 0, tzinfo=UTC)
    assert fixed("12:00:00", now=SPRING, after=morning) == ["28 11:00:00"], "of a list that is prepared it may be"
    assert fixed("12:00:00", now=SPRING, after=morning, desired="on") == ["29 10:00:00"]


def test_an_end_and_a_block_come_after_the_items_own_start() -> None:
    times = Times(fixed_time="23:30:00", end_time="00:15:00", block="night", block_until_time="29:00:00")
    (one,) = given_times([times], None, berlin(), AUTUMN)
    assert (one.end_at, one.block_until) == (
        datetime(2026, 10, 24, 22, 15, tzinfo=UTC),
        datetime(2026, 10, 25, 4, 0, tzinfo=UTC),
    )


def test_the_last_instant_above_counts_whether_planned_or_fixed() -> None:
    rows = [Item(kind="clip", planned_start=SPRING), Item(kind="clip"), Item(kind="comment", planned_start=AUTUMN)]
    assert anchor(rows) == SPRING
    assert anchor(()) is None


def test_what_cannot_be_read_is_refused_with_what_to_write() -> None:
    with pytest.raises(Invalid, match="is no time"):
        fixed("soon", now=SPRING)
    with pytest.raises(Invalid, match="as an instant and as a time of day"):
        given_times([Times(fixed_at=SPRING, fixed_time="20:00")], None, berlin(), SPRING)
    with pytest.raises(Invalid, match="in which zone"):
        given_times([Times(fixed_time="20:00")], None, None, SPRING)
