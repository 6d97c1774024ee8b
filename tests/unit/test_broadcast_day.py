"""Times of a list become instants in list order, on days of 23, 24 and 25 hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.playlists import wording
from supervisor.playlists.broadcast_day import BroadcastDay, begins, day_of, resolve
from supervisor.playlists.schedule import DayTime

BERLIN = ZoneInfo("Europe/Berlin")


def instants(day: str, *times: str, dates: str = "broadcast", start: str = "06:00") -> list[str]:
    """In the zone, with its offset from UTC."""
    broadcast = BroadcastDay(BERLIN, time.fromisoformat(start), date.fromisoformat(day), "25", dates)  # type: ignore[arg-type] - one of two
    resolved = resolve([(wording.planned(text), True) for text in times], broadcast)
    return [f"{one.at.astimezone(BERLIN):%d %H:%M:%S%z}" for one in resolved if one.at]


def test_hours_go_on_after_midnight() -> None:
    assert instants("2026-06-10", "06:00", "23:59:59", "24:30", "02:30", "29:59") == [
        "10 06:00:00+0200", "10 23:59:59+0200", "11 00:30:00+0200", "11 02:30:00+0200", "11 05:59:00+0200",
    ]  # fmt: skip


def test_a_list_longer_than_a_day_goes_on_to_the_next() -> None:
    assert instants("2026-06-10", "20:00", "05:00", "06:00", "05:00", "07:00") == [
        "10 20:00:00+0200", "11 05:00:00+0200", "11 06:00:00+0200", "12 05:00:00+0200", "12 07:00:00+0200",
    ]  # fmt: skip


def test_the_second_of_two_equal_times_belongs_to_the_later_item() -> None:
    """The night of 24 October 2026: 02:00 to 03:00 is there twice."""
    assert instants("2026-10-24", "01:30", "02:30", "02:30", "02:45", "03:00") == [
        "25 01:30:00+0200", "25 02:30:00+0200", "25 02:30:00+0100", "25 02:45:00+0100", "25 03:00:00+0100",
    ]  # fmt: skip
    assert instants("2026-10-24", "02:45", "02:15", "26:50") == [
        "25 02:45:00+0200", "25 02:15:00+0100", "25 02:50:00+0100",
    ]  # fmt: skip
    assert instants("2026-10-24", "2026-10-24 02:30:00", "2026-10-24 02:30:00") == [
        "25 02:30:00+0200", "25 02:30:00+0100",
    ]  # fmt: skip


def test_equal_times_of_a_plain_day_stay_equal() -> None:
    assert instants("2026-06-10", "20:00", "20:00") == ["10 20:00:00+0200", "10 20:00:00+0200"]


@pytest.mark.parametrize(
    ("day", "start", "utc"),
    [
        (
            date(2026, 3, 29),
            time(2, 30),
            datetime(2026, 3, 29, 1, tzinfo=UTC),
        ),  # the clock skips it: at the jump, 03:00
        (date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # it is there twice
        (date(2026, 6, 10), time(6), datetime(2026, 6, 10, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_once(day: date, start: time, utc: datetime) -> None:
    assert begins(day, start, BERLIN) == utc
    assert day_of(utc, start, BERLIN) == day
    assert day_of(utc - timedelta(microseconds=1), start, BERLIN) == day - timedelta(days=1)


def test_a_day_that_has_begun_goes_on_though_the_clock_is_set_back_over_its_start() -> None:
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    running = BroadcastDay.running(BERLIN, time(2, 30), again, "25")
    assert running.day == date(2026, 10, 25)
    assert running.end_after(again) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    _, found = resolve([(again, True), (DayTime(2, 15, 0), True)], running)
    assert found.at == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert instants("2026-10-25", "02:35", "02:20", "20:00", "02:20", start="02:30") == [
        "25 02:35:00+0200", "25 02:20:00+0100", "25 20:00:00+0100", "26 02:20:00+0100",
    ]  # fmt: skip


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
)
def test_every_instant_lies_in_the_day_that_has_begun(at: datetime, start: time, zone: str) -> None:
    found = day_of(at, start, ZoneInfo(zone))
    assert begins(found, start, ZoneInfo(zone)) <= at < begins(found + timedelta(days=1), start, ZoneInfo(zone))


def test_a_comment_takes_no_time() -> None:
    broadcast = BroadcastDay(BERLIN, time(6), date(2026, 10, 24), "25")
    half_past = DayTime(2, 30, 0)
    heading, event = resolve([(half_past, False), (half_past, True)], broadcast)
    assert heading.at == event.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_that_the_clock_skips_starts_at_the_jump_with_a_warning() -> None:
    """The night of 28 March 2026: 02:00 to 03:00 is not there."""
    broadcast = BroadcastDay(BERLIN, time(6), date(2026, 3, 28), "25")
    before, skipped, after = resolve([(DayTime(h, m, 0), True) for h, m in ((1, 59), (2, 30), (3, 0))], broadcast)
    assert skipped.at == after.at == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert "02:30:00 does not exist on 2026-03-29 in Europe/Berlin; it starts at 03:00:00" in skipped.warning
    assert (before.warning, after.warning) == ("", "")


@pytest.mark.parametrize(("dates", "day"), [("broadcast", "11"), ("calendar", "10")])
def test_a_date_is_the_broadcast_days_or_the_calendars(dates: str, day: str) -> None:
    assert instants("2026-01-01", "2026-06-10 00:30:00", dates=dates) == [f"{day} 00:30:00+0200"]
    assert instants("2026-01-01", "2026-06-10 24:30:00", dates=dates) == ["11 00:30:00+0200"]


def test_frames_of_a_time_are_parts_of_its_second() -> None:
    broadcast = BroadcastDay(BERLIN, time(6), date(2026, 6, 10), "25")
    (one,) = resolve([(DayTime(20, 0, 0, 12), True)], broadcast)
    assert one.at == datetime(2026, 6, 10, 18, 0, 0, 480_000, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 59)), max_size=12),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
    st.integers(0, 23),
)
def test_no_list_goes_back_in_time(times: list[tuple[int, int]], day: date, zone: str, start: int) -> None:
    broadcast = BroadcastDay(ZoneInfo(zone), time(start), day, "25")
    resolved = resolve([(DayTime(hours, minutes, 0), True) for hours, minutes in times], broadcast)
    at = [one.at for one in resolved if one.at]
    assert len(at) == len(times)
    assert at == sorted(at)
