"""Any list with times of day, any media, any commands, any lateness: one source a frame, and forecasts that hold."""

from collections.abc import Callable
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.protocol.channel import Item, Playlist, ResumePoint, Rules
from sidecar.rundown.clock import Done, RundownClock
from sidecar.rundown.forecast import advance, forecast
from sidecar.rundown.wall import Wall
from tests.long import examples
from tests.unit.rundown_world import Media, World
from tests.unit.test_rundown_properties import MAY_REFUSE, media, refusal_of

NAMES = [f"i{n}" for n in range(7)]
NOON = 1_700_000_000_000_000_000
NS = 1_000_000_000
RATES = [Fraction(5), Fraction(25), Fraction(30000, 1001)]

instants = st.integers(-5_000, 25_000).map(lambda ms: NOON + ms * 1_000_000)


@st.composite
def items(draw: st.DrawFn, name: str, *, steady: bool) -> Item:
    start = draw(st.sampled_from(["follow", "follow", "fixed"] if steady else ["follow", "follow", "fixed", "hold"]))
    kinds = ["clip", "clip", "slate", "comment"] if steady else ["clip", "clip", "live", "slate", "comment"]
    block = draw(st.sampled_from([None, None, None, "x"]))
    return Item(
        id=name,
        title=name,
        path="/a",
        kind=draw(st.sampled_from(kinds)),  # type: ignore[arg-type]  # drawn as text
        duration_frames=draw(st.integers(1, 90) if steady else st.one_of(st.integers(1, 90), st.none())),
        start_mode=start,  # type: ignore[arg-type]  # drawn as text
        fixed_at_ns=draw(instants) if start == "fixed" else None,
        fixed_kind=draw(st.sampled_from(["hard", "hard", "soft"])),
        late_policy=draw(st.sampled_from(["now", "now", "drop"] if steady else ["now", "join", "drop"])),
        late_limit_ms=draw(st.sampled_from([0, 0, 2_000])),
        end_mode=draw(st.sampled_from(["duration"] * 4 + ["at"] + ([] if steady else ["take"]))),
        end_at_ns=draw(instants),
        before_fixed=draw(st.sampled_from(["truncate", "drop", "run_on"])),
        expendable=draw(st.booleans()),
        hold_show=draw(st.sampled_from(["last_frame", "slate", "loop"])),
        hold_timeout_ms=draw(st.sampled_from([None, 0, 1_000])),
        repeat=draw(st.sampled_from([1, 1, 1, 2, 3] if steady else [1, 1, 1, 2, 0])),
        block=block,
        block_until_ns=draw(instants) if block else None,
        dropped=draw(st.sampled_from([False, False, False, True])),
    )


filler = st.lists(st.sampled_from(["p", "q"]), unique=True).map(
    lambda names: tuple(Item(id=name, title=name, path="/a", duration_frames=20) for name in names)
)
rules = st.builds(
    Rules,
    hold_timeout_ms=st.sampled_from([0, 2_000, 300_000]),
    hold_fallback=st.sampled_from(["filler", "next", "slate"]),
    fixed_ends_hold=st.booleans(),
    ladder=st.lists(st.sampled_from(["last_frame", "slate", "filler", "live", "next"]), min_size=1, max_size=4).map(
        tuple
    ),
    ladder_first_ms=st.sampled_from([0, 1_000, 3_000]),
    ladder_next_ms=st.sampled_from([0, 1_000]),
    filler=filler,
    standby=st.sampled_from([None, Item(id="e", title="e", path="/a", duration_frames=15)]),
)


@st.composite
def days(draw: st.DrawFn, *, revision: int = 1, steady: bool = False) -> Playlist:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1 if steady else 0))
    drawn = tuple(draw(items(name, steady=steady)) for name in names)
    return Playlist(revision, drawn, draw(st.sampled_from(["loop", "filler", "hold"])), draw(rules))


VERBS: dict[str, Callable[[RundownClock], Done]] = {
    "take": lambda c: c.take(None, "op"),
    "take again": lambda c: c.take(None, "op"),
    "skip": lambda c: c.skip("op"),
    "recue": lambda c: c.recue("op"),
    "hold": lambda c: c.hold("op"),
    "play": lambda c: c.play("op"),
    "pause": lambda c: c.pause("op"),
    "resume": lambda c: c.resume("op"),
    "standby": lambda c: c.standby("op"),
    "rejoin": lambda c: c.rejoin("op"),
}


@st.composite
def commands(draw: st.DrawFn) -> Callable[[RundownClock], Done]:
    """Draws no more than the verb needs: a day is dear, and most verbs need none."""
    verb = draw(st.sampled_from([*VERBS, "cue", "drop", "undrop", "adjust", "playlist"]))
    match verb:
        case "cue" | "drop" | "undrop":
            name = draw(st.sampled_from(NAMES))
            return lambda c: getattr(c, verb)(name, "op")  # type: ignore[no-any-return]  # a Done, by each of the three
        case "adjust":
            ms = draw(st.sampled_from([-30_000, -1_000, 1_000, 30_000]))
            return lambda c: c.adjust(ms, "op")
        case "playlist":
            new = draw(days(revision=draw(st.integers(1, 3))))
            return lambda c: c.replace_playlist(new, "op")
        case _:
            return VERBS[verb]


pytestmark = pytest.mark.timeout(600)  # some forty seconds alone


@settings(max_examples=examples(200), deadline=None)
@given(
    first=days(),
    rate=st.sampled_from(RATES),
    resume=st.one_of(st.none(), st.builds(ResumePoint, st.sampled_from(NAMES), st.integers(0, 80))),
    behaviour=st.fixed_dictionaries(dict.fromkeys([*NAMES, "p", "q", "e"], media)),
    script=st.lists(st.tuples(st.integers(0, 60), st.integers(-20, 200), commands()), max_size=15),
    tail=st.integers(1, 300),
)
def test_every_frame_has_one_source_whatever_the_time_and_whatever_comes(
    first: Playlist,
    rate: Fraction,
    resume: ResumePoint | None,
    behaviour: dict[str, Media],
    script: list[tuple[int, int, Callable[[RundownClock], Done]]],
    tail: int,
) -> None:
    """``script``: after how many frames the time of day jumps by how many, and what is said then."""
    world = World(first, lambda item: behaviour[item.id], rate, resume, wall_ns=NOON)
    for wait, jump, command in script:
        world.run(wait)
        world.skipped += max(0, jump - 150) * 5 if jump > 0 else jump
        standby = world.clock.picture != "standby" and world.clock.frame > 0
        refused = refusal_of(world, command)
        assert refused is None or (refused.code in {*MAY_REFUSE, "invalid"} and refused.detail)
        if standby and world.clock.frame % 7 == 0:
            assert world.do(lambda clock: clock.standby("op")).sentence
        world.clock.next_item(world.sources)
    world.run(tail)
    world.stop()


@settings(max_examples=examples(200), deadline=None)
@given(first=days(steady=True), rate=st.sampled_from(RATES))
def test_predicted_starts_are_the_actual_ones_when_nothing_disturbs(first: Playlist, rate: Fraction) -> None:
    world = World(first, rate=rate, wall_ns=NOON)
    world.clock.prepare(world.sources, NOON)
    world.open_all()
    predicted = forecast(first, wall=Wall(NOON, rate))
    world.run(900)
    begun = {(fact.airing.item.id, fact.frame) for fact in world.of("item_start") if fact.airing}
    for fact in world.of("item_start"):
        assert fact.predicted in (None, fact.frame), "what each says of the next holds too"
    for one in predicted:
        if one.in_frames is not None and one.in_frames < 900:
            assert (one.item_id, one.in_frames) in begun
        elif one.in_frames is None and first.after_last == "filler" and one.passed:
            assert one.item_id not in {name for name, _ in begun}
    assert not [shown for shown in world.shown if shown.late]


@settings(max_examples=examples(150), deadline=None)
@given(first=days(steady=True), lead=st.integers(1, 100), frames=st.integers(0, 400))
def test_advance_is_where_the_clock_is_by_then(first: Playlist, lead: int, frames: int) -> None:
    world = World(first, wall_ns=NOON).run(lead)
    before = world.shown[-1]
    if before.picture != "item" or before.airing is None or before.airing.item.repeat != 1:
        return
    now = world.wall(before.frame)
    assert now is not None
    spot = ResumePoint(before.airing.item.id, before.position)
    plain = msgspec.structs.replace(first, items=tuple(item for item in first.items))
    point = advance(plain, spot, frames, wall=Wall(now, world.rate))
    after = world.run(frames).shown[-1]
    fixed = any(item.start_mode == "fixed" for item in first.items)
    if point is not None and not (fixed and first.after_last == "loop"):
        assert after.airing is not None
        assert (after.airing.item.id, after.position) == (point.item_id, point.frame)


def test_that_what_is_on_air_may_change_soon_is_told() -> None:
    """Its end, a fixed start, an end by the time of day; and that nobody knows."""
    at = NOON + 4 * NS
    plain = Item("a", "a", path="/a", duration_frames=150)
    fixed = Item("b", "b", path="/a", duration_frames=50, start_mode="fixed", fixed_at_ns=at)
    ends = msgspec.structs.replace(plain, end_mode="at", end_at_ns=at)
    unknown = msgspec.structs.replace(plain, duration_frames=None)
    for items, until in (((plain,), 150), ((plain, fixed), 100), ((ends,), 100)):
        world = World(Playlist(1, items, "filler"), rate=Fraction(25), wall_ns=NOON).run(10)
        left = until - world.clock.frame
        assert not world.clock.may_change_within(left - 2)
        assert world.clock.may_change_within(left + 2)
    world = World(Playlist(1, (unknown,), "filler"), lambda item: Media(frames=150), Fraction(25), wall_ns=NOON).run(10)
    assert world.clock.may_change_within(1)
