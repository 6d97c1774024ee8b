"""What the operator gets from the rundown clock, case by case (P1, P4, P8)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sidecar.protocol.channel import Item, ResumePoint
from sidecar.rundown.clock import Done, Refused, RundownClock
from tests.unit.rundown_world import Media, World, clip, rundown

A, B, C = clip("a"), clip("b"), clip("c")
SECOND = 25


def behaving(**media: Media) -> Callable[[Item], Media]:
    return lambda item: media.get(item.id, Media())


def refusal(world: World, command: Callable[[RundownClock], Done]) -> Refused:
    with pytest.raises(Refused) as caught:
        world.do(command)
    return caught.value


class TestSeams:
    def test_frame_zero_follows_the_last_frame_at_the_next_tick(self) -> None:
        world = World(rundown(A, B, C, after="loop")).run(65)
        assert [shown.position for shown in world.shown] == [*range(10)] * 6 + [*range(5)]
        assert {shown.action for shown in world.shown} == {"source"}
        assert [fact.cause for fact in world.of("item_start")] == [
            "arm",
            *["follow"] * 2,
            "loop",
            *["follow"] * 2,
            "loop",
        ]
        assert {fact.cause for fact in world.of("item_end")} == {"ended"}
        assert len({fact.airing.number for fact in world.of("item_start") if fact.airing}) == 7

    def test_an_item_of_unknown_length_ends_with_its_source(self) -> None:
        world = World(rundown(clip("a", None), B), behaving(a=Media(frames=17))).run(20)
        assert world.titles() == ["a", "b"]
        assert world.of("item_end")[0].frames == 17
        assert world.of("item_end")[0].cause == "ended"

    def test_a_source_that_ends_early_is_told_with_the_count(self) -> None:
        world = World(rundown(clip("a", 100), B), behaving(a=Media(frames=60))).run(70)
        assert world.titles() == ["a", "b"]
        end = world.of("item_end")[0]
        assert (end.cause, end.frames, end.detail) == ("ended early", 60, "ended after 60 of 100 frames")

    def test_a_late_next_is_bridged_by_the_last_picture_and_counted(self) -> None:
        world = World(rundown(A, B), behaving(b=Media(opens_after=14))).run(40)
        late = [shown.frame for shown in world.shown if shown.late]
        assert late == [*range(10, 15)]
        assert world.of("late")[0].frames == 5
        assert world.of("item_end")[0].late == 5
        assert world.titles()[:2] == ["a", "b"]

    def test_a_next_that_never_opens_is_passed_over_after_three_seconds(self) -> None:
        world = World(rundown(A, B, C), behaving(b=Media(opens_after=None))).run(120)
        assert [shown.late for shown in world.shown].count(True) == 3 * SECOND
        assert world.titles()[:3] == ["a", "filler", "c"]
        skipped = world.of("item_skipped")[0]
        assert skipped.airing is not None
        assert (skipped.airing.item.id, skipped.cause) == ("b", "no data")

    def test_a_hung_next_is_found_out_before_its_turn(self) -> None:
        world = World(rundown(clip("a", 20 * SECOND), B, C), behaving(b=Media(opens_after=None))).run(21 * SECOND)
        assert world.titles()[:2] == ["a", "c"]
        assert not [shown for shown in world.shown if shown.late]

    def test_the_slate_is_an_item_like_any_other(self) -> None:
        world = World(rundown(A, clip("s", 5, kind="slate"), B)).run(25)
        assert world.titles() == ["a", "s", "b"]
        assert [shown.action for shown in world.shown[10:15]] == ["slate"] * 5
        assert world.clock.wanted()


class TestTrouble:
    def test_a_read_that_hangs_is_three_seconds_of_last_picture_then_filler_then_the_next(self) -> None:
        hangs = Media(dry_at=100, dry_for=10_000)
        world = World(rundown(clip("a", 1000), B), behaving(a=hangs)).run(100 + 3 * SECOND + 1)
        assert [shown.late for shown in world.shown[100:]] == [True] * 3 * SECOND + [False]
        assert world.titles() == ["a", "b"]
        assert world.of("item_end")[0].cause == "no data"

    def test_without_a_ready_next_the_channel_is_on_filler_and_says_why(self) -> None:
        world = World(rundown(clip("a", 1000), B), behaving(a=Media(fails_at=100), b=Media(opens_after=120))).run(110)
        assert world.titles() == ["a", "filler"]
        assert world.shown[-1].reason == "a: planted"
        assert world.of("filler_start")[0].cause == "failed"
        world.until(lambda shown: shown.picture == "item")
        assert world.titles() == ["a", "filler", "b"]

    def test_a_missing_next_is_replaced_while_there_is_time(self) -> None:
        world = World(rundown(clip("a", 100), B, C), behaving(b=Media(fails_at=0))).run(105)
        assert world.titles() == ["a", "c"]
        assert world.of("item_skipped")[0].detail == "planted"

    def test_a_file_that_arrives_before_its_turn_airs(self) -> None:
        arrived = False
        world = World(
            rundown(clip("a", 60 * SECOND), B, C), lambda item: Media(fails_at=None if arrived or item.id != "b" else 0)
        ).run(10 * SECOND)
        arrived = True
        world.run(51 * SECOND)
        assert world.titles() == ["a", "b", "c", "filler"][: len(world.titles())]
        assert "b" in world.titles()
        assert not world.of("item_skipped")

    def test_a_list_with_nothing_playable_is_filler_and_is_tried_every_two_seconds(self) -> None:
        world = World(rundown(A, after="loop"), behaving(a=Media(fails_at=0))).run(60 * SECOND)
        assert world.titles() == ["filler"]
        assert len(world.of("item_skipped")) == 1, "the same news is told once"
        tried = {a.number for a in world.clock.wanted()} | set(world.opened)
        world.run(3 * SECOND)
        assert {a.number for a in world.clock.wanted()} | set(world.opened) != tried

    @pytest.mark.parametrize("after", ["loop", "filler", "hold"])
    def test_it_plays_as_soon_as_the_file_can_be_played(self, after: str) -> None:
        broken = True
        world = World(rundown(A, after=after), lambda _item: Media(fails_at=0) if broken else Media()).run(30 * SECOND)
        broken = False
        world.until(lambda shown: shown.picture == "item", within=3 * SECOND)

    def test_an_item_that_breaks_off_at_once_does_not_flicker(self) -> None:
        world = World(rundown(clip("a", 1000), after="loop"), behaving(a=Media(fails_at=3))).run(60 * SECOND)
        assert 3 <= len(world.of("item_start")) <= 12

    def test_at_the_end_of_the_list_all_that_failed_since_something_aired_is_tried_again(self) -> None:
        tried: list[str] = []

        def broken(item: Item) -> Media:
            tried.append(item.id)
            return Media(fails_at={"b": 0, "c": 3}.get(item.id))

        World(rundown(A, B, C), broken).run(60 * SECOND)
        assert tried.count("a") == 1
        assert tried.count("b") > 2
        assert tried.count("c") > 2

    def test_a_zero_length_item_counts_as_failed(self) -> None:
        world = World(rundown(clip("a", None), B), behaving(a=Media(frames=0))).run(10)
        assert [fact.airing.item.id for fact in world.of("item_skipped") if fact.airing] == ["a"]
        assert not [f for f in world.of("item_start") if f.airing and f.airing.item.id == "a"]
        assert world.titles() == ["filler", "b"]

    def test_an_empty_list_is_filler_until_there_is_one(self) -> None:
        world = World(rundown()).run(30)
        assert world.titles() == ["filler"]
        assert world.shown[-1].reason == "the rundown is empty"
        world.do(lambda clock: clock.replace_playlist(rundown(A, revision=2), "op"))
        world.run(3)
        assert world.titles() == ["filler", "a"]

    def test_while_muted_what_cannot_be_played_is_passed_over(self) -> None:
        world = World(rundown(A, B, C), behaving(a=Media(fails_at=0), b=Media(frames=0)))
        for _ in range(3):
            world.clock.prepare(world.sources)
            world.open_all()
        world.run(1)
        assert world.titles() == ["c"]
        assert [fact.kind for fact in world.facts][:2] == ["item_skipped", "item_skipped"]

    def test_a_cue_opens_anew_what_waits_after_a_failure(self) -> None:
        broken = True
        world = World(rundown(A, after="loop"), lambda _item: Media(fails_at=0) if broken else Media()).run(SECOND)
        broken = False
        world.do(lambda clock: clock.cue("a", "op"))
        world.run(2)
        assert world.titles() == ["filler", "a"]


class TestHold:
    def test_a_hold_item_waits_on_the_last_picture_for_a_take(self) -> None:
        world = World(rundown(A, clip("b", start="hold"))).run(40)
        assert world.titles() == ["a", "hold"]
        assert world.shown[-1].reason == "held after a; waits for a take of b"
        assert world.do(lambda clock: clock.take("b", "op")).shows
        assert world.tick().position == 0
        assert world.titles() == ["a", "hold", "b"]
        assert world.of("freeze_end")[0].frames == 30

    def test_hold_is_released_by_play(self) -> None:
        world = World(rundown(A, B)).run(5)
        world.do(lambda clock: clock.hold("op"))
        world.run(20)
        assert world.titles() == ["a", "hold"]
        assert world.clock.is_held
        world.do(lambda clock: clock.play("op"))
        world.run(1)
        assert world.titles() == ["a", "hold", "b"]
        assert not world.clock.is_held

    def test_play_after_a_hold_at_the_end_of_the_list_is_filler(self) -> None:
        world = World(rundown(A)).run(5)
        world.do(lambda clock: clock.hold("op"))
        world.run(20)
        world.do(lambda clock: clock.play("op"))
        world.run(2)
        assert world.titles() == ["a", "hold", "filler"]
        assert world.shown[-1].reason == "the rundown has ended"

    def test_a_hold_only_set_is_released_without_a_trace(self) -> None:
        world = World(rundown(A, B)).run(5)
        world.do(lambda clock: clock.hold("op"))
        world.do(lambda clock: clock.play("op"))
        world.run(10)
        assert world.titles() == ["a", "b"]

    def test_after_the_last_it_holds_until_a_take_begins_the_list_again(self) -> None:
        world = World(rundown(A, B, after="hold")).run(30)
        assert world.titles() == ["a", "b", "hold"]
        world.do(lambda clock: clock.take(None, "op"))
        world.run(1)
        assert world.titles()[-1] == "a"

    def test_a_list_that_begins_with_a_hold_is_filler_until_the_take(self) -> None:
        world = World(rundown(clip("a", start="hold"))).run(5)
        assert world.shown[-1].reason == "waits for a take of a"
        world.do(lambda clock: clock.take(None, "op"))
        world.run(1)
        assert world.titles() == ["filler", "a"]

    def test_a_hold_item_that_cannot_be_played_leaves_its_hold_to_the_next(self) -> None:
        world = World(rundown(A, clip("b", start="hold"), C), behaving(b=Media(fails_at=0))).run(40)
        assert world.titles() == ["a", "hold"]
        assert world.shown[-1].reason == "held after a; waits for a take of c"


class TestTake:
    def test_take_cuts_to_the_next_and_skip_ignores_the_cue(self) -> None:
        world = World(rundown(A, B, C, after="loop")).run(3)
        world.do(lambda clock: clock.cue("c", "op"))
        world.run(1)
        world.do(lambda clock: clock.skip("op"))
        world.run(SECOND - 16)
        assert world.titles() == ["a", "b"]
        assert world.of("item_end")[0].cause == "skip"
        world.run(8)
        assert world.titles() == ["a", "b", "c"], "the cue stayed"

    def test_take_names_who_and_what(self) -> None:
        world = World(rundown(clip("a", 500), B)).run(3)
        done = world.do(lambda clock: clock.take(None, "ada"))
        assert done.sentence == "on air: b"
        shown = world.tick()
        assert [(fact.kind, fact.cause, fact.by) for fact in shown.facts] == [
            ("command", "take", "ada"), ("item_end", "take", "ada"), ("item_start", "take", "ada"),
        ]  # fmt: skip
        assert (shown.frame, shown.position) == (3, 0)

    def test_the_cued_item_airs_and_the_list_goes_on_after_it(self) -> None:
        world = World(rundown(A, B, C, clip("d"))).run(2)
        world.do(lambda clock: clock.cue("c", "op"))
        item = world.clock.next_item(world.sources)
        assert item is not None
        assert (item.item_id, item.cued, item.in_frames_left) == ("c", True, 8)
        world.run(30)
        assert world.titles() == ["a", "c", "d", "filler"]

    def test_a_second_take_within_a_second_is_refused(self) -> None:
        world = World(rundown(*[clip(f"i{n}", 500) for n in range(4)])).run(3)
        world.do(lambda clock: clock.take(None, "op"))
        world.run(SECOND - 1)
        assert refusal(world, lambda clock: clock.take(None, "op")).code == "take_guard"
        assert refusal(world, lambda clock: clock.skip("op")).code == "take_guard"
        world.run(1)
        world.do(lambda clock: clock.take(None, "op"))

    def test_the_target_seen_is_the_target_taken(self) -> None:
        world = World(rundown(A, B, C)).run(3)
        refused = refusal(world, lambda clock: clock.take("c", "op"))
        assert (refused.code, refused.detail) == ("target_changed", "b (b) would go to air, not c")
        world.run(1)
        assert world.titles() == ["a"]

    def test_a_target_still_opening_is_refused_with_how_long(self) -> None:
        world = World(rundown(clip("a", 500), B), behaving(b=Media(opens_after=200))).run(50)
        refused = refusal(world, lambda clock: clock.take(None, "op"))
        assert refused.code == "target_not_ready"
        assert refused.detail.startswith("b is being opened, for 2.0 s now; ready in about 0.2 s")

    def test_nothing_to_take(self) -> None:
        world = World(rundown(A)).run(3)
        assert refusal(world, lambda clock: clock.take(None, "op")).code == "nothing_to_take"

    def test_before_it_is_armed_there_is_no_air_to_command(self) -> None:
        world = World(rundown(A, B))
        assert refusal(world, lambda clock: clock.take(None, "op")).code == "not_armed"

    def test_take_goes_out_of_standby_and_filler_too(self) -> None:
        world = World(rundown(clip("a", 500), B, C)).run(3)
        world.do(lambda clock: clock.standby("op"))
        world.run(3)
        world.do(lambda clock: clock.take(None, "op"))
        world.run(2)
        assert world.titles() == ["a", "standby", "b"]


class TestFreeze:
    def test_a_frozen_picture_runs_on_from_the_same_frame(self) -> None:
        world = World(rundown(clip("a", 20), B)).run(5)
        world.do(lambda clock: clock.pause("op"))
        world.run(50)
        assert {shown.action for shown in world.shown[5:]} == {"repeat"}
        assert {shown.position for shown in world.shown[5:]} == {4}
        assert not [shown for shown in world.shown if shown.late]
        world.do(lambda clock: clock.resume("op"))
        assert world.tick().position == 5
        world.run(15)
        assert world.of("item_end")[0].frames == 70
        assert world.titles() == ["a", "freeze", "a", "b"]

    def test_there_is_nothing_to_freeze_on_filler(self) -> None:
        world = World(rundown()).run(3)
        assert refusal(world, lambda clock: clock.pause("op")).code == "nothing_to_take"


class TestStandby:
    def test_rejoin_returns_to_the_frame_that_should_be_on_air(self) -> None:
        world = World(rundown(clip("a", 100), clip("b", 100), clip("c", 100))).run(50)
        world.do(lambda clock: clock.standby("op"))
        world.run(100)
        assert world.shown[-1].picture == "standby"
        world.do(lambda clock: clock.rejoin("op"))
        shown = world.until(lambda shown: shown.picture == "item")
        assert shown.airing is not None
        assert (shown.airing.item.id, shown.position) == ("b", shown.frame - 100)
        assert shown.frame == 150 + SECOND
        world.run(100 - shown.position)
        assert world.titles()[-1] == "c"

    def test_where_the_arithmetic_cannot_tell_the_interrupted_item_runs_on(self) -> None:
        world = World(rundown(clip("a", 100), clip("b", 100, start="hold"))).run(50)
        world.do(lambda clock: clock.standby("op"))
        world.run(100)
        world.do(lambda clock: clock.rejoin("op"))
        shown = world.until(lambda shown: shown.picture == "item")
        assert shown.airing is not None
        assert (shown.airing.item.id, shown.position) == ("a", 50)

    def test_a_held_item_is_not_left_by_rejoin(self) -> None:
        world = World(rundown(clip("a", 100), clip("b", 100))).run(50)
        world.do(lambda clock: clock.hold("op"))
        world.do(lambda clock: clock.standby("op"))
        world.run(100)
        world.do(lambda clock: clock.rejoin("op"))
        world.run(100)
        assert world.titles() == ["a", "standby", "a", "hold"]

    def test_a_list_that_ended_meanwhile_is_filler(self) -> None:
        world = World(rundown(clip("a", 100))).run(50)
        world.do(lambda clock: clock.standby("op"))
        world.run(100)
        world.do(lambda clock: clock.rejoin("op"))
        world.run(5)
        assert world.titles() == ["a", "standby", "filler"]
        assert world.shown[-1].reason == "the rundown has ended"

    def test_rejoin_without_standby_is_refused(self) -> None:
        world = World(rundown(A)).run(3)
        assert refusal(world, lambda clock: clock.rejoin("op")).code == "nothing_to_take"


@dataclass(frozen=True)
class Edit:
    why: str
    after: tuple[str, ...]
    airs: list[str]


class TestReplacing:
    @pytest.mark.parametrize(
        "edit",
        [
            Edit("an item is added behind", ("a", "b", "x", "c"), ["a", "b", "x", "c"]),
            Edit("the next is removed", ("a", "b", "d"), ["a", "b", "d"]),
            Edit("what is on air is removed: on to its old follower", ("a", "c", "d"), ["a", "b", "c", "d"]),
            Edit("it and its followers are removed: on behind its old predecessor", ("a", "x"), ["a", "b", "x"]),
            Edit("everything is new: from the top", ("x", "y"), ["a", "b", "x", "y"]),
            Edit("the order is turned round", ("d", "c", "b", "a"), ["a", "b", "a"]),
            Edit("it was the last", ("a", "b"), ["a", "b"]),
        ],
        ids=lambda edit: edit.why,
    )
    def test_what_is_on_air_runs_on_and_the_list_goes_on_where_it_should(self, edit: Edit) -> None:
        world = World(rundown(A, B, C, clip("d"))).run(15)
        world.do(lambda clock: clock.replace_playlist(rundown(*map(clip, edit.after), revision=2), "op"))
        world.run(60)
        assert world.titles() == [*edit.airs, "filler"]
        assert not [shown for shown in world.shown if shown.late]

    def test_an_undone_removal_finds_its_place_again(self) -> None:
        world = World(rundown(A, clip("b", 20), C)).run(15)
        world.do(lambda clock: clock.replace_playlist(rundown(A, C, revision=2), "op"))
        world.run(2)
        world.do(lambda clock: clock.replace_playlist(rundown(A, clip("b", 20), clip("x"), C, revision=3), "op"))
        world.run(60)
        assert world.titles() == ["a", "b", "x", "c", "filler"]

    def test_the_next_that_stays_next_is_not_opened_again(self) -> None:
        world = World(rundown(A, B, C)).run(5)
        before = world.clock.wanted()
        world.do(lambda clock: clock.replace_playlist(rundown(A, B, clip("x"), revision=2), "op"))
        assert world.clock.wanted() == before

    def test_a_cue_survives_when_its_item_does(self) -> None:
        world = World(rundown(A, B, C)).run(5)
        world.do(lambda clock: clock.cue("c", "op"))
        world.do(lambda clock: clock.replace_playlist(rundown(C, A, B, revision=2), "op"))
        item = world.clock.next_item(world.sources)
        assert item is not None
        assert (item.item_id, item.cued) == ("c", True)
        world.do(lambda clock: clock.replace_playlist(rundown(A, B, revision=3), "op"))
        item = world.clock.next_item(world.sources)
        assert item is not None
        assert (item.item_id, item.cued) == ("b", False)

    def test_an_older_revision_and_an_id_twice_are_refused(self) -> None:
        world = World(rundown(A, revision=5)).run(1)
        assert refusal(world, lambda c: c.replace_playlist(rundown(B, revision=4), "op")).code == "stale_revision"
        assert refusal(world, lambda c: c.replace_playlist(rundown(A, A, revision=6), "op")).code == "invalid"

    def test_items_added_after_the_list_ended_air(self) -> None:
        world = World(rundown(A)).run(30)
        world.do(lambda clock: clock.replace_playlist(rundown(A, B, revision=2), "op"))
        world.run(3)
        assert world.titles() == ["a", "filler", "b"]


class TestResume:
    def test_it_begins_at_item_and_frame(self) -> None:
        world = World(rundown(A, clip("b", 100), C), resume=ResumePoint("b", 60)).run(41)
        assert world.shown[0].position == 60
        assert world.of("on_air", "item_start")[0].cause == "resume"
        assert world.of("item_end")[0].frames == 40
        assert world.titles() == ["b", "c"]

    @pytest.mark.parametrize(("point", "first"), [(ResumePoint("b", 10), "c"), (ResumePoint("gone", 5), "a")])
    def test_a_point_past_the_end_or_gone(self, point: ResumePoint, first: str) -> None:
        assert World(rundown(A, B, C), resume=point).run(1).titles() == [first]

    def test_an_item_that_was_taken_needs_no_second_take(self) -> None:
        world = World(rundown(A, clip("b", 100, start="hold")), resume=ResumePoint("b", 0)).run(1)
        assert world.titles() == ["b"]


def test_stop_closes_what_is_open() -> None:
    world = World(rundown(A)).run(5)
    world.do(lambda clock: clock.pause("op"))
    world.run(2)
    kinds = [fact.kind for fact in world.stop()][-3:]
    assert kinds == ["command", "freeze_end", "item_end"]
