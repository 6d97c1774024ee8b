"""The rundown by the time of day: fixed starts and who wins, ends, repeats, blocks, holds, filler, the ladder (P1)."""

import msgspec
import pytest

from sidecar.protocol.channel import Item, Playlist, ResumePoint, Rules
from sidecar.rundown.clock import Refused
from sidecar.rundown.forecast import forecast
from sidecar.rundown.wall import Wall
from tests.unit.rundown_world import RATE, Media, World, check_facts, clip, rundown

SECOND = 25
NOON = 1_700_000_000_000_000_000
NS = 1_000_000_000


def at(seconds: float) -> int:
    return NOON + int(seconds * NS)


def item(name: str, frames: int | None = 10, **more: object) -> Item:
    return msgspec.structs.replace(clip(name, frames), **more)


def fixed(name: str, seconds: float, frames: int = 100, **more: object) -> Item:
    return item(name, frames, start_mode="fixed", fixed_at_ns=at(seconds), **more)


def day(*items: Item, after: str = "filler", revision: int = 1, **rules: object) -> Playlist:
    return msgspec.structs.replace(rundown(*items, after=after, revision=revision), rules=Rules(**rules))  # type: ignore[arg-type]  # drawn by name


def world(playlist: Playlist, **media: Media) -> World:
    return World(playlist, lambda one: media.get(one.id, Media()), wall_ns=NOON)


def starts(one: World) -> list[tuple[str, int, str]]:
    return [(fact.airing.item.id, fact.frame, fact.cause) for fact in one.of("item_start") if fact.airing]


def skipped(one: World) -> list[tuple[str, str]]:
    return [(fact.airing.item.id, fact.cause) for fact in one.of("item_skipped") if fact.airing]


class TestFixed:
    def test_a_hard_start_cuts_at_its_frame(self) -> None:
        one = world(day(item("a", 500), item("b"), fixed("f", 4))).run(150)
        assert starts(one) == [("a", 0, "arm"), ("f", 100, "fixed")]
        assert one.of("item_end")[0].cause == "fixed"
        assert skipped(one) == [("b", "preempted")]
        assert [shown.late for shown in one.shown].count(True) == 0

    def test_a_soft_start_waits_for_the_end_and_tells_how_late_it_is(self) -> None:
        one = world(day(item("a", 120), item("b"), fixed("f", 4, fixed_kind="soft"))).run(150)
        assert starts(one) == [("a", 0, "arm"), ("f", 120, "fixed")]
        start = one.of("item_start")[1]
        assert (start.late, start.detail) == (20, "0.80 s late")

    def test_a_run_that_goes_on_in_an_item_passes_no_fixed_start_up_to_it_again(self) -> None:
        one = World(
            day(fixed("f", -8), item("a", 10), fixed("g", -4, 200), item("b"), fixed("h", 6)),
            resume=ResumePoint("g", 100), wall_ns=NOON,
        ).run(160)  # fmt: skip
        assert starts(one) == [("g", 0, "resume"), ("b", 100, "follow"), ("h", 150, "fixed")]
        assert skipped(one) == []

    def test_an_item_may_run_on_over_a_hard_start(self) -> None:
        one = world(day(item("a", 120, before_fixed="run_on"), fixed("f", 4))).run(150)
        assert starts(one) == [("a", 0, "arm"), ("f", 120, "fixed")]

    def test_filler_pads_the_gap_to_the_frame(self) -> None:
        one = world(day(item("a", 30), fixed("f", 4))).run(150)
        assert one.titles() == ["a", "filler", "f"]
        assert starts(one)[1] == ("f", 100, "fixed")
        assert one.shown[50].reason == "waits for the fixed start of f"
        assert [fact.cause for fact in one.of("filler_start", "filler_end")] == ["gap", "fixed"]

    def test_expendable_items_are_dropped_first_and_only_as_many_as_it_takes(self) -> None:
        items = (item("a", 60), item("x", 30, expendable=True), item("y", 30, expendable=True))
        one = world(day(*items, item("b", 40, before_fixed="drop"), fixed("f", 5.2))).run(150)
        assert [name for name, _, _ in starts(one)] == ["a", "x", "b", "f"]
        assert starts(one)[-1] == ("f", 130, "fixed")
        assert skipped(one) == [("y", "expendable")]
        assert {fact.cause for fact in one.of("item_end")} == {"ended"}

    def test_a_start_that_slow_ticks_missed_still_happens(self) -> None:
        one = world(day(item("a", 5000), fixed("f", 4), fixed("g", 6, 5000))).run(90)
        one.skipped = 20 * SECOND
        one.run(10)
        assert starts(one)[1][0] == "g"
        assert ("f", "preempted") in skipped(one)

    @pytest.mark.parametrize(
        ("policy", "first", "position"), [("now", "f", 0), ("join", "f", 275), ("drop", "b", 0)]
    )  # fmt: skip
    def test_what_a_late_start_does(self, policy: str, first: str, position: int) -> None:
        late = fixed("f", 4, 5000, late_policy=policy)
        one = world(day(item("a", 350, before_fixed="run_on"), item("z"), late, item("b")))
        one.run(350 + 2 * SECOND)
        begun = [fact for fact in one.of("item_start") if fact.airing and fact.airing.item.id == first]
        if policy == "drop":
            assert starts(one)[1][0] == "z"
            assert [name for name, _, _ in starts(one)] == ["a", "z", "b"]
        else:
            assert begun[0].airing is not None
            assert begun[0].airing.first_frame == position
            if policy == "join":
                assert begun[0].frame == 100 + position

    def test_within_its_limit_a_late_start_is_as_one_in_time(self) -> None:
        late = fixed("f", 4, late_policy="drop", late_limit_ms=5_000)
        one = world(day(item("a", 220, before_fixed="run_on"), late)).run(240)
        assert starts(one)[1] == ("f", 220, "fixed")

    def test_one_whose_own_end_has_passed_takes_nothing_away(self) -> None:
        over = fixed("f", 4, 20, fixed_kind="soft", end_mode="at", end_at_ns=at(4.2))
        one = world(day(item("a", 120), item("b", 20), over, item("c", 20))).run(150)
        assert [(name, frame) for name, frame, _ in starts(one)] == [("a", 0), ("b", 120), ("c", 140)]
        assert skipped(one) == [("f", "too late")]

    def test_a_time_before_that_of_an_earlier_item_follows(self) -> None:
        one = world(day(item("a", 20), fixed("f", 4, 20), fixed("g", 2, 20))).run(150)
        assert starts(one)[1:] == [("f", 100, "fixed"), ("g", 120, "follow")]

    def test_of_two_fixed_starts_in_one_item_the_first_comes_next(self) -> None:
        one = world(day(item("a", 500), fixed("f", 4, 20), item("b", 20), fixed("g", 8, 20))).run(10)
        coming = one.clock.next_item(one.sources)
        assert coming is not None
        assert coming.item_id == "f"
        one.run(215)
        assert starts(one)[1:] == [("f", 100, "fixed"), ("b", 120, "follow"), ("g", 200, "fixed")]

    def test_a_hard_start_goes_before_a_soft_one_that_still_waits(self) -> None:
        playlist = day(item("a", 500), fixed("f", 4, 20, fixed_kind="soft"), fixed("g", 8, 20))
        one = world(playlist).run(215)
        assert starts(one)[1:] == [("g", 200, "fixed")]
        assert skipped(one) == [("f", "preempted")]
        predicted = {one.item_id: one.in_frames for one in forecast(playlist, wall=Wall(NOON, RATE))}
        assert predicted == {"a": 0, "f": None, "g": 200}

    def test_of_two_that_a_list_begins_with_at_one_time_the_last_airs_and_is_predicted(self) -> None:
        playlist = day(fixed("f", 4, 20), fixed("g", 4, 20), after="loop")
        one = world(playlist).run(130)
        assert starts(one)[:2] == [("g", 100, "fixed"), ("f", 120, "loop")]
        predicted = {one.item_id: one.in_frames for one in forecast(playlist, wall=Wall(NOON, RATE))}
        assert predicted == {"f": 120, "g": 100}

    def test_a_first_item_that_cannot_be_played_is_passed_over_while_muted(self) -> None:
        one = world(day(item("a", 50), item("b", 50), fixed("f", 40)), a=Media(fails_at=0))
        for step in range(10):
            one.clock.prepare(one.sources, NOON + step * 20_000_000)
            one.open_all()
        one.run(1)
        assert one.titles() == ["b"]

    def test_on_the_next_round_a_fixed_start_follows(self) -> None:
        one = world(day(item("a", 20), fixed("f", 2, 20), after="loop")).run(150)
        assert starts(one)[:4] == [("a", 0, "arm"), ("f", 50, "fixed"), ("a", 70, "loop"), ("f", 90, "follow")]

    def test_a_fixed_start_ends_a_hold_and_says_so(self) -> None:
        one = world(day(item("a", 20), item("h", start_mode="hold"), fixed("f", 4))).run(120)
        assert one.titles() == ["a", "hold", "f"]
        assert one.shown[60].reason == "held after a; waits for a take of h or the fixed start of f"
        assert [(fact.cause, fact.frame) for fact in one.of("decision")] == [("fixed", 100)]

    def test_unless_the_channel_says_otherwise(self) -> None:
        one = world(day(item("a", 20), item("h", start_mode="hold"), fixed("f", 4), fixed_ends_hold=False)).run(300)
        assert one.titles() == ["a", "hold"]
        assert one.shown[60].reason == "held after a; waits for a take of h"
        assert [fact.cause for fact in one.of("decision")] == ["hold"]
        one.do(lambda clock: clock.take("h", "op"))
        one.run(2)
        assert one.titles()[2] in ("h", "f")

    def test_a_source_that_is_not_there_leaves_the_item_on_air_until_it_is(self) -> None:
        one = world(day(item("a", 500), fixed("f", 4)), f=Media(opens_after=115)).run(150)
        assert starts(one)[1] == ("f", 116, "fixed")
        assert not [shown for shown in one.shown if shown.late]

    def test_each_fixed_start_that_a_hold_stops_is_told_whatever_its_place_in_a_new_list(self) -> None:
        held = (item("a", 20), item("h", start_mode="hold"))
        one = world(day(*held, fixed("f", 4), fixed_ends_hold=False)).run(110)
        new = day(*held, fixed("g", 5), revision=2, fixed_ends_hold=False)
        one.do(lambda clock: clock.replace_playlist(new, "op"))
        one.run(50)
        assert [fact.detail.split()[-1] for fact in one.of("decision")] == ["f", "g"]

    def test_one_that_is_joined_in_progress_ends_a_hold_and_tells_how_late_it_is(self) -> None:
        playlist = day(item("a", 20), item("h", start_mode="hold"), fixed("f", 4, 5000, late_policy="join"))
        one = world(playlist).run(90)
        one.skipped = 20 * SECOND
        one.run(60)
        (decision,) = one.of("decision")
        start = one.of("item_start")[-1]
        assert (decision.cause, decision.frame, decision.airing) == ("fixed", 90, start.airing)
        assert (start.late, start.detail) == (515, "20.60 s late")
        assert start.airing is not None
        assert start.airing.first_frame == start.late

    def test_without_a_time_of_day_it_follows(self) -> None:
        one = World(day(item("a", 20), fixed("f", 4))).run(40)
        assert one.titles() == ["a", "f"]

    def test_the_first_item_waits_for_its_time(self) -> None:
        one = world(day(fixed("f", 2))).run(60)
        assert starts(one) == [("f", 50, "fixed")]


class TestEnds:
    def test_an_item_ends_at_its_time(self) -> None:
        one = world(day(item("a", None, end_mode="at", end_at_ns=at(2)), item("b", 10))).run(70)
        assert starts(one) == [("a", 0, "arm"), ("b", 50, "follow")]
        assert one.of("item_end")[0].cause == "end time"

    def test_one_whose_end_has_passed_does_not_air(self) -> None:
        one = world(day(item("a", 60), item("x", 50, end_mode="at", end_at_ns=at(2)), item("b", 10))).run(80)
        assert one.titles()[:2] == ["a", "b"]
        assert skipped(one) == [("x", "too late")]

    def test_an_open_end_is_ended_by_a_take(self) -> None:
        one = world(day(item("a", 50, end_mode="take"), item("b")), a=Media(frames=50)).run(100)
        assert one.titles() == ["a", "hold"]
        one.do(lambda clock: clock.take(None, "op"))
        one.run(2)
        assert one.titles()[-1] == "b"

    @pytest.mark.parametrize(("ms", "ends"), [(2_000, 150), (-2_000, 50), (-30_000, 31)])
    def test_an_operator_makes_it_longer_and_shorter(self, ms: int, ends: int) -> None:
        one = world(day(item("a", 100), item("b"))).run(30)
        one.do(lambda clock: clock.adjust(ms, "op"))
        one.run(160)
        assert starts(one)[1][1] in (ends, ends - 1)
        check_facts(one.stop(), len(one.shown))

    def test_another_item_than_the_operator_saw_is_not_made_shorter(self) -> None:
        one = world(day(item("a", 20), item("b", 100))).run(30)
        with pytest.raises(Refused) as refused:
            one.clock.adjust(-2_000, "op", "a")
        assert refused.value.code == "target_changed"
        one.do(lambda clock: clock.adjust(-2_000, "op", "b"))

    def test_an_item_airs_as_often_as_it_says_and_a_take_goes_past_it(self) -> None:
        one = world(day(item("a", 10, repeat=3), item("b", 50, repeat=0), item("c"))).run(200)
        assert [(name, cause) for name, _, cause in starts(one)][:5] == [
            ("a", "arm"), ("a", "repeat"), ("a", "repeat"), ("b", "follow"), ("b", "repeat"),
        ]  # fmt: skip
        one.do(lambda clock: clock.take("c", "op"))
        one.run(3)
        assert starts(one)[-1] == ("c", 200, "take")

    def test_it_is_not_repeated_when_its_end_time_has_come(self) -> None:
        one = world(day(item("a", 30, repeat=3, end_mode="at", end_at_ns=at(2)), item("b", 10))).run(70)
        assert starts(one) == [("a", 0, "arm"), ("a", 30, "repeat"), ("b", 50, "follow")]

    def test_a_block_goes_round_until_its_time(self) -> None:
        block = [item(name, 20, block="promos", block_until_ns=at(4)) for name in "ab"]
        one = world(day(*block, item("c"))).run(120)
        assert [name for name, _, _ in starts(one)] == ["a", "b", "a", "b", "a", "c"]
        assert starts(one)[-1] == ("c", 100, "follow")
        assert not skipped(one)

    def test_comments_take_no_time(self) -> None:
        one = world(day(item("n", kind="comment"), item("a", 10), item("m", kind="comment"), item("b", 10))).run(15)
        assert [(name, frame) for name, frame, _ in starts(one)] == [("a", 0), ("b", 10)]
        assert not skipped(one)


class TestHolds:
    def test_an_unattended_hold_ends_with_the_fallback(self) -> None:
        held = item("h", start_mode="hold", hold_timeout_ms=2_000)
        for fallback, then in (("slate", "filler"), ("filler", "filler"), ("next", "h")):
            one = world(day(item("a", 20), held, hold_fallback=fallback)).run(90)
            assert one.titles()[:3] == ["a", "hold", then]
            (decision,) = one.of("decision")
            assert (decision.cause, decision.frame) == ("hold time-out", 70)

    def test_a_take_begins_what_waits_also_after_its_time_out(self) -> None:
        one = world(day(item("a", 20), item("h", 50, start_mode="hold", hold_timeout_ms=2_000)))
        one.run(100)
        assert one.clock.picture == "filler"
        one.do(lambda clock: clock.take("h", "op"))
        one.run(3)
        assert starts(one)[-1] == ("h", 100, "take")
        assert (one.clock.is_held, one.clock.hold_left) == (False, None)

    def test_the_channel_has_a_time_out_of_its_own(self) -> None:
        one = world(day(item("a", 20), item("h", start_mode="hold"), hold_timeout_ms=1_000)).run(60)
        assert one.titles() == ["a", "hold", "filler"]
        assert one.clock.is_held or one.shown[-1].reason

    @pytest.mark.parametrize("show", ["slate", "loop"])
    def test_what_is_shown_meanwhile(self, show: str) -> None:
        one = world(day(item("a", 20), item("h", start_mode="hold", hold_show=show))).run(70)
        assert one.clock.is_held
        if show == "slate":
            assert {shown.action for shown in one.shown[20:]} == {"slate"}
        else:
            assert {shown.action for shown in one.shown} == {"source"}
            assert [name for name, _, _ in starts(one)] == ["a"] * 4
        one.do(lambda clock: clock.take("h", "op"))
        one.run(3)
        assert one.titles()[-1] == "h"


class TestFillerAndLadder:
    FILLER = (clip("p", 40), clip("q", 40))

    def test_filler_clips_air_in_turn_and_their_frames_add_up(self) -> None:
        one = world(day(item("a", 30), fixed("f", 5), filler=self.FILLER)).run(150)
        played = [shown.airing.item.id for shown in one.shown[30:125] if shown.airing]
        assert [*played[:40], *played[40:80]] == ["p"] * 40 + ["q"] * 40
        assert len(played) == 95
        check_facts(one.stop(), 150)
        assert sum(fact.frames or 0 for fact in one.of("filler_end")) == 95

    def first_clip(self, one: World) -> None:
        """The first that airs is shown whole, frame by frame."""
        played = [shown.position for shown in one.shown if shown.picture == "filler" and shown.airing]
        assert played[:40] == list(range(40))
        assert next(fact.frames for fact in one.of("filler_end") if fact.airing) == 40

    def test_its_first_clip_airs_whole_after_a_hold_that_timed_out(self) -> None:
        held = item("h", start_mode="hold", hold_timeout_ms=2_000)
        self.first_clip(world(day(item("a", 20), held, hold_fallback="filler", filler=self.FILLER)).run(150))

    def test_and_after_a_cut_that_failed(self) -> None:
        held = item("h", start_mode="hold", hold_timeout_ms=2_000)
        playlist = day(item("a", 20), held, hold_fallback="next", ladder=("filler",), filler=self.FILLER)
        one = world(playlist, h=Media(opens_after=None)).run(200)
        assert ("h", "no data") in skipped(one)
        self.first_clip(one)

    def test_and_after_a_command(self) -> None:
        one = world(day(item("a", 100), fixed("f", 20, 50), filler=self.FILLER)).run(50)
        one.do(lambda clock: clock.standby("op"))
        one.run(100)
        one.do(lambda clock: clock.rejoin("op"))
        self.first_clip(one.run(100))
        one = world(day(item("a", 20), filler=self.FILLER)).run(5)
        one.do(lambda clock: clock.hold("op"))
        one.run(30)
        one.do(lambda clock: clock.play("op"))
        self.first_clip(one.run(100))

    @pytest.mark.parametrize("hung", [Media(opens_after=None), Media(dry_at=0, dry_for=100_000)])
    def test_a_clip_that_hangs_gives_way_to_the_next(self, hung: Media) -> None:
        one = world(day(fixed("f", 60, 50), filler=self.FILLER), p=hung).run(60 * SECOND)
        slates = [shown.frame for shown in one.shown if shown.action == "slate"]
        assert len([frame for frame in slates if frame < 13 * SECOND]) in range(10 * SECOND, 13 * SECOND)
        assert {shown.airing.item.id for shown in one.shown[13 * SECOND : 14 * SECOND] if shown.airing} == {"q"}
        check_facts(one.stop(), 60 * SECOND)

    def test_so_does_one_that_hangs_in_the_middle(self) -> None:
        one = world(day(fixed("f", 30, 50), filler=self.FILLER), p=Media(dry_at=10, dry_for=100_000))
        one.run(15 * SECOND)
        played = [shown.airing.item.id for shown in one.shown if shown.airing]
        assert played[9:12] == ["p", "q", "q"]
        assert one.shown[10 * SECOND + 15].airing is not None

    def test_the_ladder_climbs(self) -> None:
        rules = {"ladder": ("last_frame", "slate", "filler"), "ladder_next_ms": 2_000, "filler": self.FILLER}
        behaviour = iter([Media(dry_at=20, dry_for=10_000)])
        playlist = day(item("a", 500), **rules)
        one = World(playlist, lambda it: next(behaviour, Media(None)) if it.id == "a" else Media(), wall_ns=NOON)
        one.run(230)
        actions = [shown.action for shown in one.shown]
        assert actions[20:95] == ["repeat"] * 75
        assert [shown.late for shown in one.shown].count(True) == 75
        assert actions[95:145] == ["repeat"] * 50
        assert actions[145:195] == ["slate"] * 50
        assert actions[195:230] == ["source"] * 35
        assert [fact.detail for fact in one.of("decision")] == ["slate is shown", "filler is shown"]

    def test_a_picture_that_never_was_does_not_stand(self) -> None:
        """A live item whose input never comes, on a ladder whose first rung is the last picture, and then a hold."""
        one = world(
            day(item("l", 50, kind="live", url="srt://h:1"), item("h", start_mode="hold"), ladder=("last_frame",)),
            l=Media(opens_after=None),
        ).run(40)
        one.do(lambda clock: clock.pause("op"))
        one.run(5)
        one.do(lambda clock: clock.resume("op"))
        one.run(40)
        assert one.shown[-1].picture == "hold"
        assert {shown.action for shown in one.shown} == {"slate"}

    def test_the_rung_next_takes_what_waits(self) -> None:
        one = world(
            day(item("a", 500), item("h", 50, start_mode="hold"), ladder=("slate", "next"), ladder_next_ms=2_000),
            a=Media(fails_at=20),
        ).run(100)
        assert starts(one)[-1] == ("h", 70, "ladder")

    def test_standby_shows_its_clip_and_starts_it_again(self) -> None:
        one = world(day(item("a", 500), standby=clip("e", 20))).run(10)
        one.do(lambda clock: clock.standby("op"))
        one.run(50)
        assert {shown.picture for shown in one.shown[10:]} == {"standby"}
        assert {shown.action for shown in one.shown[10:]} <= {"source", "slate"}
        assert [shown.action for shown in one.shown[10:]].count("slate") <= 2
        check_facts(one.stop(), 60)

    def test_a_refused_take_repeated_goes_by_the_ladder(self) -> None:
        one = world(day(item("a", 500), item("b", 50)), b=Media(opens_after=80)).run(40)
        with pytest.raises(Refused, match="second take"):
            one.do(lambda clock: clock.take(None, "op"))
        one.run(20)
        assert one.do(lambda clock: clock.take(None, "op")).shows
        one.run(40)
        assert one.titles() == ["a", "filler", "b"]
        assert starts(one)[-1] == ("b", 81, "take")
        assert one.of("item_start")[-1].by == "op"


class TestRejoin:
    def test_it_returns_to_what_a_fixed_start_began_meanwhile(self) -> None:
        one = world(day(item("a", 5000), fixed("f", 4, 5000))).run(50)
        one.do(lambda clock: clock.standby("op"))
        one.run(150)
        assert one.shown[-1].picture == "standby"
        one.do(lambda clock: clock.rejoin("op"))
        shown = one.until(lambda shown: shown.picture == "item")
        assert shown.airing is not None
        assert (shown.airing.item.id, shown.position) == ("f", shown.frame - 100)

    def test_in_a_gap_it_is_filler_until_the_fixed_start(self) -> None:
        one = world(day(item("a", 100), fixed("f", 20, 50))).run(50)
        one.do(lambda clock: clock.standby("op"))
        one.run(100)
        one.do(lambda clock: clock.rejoin("op"))
        one.run(400)
        assert one.titles() == ["a", "standby", "filler", "f"]
        assert starts(one)[-1] == ("f", 500, "fixed")


class TestDrop:
    def test_a_dropped_item_is_passed_over_and_told(self) -> None:
        one = world(day(item("a", 20), item("b", 20), item("c", 20))).run(5)
        one.do(lambda clock: clock.drop("b", "op"))
        one.run(30)
        assert one.titles() == ["a", "c"]
        assert skipped(one) == [("b", "dropped")]

    def test_it_airs_when_that_is_undone_in_time(self) -> None:
        one = world(day(item("a", 20), item("b", 20, dropped=True), item("c", 20))).run(5)
        one.do(lambda clock: clock.undrop("b", "op"))
        one.run(30)
        assert one.titles() == ["a", "b"]

    def test_at_the_end_of_the_list_it_is_told_too_and_once(self) -> None:
        last = (item("n", kind="comment"), item("c", 20, dropped=True))
        one = world(day(item("a", 20), item("b", 20), *last)).run(5)
        one.do(lambda clock: clock.drop("b", "op"))
        one.run(30)
        one.do(lambda clock: clock.standby("op"))
        one.run(5)
        one.do(lambda clock: clock.rejoin("op"))
        one.run(5)
        assert one.titles() == ["a", "filler", "standby", "filler"]
        assert skipped(one) == [("b", "dropped"), ("c", "dropped")]
        check_facts(one.stop(), 45)

    def test_recue_makes_it_air_again(self) -> None:
        one = world(day(item("a", 20), item("b", 20))).run(5)
        one.do(lambda clock: clock.recue("op"))
        one.run(30)
        assert [name for name, _, _ in starts(one)] == ["a", "a"]
