"""Phases, misses, back-off, resume points, placement: the values that decisions are made of."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from supervisor.decisions.phases import TRANSITIONS, IllegalTransition, as_phase, check_transition
from supervisor.decisions.placement import NodeFacts, choose_site
from supervisor.decisions.pulse import Answer, Pulse, Silence
from supervisor.decisions.restarts import BACKOFF, Restarts, backoff
from supervisor.decisions.resume import Position, beginning, said_at_arming
from supervisor.schemas.channel import Phase

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_table_of_phases_is_whole_and_everything_else_raises() -> None:
    phases = set(get_args(Phase))
    assert TRANSITIONS.keys() == phases
    for old in phases:
        for new in phases:
            if new in TRANSITIONS[old]:
                check_transition(old, new)
            else:
                with pytest.raises(IllegalTransition):
                    check_transition(old, new)


def test_off_is_reached_through_a_confirmed_stop_alone() -> None:
    """P2."""
    assert [old for old, new in TRANSITIONS.items() if "off" in new] == ["stopping"]
    with pytest.raises(ValueError, match="paused"):
        as_phase("paused")


def air(frame: int, lost: int = 0, epoch: int = 1) -> Answer:
    return Answer(epoch, "on_air", frame, lost)


@pytest.mark.parametrize(
    ("heard", "misses"),
    [
        ((), 0),
        ((Silence("x"), Silence("x")), 2),
        ((Silence("x"), Silence("x"), air(10)), 0),
        ((air(10), air(35), air(60)), 0),
        ((air(10), air(10), air(10), air(10)), 3),
        ((air(10), air(5)), 1),
        ((air(10), air(10), air(11)), 0),
        ((air(10, epoch=2),), 1),
        ((Answer(1, "muted", 0, 0), Answer(1, "muted", 0, 0)), 0),
        ((air(10), Silence("x"), air(10)), 2),
    ],
)
def test_misses_are_counted_in_a_row(heard: tuple[Answer | Silence, ...], misses: int) -> None:
    """P6: zero at the start; a wrong epoch or no progress is a miss; a good answer clears them."""
    pulse = Pulse(1)
    for one in heard:
        pulse = pulse.after(one, 0.0)
    assert pulse.misses == misses


def test_what_was_missed_while_we_were_away_says_nothing() -> None:
    """P6: the frame from before is forgotten too, so that the next answer cannot look like standing still."""
    pulse = Pulse(1).after(air(10), 0.0).after(Silence("x"), 1.0).after(Silence("x"), 2.0).cleared()
    assert pulse.misses == 0
    assert pulse.after(air(10), 40.0).misses == 0


def test_late_frames_are_remembered_with_their_time() -> None:
    pulse = Pulse(1).after(air(10, lost=4), 1.0)
    assert pulse.late_at is None
    pulse = pulse.after(air(35, lost=5), 2.0)
    assert pulse.late_at == 2.0
    assert pulse.after(air(60, lost=5), 3.0).late_at == 2.0


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_backoff_is_bounded_and_never_ends(failures: int, jitter: float) -> None:
    """P1."""
    step = BACKOFF[min(failures, len(BACKOFF)) - 1]
    assert step / 2 <= backoff(failures, jitter) <= step <= 10.0


def test_the_first_restart_is_immediate_and_a_good_spell_makes_it_so_again() -> None:
    restarts = Restarts().failed(100.0, "x", 0.9, item_id=None)
    assert restarts.not_before == 100.0
    restarts = restarts.failed(101.0, "x", 0.5, item_id=None)
    assert (restarts.wait, restarts.not_before) == (0.75, 101.75)
    short = restarts.on_air(102.0, "a", good_spell=60.0, forgive=600.0)
    assert short.on_air(161.9, "b", good_spell=60.0, forgive=600.0).failures == 2
    well = short.on_air(162.0, "b", good_spell=60.0, forgive=600.0)
    assert (well.failures, well.cause) == (0, "")
    assert well.failed(163.0, "y", 0.5, item_id=None).not_before == 163.0


def test_an_item_is_suspected_acquitted_and_forgiven() -> None:
    restarts = Restarts().failed(0.0, "x", 0.0, item_id="bad")
    assert not restarts.skipped
    restarts = restarts.failed(5.0, "x", 0.0, item_id="bad")
    assert restarts.skipped == {"bad"}
    assert restarts.left_out(["bad", "good"]) == frozenset()
    assert restarts.left_out(["bad"]) == {"bad"}
    assert restarts.failed(9.0, "x", 0.0, item_id="bad").left_out(["bad", "good"]) == {"bad"}
    assert not restarts.edited().skipped
    on = restarts.on_air(10.0, "bad", good_spell=60.0, forgive=600.0)
    assert on.on_air(69.0, "bad", good_spell=60.0, forgive=600.0).skipped
    assert not on.on_air(70.0, "bad", good_spell=60.0, forgive=600.0).skipped
    other = restarts.on_air(10.0, "good", good_spell=60.0, forgive=600.0)
    assert other.on_air(500.0, "good", good_spell=60.0, forgive=600.0).skipped
    assert not other.on_air(605.0, "good", good_spell=60.0, forgive=600.0).skipped


def test_an_item_that_another_followed_is_acquitted() -> None:
    """P1: short items never play for a good spell; that they play out clears them as well."""
    twice = Restarts().failed(0.0, "x", 0.0, item_id="short").failed(5.0, "x", 0.0, item_id="short")
    on = twice.on_air(10.0, "short", good_spell=60.0, forgive=600.0)
    assert on.on_air(14.0, "short", good_spell=60.0, forgive=600.0).skipped == {"short"}
    assert not on.on_air(15.0, "next", good_spell=60.0, forgive=600.0).skipped
    again = on.failed(15.0, "x", 0.0, item_id="short")
    assert again.on_air(16.0, "next", good_spell=60.0, forgive=600.0).skipped == {"short"}


def test_what_is_reprieved_is_suspected_again_by_one_more_failure() -> None:
    """P1."""
    restarts = Restarts()
    for at, item in enumerate("aabbb"):
        restarts = restarts.failed(float(at), "x", 0.0, item_id=item)
    assert restarts.left_out("ab") == {"a", "b"}
    restarts = restarts.reprieved()
    assert (restarts.left_out("ab"), restarts.skipped) == (frozenset(), frozenset())
    restarts = restarts.failed(9.0, "x", 0.0, item_id="b")
    assert (restarts.left_out("ab"), restarts.skipped) == (frozenset(), {"b"})


LIST = Playlist(
    revision=1,
    items=tuple(Item(id=name, title=name.upper(), kind="slate", duration_frames=100) for name in "abc"),
    after_last="loop",
)


@pytest.mark.parametrize(
    ("policy", "last", "away_s", "skipped", "resume"),
    [
        ("continue", None, 0, "", None),
        ("continue", ("b", 40), 9999, "", ("b", 40)),
        ("continue", ("gone", 40), 0, "", None),
        ("schedule", ("a", 40), 2, "", ("a", 90)),
        ("schedule", ("a", 40), 3, "", ("b", 15)),
        ("schedule", ("a", 40), 12, "", ("a", 40)),
        ("schedule", ("a", 40), -5, "", ("a", 40)),
        ("continue", ("b", 40), 0, "b", ("c", 0)),
        ("continue", ("c", 40), 0, "c", ("a", 0)),
        ("continue", ("b", 40), 0, "bc", ("a", 0)),
        ("continue", None, 0, "a", ("b", 0)),
        ("schedule", ("a", 40), 3, "b", ("c", 0)),
        ("continue", ("b", 40), 0, "abc", ("b", 40)),
    ],
)
def test_where_a_start_begins(
    policy: str, last: tuple[str, int] | None, away_s: int, skipped: str, resume: tuple[str, int] | None
) -> None:
    """P1: by policy, at 25 frames a second; after an item that brought the engine down."""
    position = None if last is None else Position(*last, NOW - timedelta(seconds=away_s))
    begin = beginning("schedule" if policy == "schedule" else "continue", LIST, position, set(skipped), "25", NOW)
    assert begin.resume == (None if resume is None else ResumePoint(*resume))
    assert begin.item_id == (resume[0] if resume else "a")
    assert begin.sentence


def test_what_an_arm_adds_to_the_start() -> None:
    """P1: a sidecar may have waited muted for long; the instant it is told is that of the very frame it is told."""
    seen = Position("a", 40, NOW - timedelta(seconds=3, milliseconds=15))
    late = beginning("schedule", LIST, seen, set(), "25", NOW)
    assert (late.resume, late.at) == (ResumePoint("b", 15), NOW - timedelta(milliseconds=15))
    assert said_at_arming(ResumePoint("b", 15), late) == late, "the list goes on until the air is entered"
    goes_on = beginning("continue", LIST, seen, set(), "25", NOW)
    assert goes_on.at is None
    assert said_at_arming(ResumePoint("a", 40), goes_on) is None
    assert said_at_arming(ResumePoint("a", 30), goes_on) == goes_on
    assert said_at_arming(None, goes_on) == goes_on
    assert said_at_arming(ResumePoint("a", 40), beginning("schedule", LIST, None, set(), "25", NOW)) is None


def test_a_place_told_at_another_rate_is_the_same_place() -> None:
    """The channel's rate was changed while it was off: 40 frames at 50 a second are 20 at 25."""
    begin = beginning("continue", LIST, Position("a", 41, NOW, "50"), set(), "25", NOW)
    assert begin.resume == ResumePoint("a", 20)


def test_what_the_list_cannot_tell_is_continued_and_said() -> None:
    held = Playlist(
        revision=1, items=(LIST.items[0], Item(id="b", title="B", kind="slate", duration_frames=9, start_mode="hold"))
    )
    begin = beginning("schedule", held, Position("a", 40, NOW - timedelta(hours=1)), set(), "25", NOW)
    assert begin.resume == ResumePoint("a", 40)
    assert "cannot tell" in begin.sentence
    assert beginning("continue", Playlist(revision=1), None, set(), "25", NOW).sentence == "the list is empty: filler"


def node(name: str, *, driven: bool = True, draining: bool = False, others: int = 0) -> NodeFacts:
    return NodeFacts(name, name, "answers" if driven else "undriven", draining, 2, others)


@pytest.mark.parametrize(
    ("nodes", "wanted", "placed", "site", "why_not"),
    [
        ([], None, None, None, ""),
        ([node("a")], None, None, "a", ""),
        ([node("a", others=1), node("b")], None, None, "b", ""),
        ([node("a", others=1), node("b")], None, "a", "a", ""),
        ([node("a", others=1), node("b")], "a", None, "a", ""),
        ([node("a")], "gone", None, "gone", "not known"),
        ([node("a", driven=False)], None, None, "a", "no agent"),
        ([node("a", draining=True)], None, None, "a", "drains"),
        ([node("a", draining=True)], None, "a", "a", ""),
        ([node("a", others=2)], None, None, "a", "full: 2 of 2"),
        ([node("a", others=2)], None, "a", "a", ""),
        ([node("a", others=2)], "a", "a", "a", ""),
        ([node("a", others=2), node("b", draining=True)], None, None, "a", "drains"),
    ],
)
def test_where_a_channel_is_placed(
    nodes: list[NodeFacts], wanted: str | None, placed: str | None, site: str | None, why_not: str
) -> None:
    found = choose_site(nodes, wanted, placed)
    assert (found and found.node_id) == site
    if found is not None:
        assert why_not in found.why_not
        assert bool(found.why_not) == bool(why_not)
