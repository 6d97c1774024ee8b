"""Over and under to fixed starts, overlaps in the plan, the next action and the list's end: what an operator asks."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from sidecar.protocol.channel import AfterLast, Item, Playlist
from supervisor.loops.list_ends import ending
from supervisor.rundown_figures import Figures, figures
from supervisor.schemas.channel import ChannelLive
from supervisor.sidecar_lists import nanoseconds
from tests.fixtures.channels import make_channel

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW = nanoseconds(NOON)
RATE = Fraction(25)


def at(seconds: float) -> int:
    return NOW + round(seconds * 1e9)


def item(name: str, seconds: float | None = 10, **values: object) -> Item:
    frames = None if seconds is None else round(seconds * 25)
    return Item(id=name, title=name, duration_frames=frames, **values)  # pyright: ignore[reportArgumentType]


def fixed(name: str, due: float, **values: object) -> Item:
    return item(name, start_mode="fixed", fixed_at_ns=at(due), **values)


def of(*items: Item, after_last: AfterLast = "filler", held: bool = False, begun: float = 0) -> Figures:
    list_ = Playlist(revision=1, items=items, after_last=after_last)
    return figures(list_, NOW, RATE, begun=round(begun * 25), held=held)


def test_what_stands_before_a_fixed_start_is_too_long_or_too_short() -> None:
    found = of(item("A"), item("B"), fixed("C", 18), item("D"), fixed("E", 30), fixed("F", 40))
    assert found.over_under == {"C": 50, "E": 200, "F": 0}
    assert found.next_fixed == "C"
    assert of(item("A"), item("B"), fixed("C", 18), begun=-4).over_under == {"C": -50}


def test_comments_and_what_is_dropped_take_no_time_and_repeats_take_all_of_theirs() -> None:
    found = of(item("A"), item("B", dropped=True), item("#", kind="comment"), item("R", repeat=3), fixed("C", 40))
    assert found.over_under == {"C": 0}


def test_an_end_time_and_a_block_set_the_clock() -> None:
    found = of(item("A", 60, end_mode="at", end_at_ns=at(20)), fixed("B", 20), item("L", block="b",
               block_until_ns=at(50)), fixed("C", 55))  # fmt: skip
    assert found.over_under == {"B": 0, "C": -125}


def test_behind_a_wait_nobody_can_tell_until_the_next_fixed_start() -> None:
    found = of(item("A"), item("H", start_mode="hold"), item("B"), fixed("C", 100), fixed("D", 111))
    assert found.over_under == {"D": -25}
    assert found.human is not None
    assert (found.human.in_frames, found.human.why) == (250, "H waits for a take")


@pytest.mark.parametrize(
    ("items", "held", "frames", "why"),
    [
        ([item("A"), item("B", end_mode="take")], False, 500, "B ends by a take"),
        ([item("A"), item("B", None, kind="live", end_mode="take")], False, 250, "B ends by a take"),
        ([item("A"), item("B", repeat=0)], False, 500, "B ends by a take"),
        ([item("A"), item("B")], True, 250, "the channel holds after this item"),
        ([item("A"), item("B")], False, 500, "the list ends"),
    ],
)
def test_the_next_action_is_the_first_that_the_list_needs(
    items: list[Item], held: bool, frames: int, why: str
) -> None:  # fmt: skip
    human = of(*items, held=held).human
    assert human is not None
    assert (human.in_frames, human.why) == (frames, why)


def test_a_missing_clip_is_acted_on_before_its_turn_and_a_loop_needs_nobody() -> None:
    list_ = Playlist(revision=1, items=(item("A"), item("B"), item("C")), after_last="loop")
    assert figures(list_, NOW, RATE).human is None
    found = figures(list_, NOW, RATE, missing=frozenset({"C"})).human
    assert found is not None
    assert (found.in_frames, found.why) == (500, "C is missing")


def test_a_plan_overlaps_or_leaves_a_gap() -> None:
    found = of(item("A", planned_at_ns=at(0)), item("B", planned_at_ns=at(8)), item("C", planned_at_ns=at(20)),
               item("D", planned_at_ns=at(30)))  # fmt: skip
    assert found.overlap == {"B": 50, "C": -50}


def live(position: float, picture: str = "item") -> ChannelLive:
    on_air = {
        "item_id": "A", "title": "A", "position_frames": round(position * 25), "duration_frames": None,
        "started_at": NOON,
    } if picture == "item" else None  # fmt: skip
    return make_channel(live={"as_of": NOON, "picture": picture, "item": on_air, "next": None}).live


@pytest.mark.parametrize(
    ("hours", "after", "severity", "text"),
    [
        (5, "filler", None, ""),
        (4, "filler", "warning", "One: its list ends at 16:00 UTC, then filler airs"),
        (0.5, "hold", "critical", "One: its list ends at 12:30 UTC, then the last picture stands"),
        (4, "loop", None, ""),
    ],
)
def test_the_end_of_a_list_is_announced_unless_it_goes_round(
    hours: float, after: AfterLast, severity: str | None, text: str
) -> None:
    list_ = Playlist(revision=1, items=(item("A", 60), item("B", hours * 3600 - 60)), after_last=after)
    found = ending("One", list_, "25", live(0), NOON)
    assert (None if found is None else found.severity, "" if found is None else found.text) == (severity, text)


def test_a_list_that_is_over_is_critical_and_an_empty_one_has_no_end() -> None:
    over = ending("One", Playlist(revision=1, items=(item("A"),)), "25", live(0, "filler"), NOON)
    assert over is not None
    assert (over.severity, over.text) == ("critical", "One: its list has ended, and filler airs")
    assert ending("One", Playlist(revision=1), "25", live(0, "filler"), NOON + timedelta(hours=9)) is None
