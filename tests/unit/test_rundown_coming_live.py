"""Which live inputs are tried before they are due."""

from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, Rules
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.coming_live import WITHIN_S, coming_live
from sidecar.rundown.model import SourceView, Supply

RATE = Fraction(25)
NOW = 1_800_000_000 * 10**9
HOUR = 3600 * 25


def live(name: str, **values: object) -> Item:
    given = {"kind": "live", "url": f"srt://h:9000?streamid={name}", "duration_frames": HOUR, **values}
    return Item(id=name, title=name, **given)  # type: ignore[arg-type] - a test's values


def clip(name: str, frames: int | None, **values: object) -> Item:
    return Item(id=name, title=name, path="/m/a.mp4", duration_frames=frames, **values)  # type: ignore[arg-type]


def found(*items: Item, stands_at: str | None = None, left: int = 0, **values: object) -> list[str]:
    list_ = Playlist(1, items, **values)  # type: ignore[arg-type]
    return [item.id for item in coming_live(list_, RATE, NOW, stands_at, left)]


def test_those_of_the_next_two_hours_are_found_in_the_lists_order() -> None:
    items = [clip("film", HOUR), live("a"), live("b"), live("c"), live("late")]
    assert found(*items) == ["a", "b"], "b is due after two hours sharp"
    assert WITHIN_S == 7200
    assert found(*items, stands_at="film", left=10) == ["a", "b"]
    assert found(*items, stands_at="a", left=100) == ["b", "c"]


def test_a_fixed_start_further_down_may_be_soon() -> None:
    soon, far = NOW + 600 * 10**9, NOW + 3 * 3600 * 10**9
    long = clip("long", 9 * HOUR)
    assert found(long, live("a", start_mode="fixed", fixed_at_ns=soon), live("b")) == ["a", "b"]
    assert found(long, live("a", start_mode="fixed", fixed_at_ns=far)) == []
    assert found(long, live("past", start_mode="fixed", fixed_at_ns=NOW - 1)) == ["past"]


def test_what_ends_by_a_take_or_at_no_known_frame_may_end_now() -> None:
    assert found(clip("open", 9 * HOUR, end_mode="take"), clip("unknown", None), live("a")) == ["a"]


def test_only_what_may_air_and_has_an_address() -> None:
    items = [live("dropped", dropped=True), live("nowhere", url=None), Item(id="c", title="c", kind="comment")]
    assert found(*items) == []


def test_a_loop_comes_round_and_filler_is_due_at_any_moment() -> None:
    items = [live("first"), clip("film", 10)]
    assert found(*items, stands_at="film") == []
    assert found(*items, stands_at="film", after_last="loop") == ["first"]
    assert found(clip("film", 9 * HOUR), rules=Rules(filler=(live("filler"),))) == ["filler"]


def test_the_list_goes_on_from_where_it_stands_whatever_is_on_air() -> None:
    """In filler and in standby no item is on air, and still the top of the list is not what comes."""
    list_ = Playlist(1, (live("past"), clip("one", 10), clip("two", 10, start_mode="hold"), live("b")))
    clock = RundownClock(list_, RATE)

    def run(frames: int) -> list[str]:
        for _ in range(frames):
            clock.tick(lambda _: SourceView(Supply.READY, frames_ahead=8))
        return [item.id for item in coming_live(list_, RATE, NOW, clock.stands_at)]

    assert run(0) == ["past", "b"]
    assert run(2) == ["b"]
    clock.take(None, "op")
    run(12)
    assert clock.stands_at == "one"
    clock.standby("op")
    assert run(5) == ["b"]
