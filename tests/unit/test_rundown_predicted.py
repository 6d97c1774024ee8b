"""When an item was to begin, as it looked when the one before it began: it rides to the log with the start."""

from pathlib import Path

import pytest

from sidecar.journal.journal import Journal
from sidecar.protocol.channel import Item
from sidecar.rundown.model import Airing, Fact
from tests.unit.rundown_world import World, clip, rundown
from tests.unit.test_rundown_day import day, fixed, item, world


def predicted(one: World) -> list[tuple[str, int, int | None]]:
    """Item, actual start, predicted start."""
    return [(fact.airing.item.id, fact.frame, fact.predicted) for fact in one.of("item_start") if fact.airing]


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ((item("a", 40), item("b", 40)), [("a", 0, None), ("b", 40, 40)]),
        # A hard start cuts, and a gap waits for it.
        ((item("a", 500), fixed("f", 4)), [("a", 0, None), ("f", 100, 100)]),
        ((item("a", 30), fixed("f", 4)), [("a", 0, None), ("f", 100, 100)]),
        ((item("a", 120), fixed("f", 4, fixed_kind="soft")), [("a", 0, None), ("f", 120, 120)]),
        ((item("a", 20, repeat=2), item("b", 40)), [("a", 0, None), ("a", 20, 20), ("b", 40, 40)]),
    ],
)
def test_it_comes_true_when_nothing_disturbs(items: tuple[Item, ...], found: list[tuple[str, int, int | None]]) -> None:
    assert predicted(world(day(*items)).run(150)) == found


def test_a_take_that_came_sooner_leaves_what_was_to_be() -> None:
    one = World(rundown(clip("a", 100), clip("b", 100), clip("c", 100))).run(60)
    one.do(lambda clock: clock.take(None, "ann"))
    one.run(130)
    assert predicted(one) == [("a", 0, None), ("b", 60, 100), ("c", 160, 160)]


def test_of_what_nobody_expected_nothing_is_said() -> None:
    one = World(rundown(clip("a", 100), clip("b", 100), clip("c", 100), clip("d", 50, start="hold"))).run(30)
    one.do(lambda clock: clock.cue("c", "ann"))
    one.run(30)
    one.do(lambda clock: clock.take(None, "ann"))
    one.run(130)
    one.do(lambda clock: clock.take(None, "ann"))
    one.run(5)
    assert predicted(one) == [("a", 0, None), ("c", 60, None), ("d", 190, None)]


def test_the_journal_says_it_as_an_instant(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "c", "r", 1, "30000/1001")
    start = 1_700_000_000_000_000_000
    airing = Airing(1, clip("b", 100))
    journal.start()
    journal.write(Fact("item_start", 60, airing, cause="take", predicted=90), start)
    journal.write(Fact("item_start", 160, airing, cause="follow"), start)
    journal.close(5.0)
    page = journal.page("r", 0, 10)
    assert page is not None
    told, untold = page.records
    assert told.predicted_at_ns == start + 1_001_000_000
    assert untold.predicted_at_ns is None
