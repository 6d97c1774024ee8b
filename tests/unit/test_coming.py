"""What the coming hours ask of somebody: holds, live inputs, gaps, overruns, the list's end, media."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from db.models import Item as Row
from sidecar.protocol.channel import Item, Playlist
from supervisor.ahead.checking import Finding
from supervisor.ahead.coming import coming
from supervisor.ahead.looking import Due, Report
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.coming import Coming
from supervisor.sidecar_lists import nanoseconds
from tests.fixtures.channels import make_channel

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONE = "1" * 32


def clip(number: int, seconds: int, **values: Any) -> Item:
    return Item(id=f"{number:032x}", title=f"Item {number}", path="/m/a.mp4", duration_frames=seconds * 25, **values)


def live(number: int = 0, position: int = 0) -> ChannelLive:
    item = {
        "item_id": f"{number:032x}", "title": "x", "position_frames": position, "duration_frames": 1500,
        "started_at": NOON - timedelta(seconds=position / 25),
    }  # fmt: skip
    return make_channel(live={"as_of": NOON, "picture": "item", "item": item}).live


def seen(*items: Item, after_last: Any = "loop", report: Report | None = None) -> list[tuple[str, float | None, str]]:
    list_ = Playlist(revision=1, items=items, after_last=after_last)
    found = coming(ONE, list_, live(), Fraction(25), NOON, NOON + timedelta(hours=12), report)
    assert all(isinstance(one, Coming) and one.channel_id == ONE for one in found)
    return [(one.kind, None if one.at is None else (one.at - NOON).total_seconds(), one.text) for one in found]


def test_nothing_is_asked_of_anybody_where_a_list_goes_round() -> None:
    assert seen(clip(0, 60), clip(1, 60)) == []


def test_every_hold_that_can_be_foreseen_and_the_end_of_the_list() -> None:
    fixed = clip(3, 30, start_mode="fixed", fixed_at_ns=nanoseconds(NOON + timedelta(seconds=300)))
    assert seen(clip(0, 60), clip(1, 60, start_mode="hold"), clip(2, 60), fixed, after_last="filler") == [
        ("hold", 60.0, "Item 1 waits for a take"),
        ("list_end", 330.0, "the list ends"),
    ]


def test_live_gap_and_overrun() -> None:
    due = nanoseconds(NOON + timedelta(seconds=90))
    late = nanoseconds(NOON + timedelta(seconds=400))
    cut = clip(1, 60)
    first = clip(2, 60, start_mode="fixed", fixed_at_ns=due)
    show = Item(id=f"{3:032x}", title="Cup", kind="live", url="srt://x", duration_frames=2500, start_mode="fixed",
                fixed_at_ns=late)  # fmt: skip
    assert seen(clip(0, 60), cut, first, show) == [
        ("overrun", 90.0, "a fixed start cuts 0:30 of Item 1"),
        ("gap", 150.0, "nothing is planned for 4:10 before Cup: filler airs"),
        ("live", 400.0, "live: Cup"),
    ]


def test_media_that_are_not_as_they_should_be_are_critical_when_they_are_soon() -> None:
    row = Row(id="7" * 32, title="Ident", position=3)
    gone = (Finding("gone", "critical", "the file is gone"),)
    report = Report((Due(row, None, NOON + timedelta(minutes=5), gone),), 9, NOON)
    list_ = Playlist(revision=1, items=(clip(0, 60),), after_last="loop")
    (one,) = coming(ONE, list_, live(), Fraction(25), NOON, NOON + timedelta(hours=1), report)
    assert (one.kind, one.severity, one.text) == ("media", "critical", "Ident: the file is gone")
