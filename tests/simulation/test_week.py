"""A week around the clock, with either change of the clocks, operators, revised lists and breakdowns."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.protocol.channel import Item
from supervisor.sidecar_lists import nanoseconds
from tests.simulation.week import BERLIN, FRAME_S, LOST_S, Week

pytestmark = pytest.mark.long


def monday(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 6, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("begin", "hours"),
    [(monday(2026, 3, 23), 7 * 24 - 1), (monday(2026, 10, 19), 7 * 24 + 1)],
    ids=["spring", "autumn"],
)
def test_a_week_has_no_unaccounted_frame_no_missed_fixed_start_and_all_its_ids(begin: datetime, hours: int) -> None:
    revised = int((begin + timedelta(days=2, hours=5)).timestamp())
    week = Week(begin, hours * 3600, seed=7, revisions={revised}).run()
    assert week.aired + week.lost == hours * 3600
    assert week.lost >= 5 * LOST_S, "breakdowns are part of it"
    assert week.commands >= 100
    assert week.removed, "the revised list takes items away"
    end = begin + timedelta(hours=hours)
    for item in week.listing.told().items:
        if item.fixed_at_ns is not None and nanoseconds(begin) <= item.fixed_at_ns < nanoseconds(end):
            check_fixed(week, item, item.fixed_at_ns // 10**9)
    titles = [row.title for row in week.listing.rows if row.fixed_at and row.title.startswith("news")]
    assert len(titles) >= hours
    last = week.started[-1].item.id
    told = {one.item.traffic_id for one in week.started} | set(week.skipped)
    passed: list[str] = []
    for row in week.listing.rows:
        if row.id == last:
            break
        if row.traffic_id:
            passed.append(row.traffic_id)
    assert len(passed) > 500
    assert [one for one in passed if one not in told] == []


def check_fixed(week: Week, item: Item, due: int) -> None:
    """On its frame, or as soon as what disturbed it is over; softly when what aired ends; sooner by a take alone."""
    starts = [one for one in week.started if one.item.id == item.id]
    assert starts, f"{item.title} is missed"
    first = starts[0]
    if first.at < due:
        assert first.cause in ("take", "skip", "play"), (item.title, first)
        return
    latest = due + FRAME_S
    if item.fixed_kind == "soft":
        latest = due + 1800
    for begun, over in week.disturbed:
        if begun <= latest and over >= due:
            latest = max(latest, over)
    assert first.at <= latest, (item.title, first.at - due, first.cause)
