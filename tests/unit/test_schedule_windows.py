"""Schedules' wall-clock times as instants, over every change to and from summer time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from supervisor.schedules.planning import LEAD, clashes, jobs_of, plan_of
from supervisor.schedules.windows import Planned, Window, stretches, windows

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns")


def planned(**values: object) -> Planned:
    usual = {
        "id": "a" * 32, "recorder_id": "b" * 32, "title": "News", "kind": "daily", "date": "2027-01-01",
        "at": "20:00:00", "until": None, "weekdays": (), "time_zone": "Europe/Berlin", "duration_s": 3600,
        "pre_roll_s": 0, "post_roll_s": 0, "enabled": True,
    }  # fmt: skip
    return Planned(**(usual | values))  # type: ignore[arg-type] - test values


@given(
    zone=st.sampled_from(ZONES),
    at=st.times(min_value=time(0), max_value=time(23, 59, 59)).map(lambda it: it.replace(microsecond=0)),
    first=st.dates(min_value=date(2026, 1, 1), max_value=date(2028, 12, 1)),
    length=st.integers(1, 86_400),
)
def test_every_day_has_its_window_at_its_wall_clock_time(zone: str, at: time, first: date, length: int) -> None:
    schedule = planned(date=first.isoformat(), at=at.isoformat(), time_zone=zone, duration_s=length)
    begin = datetime.combine(first, time(0), UTC) - timedelta(days=3)
    found = list(windows(schedule, begin, begin + timedelta(days=40)))
    starts = [window.start for window in found]
    assert starts == sorted(set(starts))
    assert all(timedelta(hours=22) <= two - one <= timedelta(hours=26) for one, two in pairwise(starts))
    assert all(window.end - window.start == timedelta(seconds=length) for window in found)
    for window in found:
        local = window.start.astimezone(ZoneInfo(zone))
        wanted = datetime.combine(local.date(), at)
        # Either the very time, or, where the clock was put forward over it, as much later.
        shift = local.replace(tzinfo=None) - wanted
        exists = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
        assert shift == timedelta(0) or exists.replace(tzinfo=None) != wanted
        assert local.fold == 0


def test_a_time_that_is_left_out_is_later_and_one_that_comes_twice_is_the_first() -> None:
    spring = planned(kind="once", date="2027-03-28", at="02:30:00")
    autumn = planned(kind="once", date="2027-10-31", at="02:30:00")
    span = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    assert [window.start for window in windows(spring, *span)] == [datetime(2027, 3, 28, 1, 30, tzinfo=UTC)]
    assert [window.start for window in windows(autumn, *span)] == [datetime(2027, 10, 31, 0, 30, tzinfo=UTC)]


def test_weekly_is_on_its_days_until_its_last() -> None:
    schedule = planned(kind="weekly", weekdays=(0, 4), until="2027-01-15", time_zone="UTC")
    found = windows(schedule, datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC))
    assert [window.start.day for window in found] == [1, 4, 8, 11, 15]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 120), st.integers(0, 60), st.integers(0, 60)), max_size=8)
)
def test_stretches_share_no_time_and_leave_out_none_that_a_window_has(
    plans: list[tuple[int, int, int, int]],
) -> None:
    base = datetime(2027, 1, 1, tzinfo=UTC)
    found: list[Window] = []
    for number, (minute, length, pre, post) in enumerate(plans):
        at = base + timedelta(minutes=minute)
        one = planned(
            id=f"{number:032x}", kind="once", date=f"{at:%Y-%m-%d}", at=f"{at:%H:%M:%S}", time_zone="UTC",
            duration_s=length * 60, pre_roll_s=pre, post_roll_s=post,
        )  # fmt: skip
        found += windows(one, base - timedelta(days=1), base + timedelta(days=1))
    cut = stretches(found)
    assert all(one.last <= two.first for one, two in pairwise(cut))
    for window in found:
        at = window.start
        while at < window.end:
            assert any(one.first <= at < one.last for one in cut), (window, at)
            at += timedelta(minutes=1)


def test_a_plan_begins_a_little_ahead_and_its_jobs_follow_each_other() -> None:
    one = planned(kind="once", at="10:00:00", time_zone="UTC", pre_roll_s=60, post_roll_s=60)
    two = planned(id="c" * 32, kind="once", at="11:00:00", time_zone="UTC", pre_roll_s=60, title="Sport")
    first = datetime(2027, 1, 1, 9, 59, tzinfo=UTC)
    assert plan_of([one, two], first - LEAD - timedelta(seconds=1)).active is None
    plan = plan_of([one, two], first - LEAD)
    assert plan.active is not None
    assert plan.until == datetime(2027, 1, 1, 12, tzinfo=UTC)
    jobs = jobs_of("d" * 32, plan, by_person=False)
    at = [datetime.fromtimestamp((job.fixed_at_ns or 0) / 1e9, UTC) for job in jobs]
    assert [(job.title, when) for job, when in zip(jobs, at, strict=True)] == [
        ("News", first),
        ("Sport", datetime(2027, 1, 1, 11, tzinfo=UTC)),
    ]
    titles = [job.title for job in jobs_of("d" * 32, plan, by_person=True)]
    assert titles == ["", "News", "Sport", ""]


def test_what_touches_does_not_clash() -> None:
    now = datetime(2026, 12, 31, tzinfo=UTC)
    one, two = planned(), planned(id="c" * 32, at="21:00:00")
    assert clashes(one, [two], {two.id: "it"}, now) == ()
    three = planned(id="c" * 32, at="20:59:59")
    assert len(clashes(one, [three], {three.id: "it"}, now)) == 1
