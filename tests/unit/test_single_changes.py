"""What a list of single changes makes of a list: by the items and their states alone."""

from datetime import UTC, datetime, timedelta

from db.models import Item
from db.repositories.playlists import ItemSpec, KeptItem
from supervisor.playlists.difference import Difference, OldItem
from supervisor.playlists.items import ListedItem
from supervisor.playlists.schedule import Removed
from supervisor.playlists.single_changes import single_changes

START = datetime(2026, 3, 1, 20, tzinfo=UTC)
UNTIL = START + timedelta(minutes=2, seconds=30)


def at(minute: float | None) -> datetime | None:
    return None if minute is None else START + timedelta(minutes=minute)


def old(name: str, minute: float | None = None, why: str = "", **values: object) -> OldItem:
    row = Item(
        id=name, title=name, kind="clip", asset_id=None, in_frames=0, out_frames=None, slate_frames=None,
        start_mode="follow", traffic_id=name, planned_start=at(minute), house_id=f"H{name}", listed=None,
    )  # fmt: skip
    for key, value in values.items():
        setattr(row, key, value)
    return OldItem(row, row.house_id, why, bool(why))


def new(name: str, minute: float | None = None, after: str | None = None, **values: object) -> ListedItem:
    spec = {"title": name, "traffic_id": name, "house_id": f"H{name}", "planned_start": at(minute), **values}
    return ListedItem(f"line {name}", ItemSpec(**spec), after=after)  # type: ignore[arg-type] - test values


def gone(name: str) -> Removed:
    return Removed(f"line {name}", name)


def order(found: Difference) -> str:
    return "".join(entry.item_id if isinstance(entry, KeptItem) else entry.title.lower() for entry in found.entries)


def verdicts(found: Difference, *but: str) -> dict[str, str]:
    return {change.title: change.verdict for change in found.changes if change.verdict not in but}


LIST = [old("A", 0, "aired"), old("B", 1, "on air"), old("C", 2, "due in 30 s"), old("D", 3), old("E", 4), old("F", 60)]


def changed(listed: list[ListedItem], *removed: str, before: list[OldItem] = LIST) -> Difference:
    return single_changes(before, listed, [gone(name) for name in removed], live_until=UNTIL)


def test_what_is_not_named_stays() -> None:
    found = changed([new("D", 3, title="Other")])
    assert order(found) == "ABCDEF"
    assert verdicts(found, "kept") == {"Other": "changed"}
    assert changed([new("D", 3)]).is_empty
    assert changed([]).is_empty


def test_one_goes_by_its_id_unless_it_is_locked_or_not_there() -> None:
    found = changed([], "D", "B", "Z")
    assert order(found) == "ABCEF"
    assert verdicts(found, "kept") == {"D": "removed", "B": "locked", "Z": "locked"}
    said = {change.title: (change.line, change.what) for change in found.changes}
    assert said["D"][0] == "line D"
    assert said["B"] == ("line B", "not removed, it is on air")
    assert said["Z"] == ("line Z", "not removed: it is not there")


def test_new_ones_come_after_the_one_they_name_else_by_their_time_else_at_the_end() -> None:
    found = changed([new("X", 3.5), new("Y", 30), new("Z"), new("V", after="D"), new("W", 3, after="F"), new("U", 90)])
    assert order(found) == "ABCDvxEyFwzu"
    assert verdicts(found, "kept") == dict.fromkeys("XYZVWU", "inserted")


def test_one_may_follow_another_new_one_and_one_that_names_nobody_goes_by_its_time() -> None:
    assert order(changed([new("X", after="D"), new("Y", after="X"), new("W", 4.5, after="nobody")])) == "ABCDxyEwF"


def test_another_start_is_another_place() -> None:
    found = changed([new("D", 50)])
    assert order(found) == "ABCEDF"
    assert verdicts(found, "kept")["D"] == "changed"
    assert order(changed([new("F", 60, after="D")])) == "ABCDFE"


def test_what_has_no_plan_stays_with_what_is_above_it() -> None:
    before = [old("A", 0), old("N", kind="comment"), old("B", 10)]
    assert order(single_changes(before, [new("X", 5)], [], live_until=None)) == "ANxB"
    assert order(single_changes(before, [new("X", 0, after="A")], [], live_until=None)) == "AxNB"


def test_nothing_is_put_before_what_runs_or_changed_of_it() -> None:
    found = changed([new("X", 0.5), new("B", 1, title="Other"), new("C", 9), new("Y", after="A")])
    assert order(found) == "ABCDEF"
    assert verdicts(found, "kept") == {"X": "locked", "B": "locked", "C": "locked", "Y": "locked"}


def test_a_category_is_taken_from_nobody_that_is_not_named() -> None:
    before = [old("A", 0, airing={"category": "Promo"}), old("B", 1, airing={"category": "News"})]
    found = single_changes(before, [new("B", 1, title="Other")], [], live_until=None)
    assert [entry.changes for entry in found.entries if isinstance(entry, KeptItem)] == [{}, {"title": "Other"}]
