"""What does not air because somebody goes past it is told, with who and why; what still comes is not."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.protocol.channel import ResumePoint
from sidecar.rundown.clock import Refused
from sidecar.rundown.forecast import forecast
from tests.unit.rundown_world import Media, World, clip, rundown
from tests.unit.test_rundown_day import day, fixed, item, skipped, starts, world

NAMES = "abcdefgh"


def listed(count: int, *, after: str = "filler", frames: int = 40) -> World:
    return World(rundown(*(clip(name, frames) for name in NAMES[:count]), after=after))


def told(one: World) -> list[tuple[str, str, str, str]]:
    return [(fact.airing.item.id, fact.cause, fact.by, fact.detail) for fact in one.of("item_skipped") if fact.airing]


class TestJumps:
    def test_a_take_of_a_cued_item_tells_what_it_goes_past_and_who_cued_it(self) -> None:
        one = listed(5).run(5)
        one.do(lambda clock: clock.cue("d", "ann"))
        one.run(5)
        assert told(one) == [], "the cue alone goes past nothing"
        one.do(lambda clock: clock.take(None, "bob"))
        one.run(60)
        assert told(one) == [("b", "jumped", "ann", "d was cued"), ("c", "jumped", "ann", "d was cued")]
        assert [name for name, _, _ in starts(one)] == ["a", "d", "e"]

    def test_so_does_a_cue_that_follows_by_itself(self) -> None:
        one = listed(3).run(5)
        one.do(lambda clock: clock.cue("c", "ann"))
        one.run(60)
        assert told(one) == [("b", "jumped", "ann", "c was cued")]
        assert one.of("item_skipped")[0].frame == 40

    def test_a_cleared_cue_goes_past_nothing(self) -> None:
        one = listed(3).run(5)
        one.do(lambda clock: clock.cue("c", "ann"))
        one.do(lambda clock: clock.cue(None, "ann"))
        one.run(100)
        assert told(one) == []

    def test_back_to_what_aired_before_nothing_is_gone_past_and_nothing_told_twice_on_the_way_forth(self) -> None:
        one = listed(6).run(90)  # c is on air
        for name in ("a", "e"):
            one.do(lambda clock, name=name: clock.cue(name, "ann"))
            one.do(lambda clock: clock.take(None, "ann"))
            one.run(30)
        assert [name for name, _, _ in starts(one)] == ["a", "b", "c", "a", "e"]
        assert [(name, cause) for name, cause, _, _ in told(one)] == [("d", "jumped")]
        one.do(lambda clock: clock.cue("b", "ann"))
        one.do(lambda clock: clock.take(None, "ann"))
        one.run(5)
        one.do(lambda clock: clock.cue("f", "ann"))
        one.run(40)
        assert [name for name, _, _ in starts(one)][-2:] == ["b", "f"]
        assert len(told(one)) == 1

    def test_a_recue_goes_past_nothing(self) -> None:
        one = listed(3).run(50)
        one.do(lambda clock: clock.recue("ann"))
        one.run(100)
        assert [name for name, _, _ in starts(one)] == ["a", "b", "b", "c"]
        assert told(one) == []

    def test_every_round_of_a_list_that_loops_tells_its_own(self) -> None:
        one = listed(3, after="loop")
        for _ in range(2):
            one.run(5)
            one.do(lambda clock: clock.cue("c", "ann"))
            one.run(75)
        assert [name for name, _, _ in starts(one)] == ["a", "c", "a", "c"]
        assert [name for name, _, _, _ in told(one)] == ["b", "b"]

    def test_what_was_dropped_says_so_and_by_whom(self) -> None:
        one = listed(4).run(5)
        one.do(lambda clock: clock.drop("b", "eve"))
        one.do(lambda clock: clock.cue("d", "ann"))
        one.run(60)
        assert told(one) == [("b", "dropped", "eve", ""), ("c", "jumped", "ann", "d was cued")]

    def test_what_failed_before_is_not_told_again(self) -> None:
        one = listed(4)
        one.media = lambda it: Media(fails_at=0) if it.id == "b" else Media()
        one.open_all()
        one.run(30)
        assert told(one)[0][:2] == ("b", "failed")
        one.do(lambda clock: clock.cue("d", "ann"))
        one.run(30)
        assert [entry[:2] for entry in told(one)] == [("b", "failed"), ("c", "jumped")]
        assert [fact.could_not_air for fact in one.of("item_skipped")] == [True, False], "a jump is no fault"

    def test_a_run_that_goes_on_knows_what_another_had_behind_it(self) -> None:
        one = World(rundown(*(clip(name, 40) for name in NAMES[:5])), resume=ResumePoint("c", 10)).run(5)
        for name in ("a", "e"):
            one.do(lambda clock, name=name: clock.cue(name, "ann"))
            one.run(30)
            one.do(lambda clock: clock.take(None, "ann"))
            one.run(5)
        assert [name for name, _, _, _ in told(one)] == ["d"]

    def test_what_was_due_in_standby_is_told_when_the_list_is_joined_again(self) -> None:
        one = listed(5).run(10)
        one.do(lambda clock: clock.standby("ann"))
        one.run(100)
        one.do(lambda clock: clock.rejoin("bob"))
        one.run(30)
        why = "its time passed while the channel was in standby"
        assert [name for name, _, _ in starts(one)] == ["a", "d"]
        assert told(one) == [("b", "standby", "ann", why), ("c", "standby", "ann", why)]

    def test_what_a_second_rejoin_goes_past_is_told_though_the_first_was_to_begin_it(self) -> None:
        one = listed(4).run(1)
        one.do(lambda clock: clock.standby("ann"))
        one.run(29)
        one.do(lambda clock: clock.rejoin("bob"))
        one.run(25)
        one.do(lambda clock: clock.rejoin("bob"))
        one.run(60)
        assert [name for name, _, _ in starts(one)] == ["a", "c"]
        assert skipped(one) == [("b", "standby")]

    def test_also_where_nothing_is_due_when_it_is_joined(self) -> None:
        one = world(day(item("a", 50), item("b", 50), fixed("f", 8, 50))).run(10)
        one.do(lambda clock: clock.standby("ann"))
        one.run(120)
        one.do(lambda clock: clock.rejoin("bob"))
        one.run(100)
        assert [name for name, _, _ in starts(one)] == ["a", "f"]
        assert skipped(one) == [("b", "standby")]

    def test_a_cue_says_beforehand_what_will_not_air(self) -> None:
        playlist = rundown(*(clip(name, 40) for name in NAMES[:4]))
        ahead = forecast(playlist, ResumePoint("a", 5), next_item_id="d")
        assert {one.item_id: one.passed for one in ahead} == {"a": "", "b": "jumped", "c": "jumped", "d": ""}

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 70), st.sampled_from([*NAMES[:6], "take", "skip", "recue", "standby", "rejoin"])),
            max_size=12,
        )
    )
    @example([(0, "c"), (0, "take"), (0, "standby"), (0, "d")])
    def test_of_every_item_of_a_list_that_ended_the_log_says_what_became_of_it(
        self, script: list[tuple[int, str]]
    ) -> None:
        one = listed(6)
        one.run(1)
        for wait, word in script:
            one.run(wait)
            try:
                match word:
                    case "take":
                        one.do(lambda clock: clock.take(None, "ann"))
                    case "skip":
                        one.do(lambda clock: clock.skip("ann"))
                    case "recue":
                        one.do(lambda clock: clock.recue("ann"))
                    case "standby":
                        one.do(lambda clock: clock.standby("ann"))
                    case "rejoin":
                        one.do(lambda clock: clock.rejoin("ann"))
                    case name:
                        one.do(lambda clock, name=name: clock.cue(name, "ann"))
            except Refused:
                pass
        if one.clock.picture == "standby":
            one.do(lambda clock: clock.rejoin("ann"))
        one.run(400)
        aired, passed = {name for name, _, _ in starts(one)}, [name for name, _ in skipped(one)]
        assert aired | set(passed) == set(NAMES[:6])
        assert len(passed) == len(set(passed))
