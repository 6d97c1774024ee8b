"""What a revised list changes and what it may not, by the items and their states alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.models import Item
from db.repositories.playlists import ItemSpec, KeptItem
from supervisor.playlists.difference import Difference, OldItem, difference
from supervisor.playlists.items import ListedItem

START = datetime(2026, 3, 1, 20, tzinfo=UTC)
NOW = START + timedelta(minutes=1, seconds=30)
UNTIL = NOW + timedelta(seconds=60)


def at(minute: float | None) -> datetime | None:
    return None if minute is None else START + timedelta(minutes=minute)


def old(name: str, minute: float | None = None, why: str = "", *, runs: bool = True, **values: object) -> OldItem:
    row = Item(
        id=name, title=name, kind="clip", asset_id=None, in_frames=0, out_frames=None, slate_frames=None,
        start_mode="follow", traffic_id=name, planned_start=at(minute), house_id=f"H{name}", listed=None,
    )  # fmt: skip
    for key, value in values.items():
        setattr(row, key, value)
    return OldItem(row, row.house_id, why, bool(why) and runs)


def new(name: str, minute: float | None = None, **values: object) -> ListedItem:
    spec = {"title": name, "traffic_id": name, "house_id": f"H{name}", "planned_start": at(minute), **values}
    return ListedItem(f"line {name}", ItemSpec(**spec))  # type: ignore[arg-type] - test values


def order(found: Difference) -> str:
    return "".join(entry.item_id if isinstance(entry, KeptItem) else entry.title.lower() for entry in found.entries)


def verdicts(found: Difference) -> dict[str, str]:
    return {change.title: change.verdict for change in found.changes}


ON_AIR = [
    old("A", 0, "aired"),
    old("B", 1, "on air"),
    old("C", 2, "due in 30 s"),
    old("D", 3),
    old("E", 4),
    old("F", 5),
]


def test_a_category_that_a_list_withdraws_goes_and_one_of_a_list_without_any_stays() -> None:
    before = [old("A", 0, airing={"category": "Promo", "logo": "on"}), old("B", 1)]
    named = difference(before, [new("A", 0), new("B", 1, airing={"category": "News"})], live_until=None)
    assert [entry.changes for entry in named.entries if isinstance(entry, KeptItem)] == [
        {"airing": {"logo": "on"}},
        {"airing": {"category": "News"}},
    ]
    assert difference(before, [new("A", 0), new("B", 1)], live_until=None).is_empty, "an operator gave it"


def test_a_live_address_is_told_without_what_it_holds() -> None:
    was, now = (f"srt://studio:9000?passphrase={secret}" for secret in ("secret-before", "secret-after"))
    before = [old("B", 0, "on air", kind="live", url=was), old("A", 1, kind="live", url=was, title=was)]
    listed = [new("B", 0, kind="live", url=now), new("A", 1, kind="live", url=now)]
    whats = [change.what for change in difference(before, listed, live_until=None).changes]
    assert "title srt://studio:9000 -> A, another address" in whats
    assert all("another address" in what and "secret" not in what for what in whats), whats


def test_what_runs_stays_and_the_rest_is_what_the_list_says() -> None:
    listed = [new("A", 0), new("B", 1), new("C", 2), new("X", 3), new("D", 3), new("E", 4, out_frames=50)]
    found = difference(ON_AIR, listed, live_until=UNTIL, day_ends=at(600))
    assert order(found) == "ABCxDE"
    assert verdicts(found) == {
        "A": "kept", "B": "kept", "C": "kept", "X": "inserted", "D": "kept", "E": "changed", "F": "removed",
    }  # fmt: skip
    (changed,) = [change for change in found.changes if change.title == "E"]
    assert changed.what == "out frames none -> 50"


def test_a_locked_item_is_neither_changed_nor_removed() -> None:
    found = difference(ON_AIR, [new("A", 0), new("C", 2, title="C2"), new("D", 3)], live_until=UNTIL, day_ends=at(600))
    assert order(found) == "ABCD"
    told = {change.item_id: (change.verdict, change.what) for change in found.changes}
    assert told["B"] == ("kept", "on air")
    assert told["C"] == ("locked", "not changed, it is due in 30 s: title C -> C2")
    assert not any(entry.changes for entry in found.entries if isinstance(entry, KeptItem))


def test_nothing_is_put_before_what_runs() -> None:
    listed = [new("A", 0), new("X", 0.5), new("B", 1), new("D", 1.5), new("C", 2)]
    found = difference(ON_AIR, listed, live_until=UNTIL, day_ends=at(600))
    assert order(found) == "ABCD"
    assert verdicts(found) | {"X": "locked", "D": "locked"} == verdicts(found)


def test_what_is_due_within_the_window_is_not_inserted() -> None:
    found = difference(ON_AIR, [new("X", 2.4), new("Y", 2.6)], live_until=UNTIL)
    assert verdicts(found)["X"] == "locked"
    assert order(found) == "ABCyDEF"


def test_off_air_the_whole_list_is_replaced() -> None:
    found = difference([old("A", 0), old("B", 1)], [new("X", 0), new("B", 1)], live_until=None)
    assert (order(found), verdicts(found)["A"]) == ("xB", "removed")


def test_the_next_day_joins_at_the_end_and_covers_nothing_of_today() -> None:
    tomorrow = [new("X", 1440), new("Y", 1441)]
    found = difference(ON_AIR, tomorrow, live_until=UNTIL)
    assert order(found) == "ABCDEFxy"
    again = [old("X", 1440), old("Y", 1441)]
    today = [new("A", 0), new("B", 1), new("C", 2), new("Z", 3), new("F", 5)]
    found = difference([*ON_AIR, *again], today, live_until=UNTIL, day_ends=at(600))
    assert order(found) == "ABCzFXY"


def test_a_list_without_times_or_ids_is_matched_by_house_id_in_its_order() -> None:
    plain = [old(str(n), traffic_id=None, house_id="P") for n in range(3)]
    listed = [new("x", traffic_id=None, house_id="P"), new("y", traffic_id=None, house_id="Q")]
    found = difference(plain, listed, live_until=None)
    assert order(found) == "0y"


def test_a_cued_item_stays_in_its_place() -> None:
    items = [old("A", 0, "on air"), old("B", 1), old("C", 2, "cued", runs=False), old("D", 3)]
    found = difference(items, [new("A", 0), new("X", 5), new("D", 6)], live_until=None)
    assert order(found) == "AxDC"
    assert verdicts(found)["C"] == "kept"


def test_appending_removes_nothing_and_takes_no_event_twice() -> None:
    found = difference([old("A"), old("B")], [new("B"), new("C")], live_until=None, append=True)
    assert (order(found), [change.verdict for change in found.changes]) == (
        "ABc",
        ["kept", "kept", "locked", "inserted"],
    )


def test_a_move_is_told_of_the_one_that_moved() -> None:
    items = [old(name) for name in "ABCD"]
    found = difference(items, [new(name) for name in "BCAD"], live_until=None)
    assert verdicts(found) == {"A": "moved", "B": "kept", "C": "kept", "D": "kept"}


def test_the_same_list_again_changes_nothing() -> None:
    found = difference(ON_AIR, [new(one.row.title, minute) for minute, one in enumerate(ON_AIR)], live_until=UNTIL)
    assert found.is_empty
    assert order(found) == "ABCDEF"


NAMES = "ABCDEFGH"


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "aired", "on air", "cued"])), unique_by=lambda it: it[0]
    ),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.booleans(),
)
def test_nothing_is_lost_and_what_is_locked_never_changes(
    before: list[tuple[str, str]], after: list[str], timed: bool
) -> None:
    """Every old item is kept or told as removed, every event placed or told as refused; nothing stands twice."""
    items = [old(name, n if timed else None, why, runs=why != "cued") for n, (name, why) in enumerate(before)]
    listed = [new(name, n if timed else None, in_frames=n) for n, name in enumerate(after)]
    found = difference(items, listed, live_until=None)
    placed = order(found)
    there = {one.row.id for one in items}
    assert len(placed) == len(set(placed))
    removed = {change.item_id for change in found.changes if change.verdict == "removed"}
    assert there == {name for name in placed if name in there} | removed
    locked = [one.row.id for one in items if one.why_locked]
    assert [name for name in placed if name in locked] == locked
    changed = {entry.item_id for entry in found.entries if isinstance(entry, KeptItem) and entry.changes}
    assert not changed & set(locked)
    fresh = [name.lower() for name in after if name not in there]
    refused = {change.title.lower() for change in found.changes if change.verdict == "locked"}
    assert all(name in placed or name in refused for name in fresh)
