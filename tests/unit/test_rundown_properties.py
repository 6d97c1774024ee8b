"""Any list, any media, any commands: every frame has one source, and the as-run adds up (P1, P4)."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.rundown.clock import Done, Refused, RundownClock
from sidecar.rundown.forecast import advance, forecast
from tests.long import examples
from tests.unit.rundown_world import Media, World

NAMES = [f"i{n}" for n in range(6)]
RATES = [Fraction(5), Fraction(25), Fraction(30000, 1001)]
MAY_REFUSE = {"take_guard", "nothing_to_take", "target_changed", "target_not_ready", "no_such_item", "stale_revision",
              "not_armed"}  # fmt: skip

counts = st.integers(0, 40)
media = st.builds(
    Media,
    opens_after=st.one_of(st.just(0), st.just(0), counts, st.just(None)),
    frames=st.one_of(st.none(), counts),
    fails_at=st.one_of(st.none(), st.none(), counts),
    dry_at=st.one_of(st.none(), counts),
    dry_for=st.integers(0, 120),
)


@st.composite
def playlists(draw: st.DrawFn, *, revision: int = 1, steady: bool = False) -> Playlist:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1 if steady else 0))
    items = tuple(
        Item(
            id=name,
            title=name,
            path=f"/{draw(st.sampled_from('ab'))}" if not steady else "/a",
            kind="clip" if steady else draw(st.sampled_from(["clip", "clip", "clip", "slate"])),
            duration_frames=draw(st.one_of(st.integers(1, 60), st.integers(1, 60), st.none())),
            start_mode=draw(st.sampled_from(["follow", "follow", "follow", "hold"])),
        )
        for name in names
    )
    return Playlist(revision, items, draw(st.sampled_from(["loop", "filler", "hold"])))


@st.composite
def commands(draw: st.DrawFn) -> Callable[[RundownClock], Done]:
    name = draw(st.sampled_from(NAMES))
    expect = draw(st.one_of(st.none(), st.sampled_from(NAMES)))
    new = draw(playlists(revision=draw(st.integers(0, 4))))
    return draw(
        st.sampled_from(
            [
                lambda c: c.take(expect, "op"),
                lambda c: c.take(None, "op"),
                lambda c: c.skip("op"),
                lambda c: c.cue(name, "op"),
                lambda c: c.cue(None, "op"),
                lambda c: c.hold("op"),
                lambda c: c.play("op"),
                lambda c: c.pause("op"),
                lambda c: c.resume("op"),
                lambda c: c.standby("op"),
                lambda c: c.rejoin("op"),
                lambda c: c.replace_playlist(new, "op"),
            ]
        )
    )


@settings(max_examples=examples(250), deadline=None)
@given(
    first=playlists(),
    rate=st.sampled_from(RATES),
    resume=st.one_of(st.none(), st.builds(ResumePoint, st.sampled_from(NAMES), st.integers(0, 80))),
    behaviour=st.fixed_dictionaries(dict.fromkeys(NAMES, media)),
    script=st.lists(st.tuples(st.integers(0, 60), commands()), max_size=25),
    tail=st.integers(1, 400),
)
def test_every_frame_has_one_source_whatever_comes(
    first: Playlist,
    rate: Fraction,
    resume: ResumePoint | None,
    behaviour: dict[str, Media],
    script: list[tuple[int, Callable[[RundownClock], Done]]],
    tail: int,
) -> None:
    world = World(first, lambda item: behaviour[item.id], rate, resume)
    for wait, command in script:
        world.run(wait)
        refused = refusal_of(world, command)
        assert refused is None or (refused.code in MAY_REFUSE and refused.detail)
        world.clock.next_item(world.sources)
    world.run(tail)
    world.stop()


@settings(max_examples=examples(150), deadline=None)
@given(first=playlists(steady=True), hold=st.booleans(), lead=st.integers(0, 80))
def test_predicted_starts_are_the_actual_ones_when_nothing_disturbs(first: Playlist, hold: bool, lead: int) -> None:
    world = World(first).run(lead)
    on_air = world.clock.on_air
    if world.clock.picture != "item" or on_air is None:
        predicted = forecast(first) if lead == 0 else ()
    else:
        predicted = forecast(first, ResumePoint(on_air.airing.item.id, on_air.position), hold=hold)
        if hold:
            world.do(lambda clock: clock.hold("op"))
    start = world.clock.frame
    world.run(3 * 60 * len(first.items))
    for one in predicted:
        if one.in_frames is None:
            begins = [f for f in world.of("item_start") if f.airing and f.airing.item.id == one.item_id]
            assert all(begin.frame < start for begin in begins)
        else:
            assert any(
                fact.frame == start + one.in_frames
                for fact in world.of("item_start")
                if fact.airing and fact.airing.item.id == one.item_id
            )


@settings(max_examples=examples(200), deadline=None)
@given(first=playlists(steady=True), lead=st.integers(1, 100), frames=st.integers(0, 500))
def test_advance_is_where_the_clock_is_by_then(first: Playlist, lead: int, frames: int) -> None:
    world = World(first).run(lead)
    before = world.shown[-1]
    if before.picture != "item" or before.airing is None:
        return
    point = advance(first, ResumePoint(before.airing.item.id, before.position), frames)
    after = world.run(frames).shown[-1]
    if point is None:
        unknown = before.airing.item.duration_frames is None
        assert after.picture != "item" or unknown or any(item.duration_frames is None for item in first.items)
    else:
        assert after.picture == "item"
        assert after.airing is not None
        assert (after.airing.item.id, after.position) == (point.item_id, point.frame)


@settings(max_examples=examples(60), deadline=None)
@given(first=playlists(steady=True), lead=st.integers(1, 60), frames=st.integers(10**8, 10**9))
def test_advance_over_years_is_the_same_as_over_the_rest_of_a_round(first: Playlist, lead: int, frames: int) -> None:
    items = tuple(msgspec.structs.replace(item, start_mode="follow", duration_frames=7) for item in first.items)
    whole = replace_list(first, items)
    start = ResumePoint(items[0].id, lead % 7)
    assert advance(whole, start, frames) == advance(whole, start, frames % (7 * len(items)))


def refusal_of(world: World, command: Callable[[RundownClock], Done]) -> Refused | None:
    try:
        world.do(command)
    except Refused as refused:
        return refused
    return None


def replace_list(playlist: Playlist, items: tuple[Item, ...]) -> Playlist:
    return Playlist(playlist.revision, items, "loop")


@settings(max_examples=examples(100), deadline=None)
@given(
    first=playlists(steady=True),
    behaviour=st.fixed_dictionaries(dict.fromkeys(NAMES, media)),
    frames=st.integers(1, 1500),
)
def test_a_broken_list_costs_bounded_records_and_never_rests(
    first: Playlist, behaviour: dict[str, Media], frames: int
) -> None:
    """P1: nothing here may play for a whole second, so the channel is on filler, and goes on trying."""
    broken = {name: replace(one, frames=min(one.frames or 0, 4), dry_at=None) for name, one in behaviour.items()}
    items = tuple(msgspec.structs.replace(item, start_mode="follow", duration_frames=50) for item in first.items)
    world = World(Playlist(1, items, "loop"), lambda item: broken[item.id]).run(frames)
    assert len(world.facts) <= 10 + 40 * len(items)
    world.run(1000)
    tried = {airing.item.id for airing in world.clock.wanted()} | {
        fact.airing.item.id for fact in world.facts if fact.airing
    }
    assert tried == {item.id for item in items}
