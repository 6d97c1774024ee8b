"""A live input in the rundown: lost, back, back too often; and every frame of it in the as-run's facts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.protocol.channel import Item, Playlist
from sidecar.rundown.clock import Refused, RundownClock
from sidecar.rundown.model import Airing, Fact, Shown, SourceView, Supply
from tests.unit.rundown_world import began

RATE = Fraction(25)
SECOND = 25
CLIP = Item("clip", "clip", path="/clip.mp4", duration_frames=2 * SECOND)
NEXT = Item("next", "next", path="/next.mp4", duration_frames=2 * SECOND)


def live(seconds: int | None) -> Item:
    return Item("live", "live", kind="live", url="srt://h:1", duration_frames=seconds and seconds * SECOND)


@dataclass
class Air:
    """Runs a clock; ``there(frame)`` says whether the live input gives a picture then."""

    items: tuple[Item, ...]
    there: Callable[[int], bool]
    shown: list[Shown] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    has_come: bool = False
    next_from: int = 0
    """The frame from which the clip that follows is open."""

    def __post_init__(self) -> None:
        self.clock = RundownClock(Playlist(1, self.items), RATE)

    def view(self, airing: Airing) -> SourceView:
        if airing not in self.clock.wanted():
            return SourceView(Supply.OPENING)
        if airing.item is NEXT and self.clock.frame < self.next_from:
            return SourceView(Supply.OPENING)
        if airing.item.kind != "live" or self.there(self.clock.frame):
            self.has_come = self.has_come or airing.item.kind == "live"
            return SourceView(Supply.READY, frames_ahead=8)
        return SourceView(Supply.DRY if self.has_come else Supply.OPENING, "connection refused: srt://h:1")

    def run(self, seconds: float) -> "Air":
        for _ in range(round(seconds * SECOND)):
            shown = self.clock.tick(self.view)
            self.shown.append(shown)
            self.facts += shown.facts
            assert self.clock.since == began(self.facts)
        return self

    def of(self, *kinds: str) -> list[tuple[str, str, int, int | None]]:
        return [(fact.kind, fact.cause, fact.frame, fact.frames) for fact in self.facts if fact.kind in kinds]

    def lost(self) -> list[tuple[str, str, int, int | None]]:
        return self.of("live_lost", "live_back")

    def pictures(self, first: int, end: int) -> set[tuple[str, str, bool]]:
        return {(shown.picture, shown.action, shown.late) for shown in self.shown[first:end]}


def gaps(*spans: tuple[float, float]) -> Callable[[int], bool]:
    """There, but for these spans of seconds."""
    return lambda frame: not any(first * SECOND <= frame < end * SECOND for first, end in spans)


def test_an_input_is_lost_after_a_second_and_a_half_and_back_after_five_stable_seconds() -> None:
    air = Air((live(None),), gaps((10, 12))).run(30)
    assert air.pictures(0, 250) == {("item", "source", False)}
    assert air.pictures(250, 287) == {("item", "repeat", True)}
    assert air.pictures(288, 425) == {("filler", "slate", False)}
    assert air.pictures(426, 750) == {("item", "source", False)}
    assert air.lost() == [("live_lost", "live lost", 288, None), ("live_back", "live back", 425, 137)]
    assert air.of("late") == [("late", "no data", 250, 38)]
    assert all(shown.reason == "live input of live lost: connection refused: srt://h:1" for shown in air.shown[288:425])


def test_a_short_gap_is_bridged_by_the_last_picture() -> None:
    air = Air((live(None),), gaps((10, 11.4))).run(13)
    assert air.lost() == []
    assert air.pictures(250, 285) == {("item", "repeat", True)}
    assert air.pictures(285, 325) == {("item", "source", False)}


def test_a_flutter_starts_the_five_seconds_again() -> None:
    air = Air((live(None),), gaps((10, 12), (16, 16.04))).run(30)
    assert [frame for kind, _, frame, _ in air.lost() if kind == "live_back"] == [401 + 5 * SECOND]


def test_it_comes_back_twice_in_a_minute_and_then_waits_for_an_operator() -> None:
    air = Air((live(None),), gaps((10, 12), (20, 22), (30, 32))).run(200)
    assert [kind for kind, *_ in air.lost()] == ["live_lost", "live_back", "live_lost", "live_back", "live_lost"]
    assert air.shown[-1].reason.endswith("; play brings it back")
    air.clock.play("anna")
    air.run(1)
    assert air.lost()[-1][:3] == ("live_back", "live back", 200 * SECOND)
    assert air.shown[-1].picture == "item"


def test_returns_a_minute_apart_go_on_for_ever() -> None:
    air = Air((live(None),), gaps(*((at, at + 2) for at in range(10, 300, 40)))).run(310)
    assert [kind for kind, *_ in air.lost()] == ["live_lost", "live_back"] * 8


def test_a_live_item_begins_at_its_time_without_its_input_and_is_joined_with_its_first_picture() -> None:
    air = Air((CLIP, live(20), NEXT), lambda frame: frame >= 8 * SECOND).run(25)
    assert air.of("item_start") == [
        ("item_start", "arm", 0, None),
        ("item_start", "follow", 50, None),
        ("item_start", "follow", 550, None),
    ]
    assert air.lost() == [("live_lost", "live lost", 50, None), ("live_back", "live back", 200, 150)]
    assert air.of("item_end")[1] == ("item_end", "ended", 550, 500)


def test_an_input_lost_for_good_costs_nothing_but_its_item() -> None:
    air = Air((live(20), NEXT), gaps((5, 100))).run(22)
    assert air.lost() == [("live_lost", "live lost", 163, None), ("live_back", "ended", 500, 337)]
    assert air.of("item_end")[0] == ("item_end", "ended", 500, 500)
    assert air.shown[500].airing is not None
    assert air.shown[500].airing.item.id == "next"


def test_a_take_out_of_a_lost_input_closes_its_facts() -> None:
    air = Air((live(None), NEXT), gaps((5, 100))).run(10)
    air.clock.take(None, "anna")
    air.run(1)
    assert air.lost()[-1][:3] == ("live_back", "take", 250)
    assert air.shown[-1].picture == "item"


def test_it_is_connected_half_a_minute_ahead_and_says_how_that_goes() -> None:
    clip = Item("clip", "clip", path="/clip.mp4", duration_frames=60 * SECOND)
    air = Air((clip, live(20)), lambda frame: frame > 40 * SECOND)
    for until, state in ((20, "idle"), (35, "connecting"), (50, "ready")):
        air.run(until - len(air.shown) / SECOND)
        coming = air.clock.next_item(air.view)
        assert coming is not None
        assert coming.live is not None
        assert (coming.live.state, coming.ready) == (state, state == "ready")
    air.run(15)
    assert air.clock.on_air is not None
    assert air.clock.on_air.live is not None
    assert air.clock.on_air.live.state == "ready"


def test_a_take_of_an_input_that_is_not_there_is_refused_with_the_reason() -> None:
    air = Air((Item("clip", "clip", path="/c.mp4", duration_frames=500), live(None)), lambda _frame: False).run(1)
    with pytest.raises(Refused) as refused:
        air.clock.take(None, "anna")
    assert refused.value.code == "target_not_ready"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), max_size=12))
def test_every_frame_is_of_the_input_or_counted_as_lost(spans: list[tuple[int, int]]) -> None:
    """``spans``: frames with the input, then frames without, in turn."""
    there = [is_there for present, absent in spans for is_there in [True] * present + [False] * absent]
    air = Air((live(40), NEXT), lambda frame: frame >= len(there) or there[frame]).run(41)
    marks = air.lost()
    assert [kind for kind, *_ in marks] == ["live_lost", "live_back"] * (len(marks) // 2)
    away = {
        at for (_, _, lost, _), (_, _, back, _) in zip(marks[::2], marks[1::2], strict=True) for at in range(lost, back)
    }
    assert sum(frames or 0 for *_, frames in marks) == len(away)
    assert {shown.frame for shown in air.shown if shown.action == "slate"} == away
    assert air.of("item_end")[0] == ("item_end", "ended", 1000, 1000)
    for shown in air.shown[:1000]:
        assert shown.action != "source" or shown.frame >= len(there) or there[shown.frame]


def test_an_item_that_ends_while_its_input_is_lost_leaves_the_ladder_until_the_next_is_there() -> None:
    """Its last picture is long gone: what stands then is filler, and counts as such."""
    lost_at, over, there = 5 * SECOND, 7 * SECOND, 7 * SECOND + 12
    air = Air((live(7), NEXT), lambda frame: frame < lost_at, next_from=there).run(9)
    assert air.pictures(over, there) == {("filler", "slate", False)}
    assert air.shown[there].airing is not None
    assert air.shown[there].airing.item is NEXT
    assert air.of("item_end", "filler_start") == [
        ("item_end", "ended", over, 7 * SECOND),
        ("filler_start", "ended", over, None),
    ]
