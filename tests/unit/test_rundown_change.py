"""An edit of a rundown: the list as it would be, and what is left alone with the sentence why."""

from datetime import UTC, datetime

import pytest

from db.models import Item
from supervisor.api.rundown_change import as_it_would_be, change_of, require_unlocked
from supervisor.errors import Conflict, Invalid
from supervisor.playlists.difference import OldItem
from supervisor.schemas.playlist import ItemIn, ItemPatch
from supervisor.schemas.rundown_edit import AnyEdit, ChangeEdit, DuplicateEdit, InsertEdit, MoveEdit, RemoveEdit

NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)
SLATE = ItemIn(kind="slate", slate_frames=50, title="new")


def ident(place: int) -> str:
    return f"{place:032x}"


def items(count: int = 5) -> list[Item]:
    return [
        Item(
            id=ident(place), playlist_id=ident(99), position=place, kind="slate", title=f"S{place}", in_frames=0,
            slate_frames=25, start_mode="follow", dropped=False,
        )
        for place in range(count)
    ]  # fmt: skip


def after(edit: AnyEdit) -> list[str]:
    rows = as_it_would_be(items(), change_of(edit, items(), {}, None, NOW))
    assert [row.position for row in rows] == list(range(len(rows)))
    return [row.title for row in rows]


def test_each_edit_makes_the_list_that_it_says() -> None:
    assert after(InsertEdit(at=1, items=(SLATE,))) == ["S0", "new", "S1", "S2", "S3", "S4"]
    assert after(InsertEdit(items=(SLATE,)))[-1] == "new"
    assert after(InsertEdit(at=77, items=(SLATE,)))[-1] == "new"
    assert after(MoveEdit(item_id=ident(1), to=3)) == ["S0", "S2", "S3", "S1", "S4"]
    assert after(MoveEdit(item_id=ident(3), to=0)) == ["S3", "S0", "S1", "S2", "S4"]
    assert after(DuplicateEdit(item_id=ident(2))) == ["S0", "S1", "S2", "S2", "S3", "S4"]
    assert after(RemoveEdit(item_id=ident(0))) == ["S1", "S2", "S3", "S4"]
    assert after(ChangeEdit(item_id=ident(4), changes=ItemPatch(title="X")))[-1] == "X"


def test_the_rows_that_there_are_stay_as_they_are() -> None:
    rows = items()
    as_it_would_be(rows, change_of(MoveEdit(item_id=ident(1), to=3), rows, {}, None, NOW))
    assert [row.position for row in rows] == [0, 1, 2, 3, 4]


def test_a_copy_follows_on_and_its_end_is_its_own() -> None:
    rows = items()
    rows[2] = Item(
        id=ident(2), playlist_id=ident(99), position=2, kind="slate", title="S2", in_frames=0, slate_frames=25,
        start_mode="fixed", fixed_at=NOW, dropped=True, airing={"repeat": 2}, traffic_id="T1",
    )  # fmt: skip
    made = as_it_would_be(rows, change_of(DuplicateEdit(item_id=ident(2)), rows, {}, None, NOW))[3]
    assert (made.title, made.start_mode, made.fixed_at, made.dropped) == ("S2", "follow", None, False)
    assert (made.airing, made.traffic_id) == ({"repeat": 2}, None)
    assert made.id != ident(2)


def test_what_is_gone_and_what_cannot_be_is_refused() -> None:
    with pytest.raises(Conflict) as gone:
        change_of(RemoveEdit(item_id=ident(50)), items(), {}, None, NOW)
    assert gone.value.conflict == "stale_revision"
    with pytest.raises(Invalid):
        change_of(ChangeEdit(item_id=ident(1), changes=ItemPatch(in_frames=3)), items(), {}, None, NOW)


def standing() -> list[OldItem]:
    why = {
        0: ("aired on News", True),
        1: ("on air on News", True),
        2: ("due on News in 12 s", True),
        4: ("cued on News", False),
    }
    return [OldItem(row, None, *why.get(row.position, ("", False))) for row in items()]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (RemoveEdit(item_id=ident(1)), "'S1' is on air on News: it is not deleted"),
        (ChangeEdit(item_id=ident(4), changes=ItemPatch(title="X")), "'S4' is cued on News: it is not changed"),
        (MoveEdit(item_id=ident(0), to=4), "'S0' is aired on News: it is not moved"),
        (InsertEdit(at=2, items=(SLATE,)), "'S2' is due on News in 12 s: nothing is inserted before it"),
        (InsertEdit(at=0, items=(SLATE,)), "nothing is inserted before it"),
        (MoveEdit(item_id=ident(3), to=1), "nothing is moved before it"),
    ],
)
def test_what_aired_is_on_air_cued_or_due_is_left_alone(edit: AnyEdit, says: str) -> None:
    with pytest.raises(Conflict, match=says) as refused:
        require_unlocked(change_of(edit, items(), {}, None, NOW), standing(), loops=False)
    assert refused.value.conflict == "locked"


@pytest.mark.parametrize(
    "edit",
    [
        RemoveEdit(item_id=ident(3)),
        InsertEdit(at=3, items=(SLATE,)),
        InsertEdit(items=(SLATE,)),
        DuplicateEdit(item_id=ident(2)),
        MoveEdit(item_id=ident(3), to=4),
    ],
)
def test_the_rest_may_be_edited(edit: AnyEdit) -> None:
    require_unlocked(change_of(edit, items(), {}, None, NOW), standing(), loops=False)


def test_in_a_list_that_loops_what_comes_before_airs_in_the_next_round_but_not_before_what_is_due() -> None:
    why = {4: ("on air on News", True), 0: ("due on News in 5 s", True)}
    looping = [OldItem(row, None, *why.get(row.position, ("", False))) for row in items()]
    require_unlocked(change_of(InsertEdit(at=4, items=(SLATE,)), items(), {}, None, NOW), looping, loops=True)
    for at in (0, 5):
        with pytest.raises(Conflict, match="due on News"):
            require_unlocked(change_of(InsertEdit(at=at, items=(SLATE,)), items(), {}, None, NOW), looping, loops=True)
