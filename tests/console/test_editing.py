"""Editing a rundown in place: what is typed is shown with its times, then done, and never lost."""

import asyncio

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from mcr_console.client import ApiProblem
from mcr_console.edit_draft import Draft, item_of, length_of, patch_of
from mcr_console.screens.channel import ChannelScreen
from mcr_console.screens.edit_base import EditScreen
from mcr_console.screens.edit_import import ImportScreen
from supervisor.schemas.playlist import Item
from supervisor.schemas.rundown_edit import ChangeEdit, DuplicateEdit, InsertEdit, MoveEdit, RemoveEdit
from tests.console.conftest import Desk, desk_with_list, settled
from tests.console.lists import ASSETS, item_id


async def opened(desk: Desk, pilot: Pilot[None], *keys: str) -> None:
    await settled(pilot)
    await pilot.press("2", "enter")
    await settled(pilot)
    await pilot.press(*keys)
    await settled(pilot)


async def test_a_clip_is_found_by_its_words_and_inserted_before_the_row() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "j", "i", *"promo")
        assert "Insert before promo_autumn" in desk.text()
        assert "promo_spring" in desk.text()
        assert "trailer_fire" not in desk.text()
        assert "clip_of_store" in desk.text(), "it is shown where it would be"
        assert list_.edits == []
        await pilot.press("down", "enter")
        await settled(pilot)
        [done] = list_.edits
        assert isinstance(done.edit, InsertEdit)
        assert (done.revision, done.edit.at, done.edit.items[0].asset_id) == (3, 3, ASSETS[1].id)
        assert isinstance(desk.app.screen, ChannelScreen)
        row = desk.app.screen.selected_row()
        assert row is not None
        assert row.item_id == item_id(90), "the cursor is on what is new"
        assert "inserted, revision 4" in desk.text()
    assert not desk.app.faults


async def test_only_what_was_changed_of_an_item_is_sent_and_times_follow_what_is_typed() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "j", "enter")
        assert "Nothing is changed yet" in desk.text()
        assert "14:09:28:00" in desk.text(), "break_14b, after all of promo_autumn"
        desk.app.screen.query_one("#out", Input).value = "00:00:40:00"
        await settled(pilot)
        assert "14:09:38:00" in desk.text(), "10 s later"
        await pilot.press("enter")
        await settled(pilot)
        [done] = list_.edits
        assert isinstance(done.edit, ChangeEdit)
        assert done.edit.changes.model_dump(exclude_unset=True) == {"out_timecode": "00:00:40:00"}
    assert not desk.app.faults


async def test_what_is_typed_before_the_form_is_there_is_no_air_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its item comes late: ``t`` of a title that is typed ahead must not take, nor after the form could not open."""
    desk, list_ = desk_with_list()
    may_come = asyncio.Event()
    there = list_.item

    async def late(id_: str) -> Item:
        await may_come.wait()
        raise ApiProblem("Not found", "There is no such item.", "", code="not_found", status=404)

    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "j")
        monkeypatch.setattr(list_, "item", late)
        await pilot.press("enter", "t", "c")
        assert "nothing done, an edit was asked for" in desk.text()
        may_come.set()
        await settled(pilot)
        await pilot.press("t")
        assert desk.supervisor.sent == []
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        monkeypatch.setattr(list_, "item", there)
        await pilot.press("t")
        await settled(pilot)
        assert [verb for _, verb, _ in desk.supervisor.sent] == ["take"], "nothing waits for ever"
    assert not desk.app.faults


async def test_esc_gives_up_an_edit_that_does_not_come_and_no_form_opens_over_what_is_done_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A supervisor that is slow to tell an item keeps nobody from STANDBY."""
    desk, list_ = desk_with_list()
    may_come = asyncio.Event()
    there = list_.item

    async def late(id_: str) -> Item:
        await may_come.wait()
        return await there(id_)

    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "j")
        monkeypatch.setattr(list_, "item", late)
        await pilot.press("enter", "escape")
        await pilot.press("enter", "B")
        await settled(pilot)
        assert [verb for _, verb, _ in desk.supervisor.sent] == ["standby"]
        may_come.set()
        await settled(pilot)
        assert isinstance(desk.app.screen, ChannelScreen)
    assert not desk.app.faults


async def test_move_copy_and_delete() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "j", "m", "down", "down", "enter")
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("delete")
        await settled(pilot)
        assert "Delete promo_autumn from the list?" in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        move, copy, remove = (done.edit for done in list_.edits)
        assert move == MoveEdit(item_id=item_id(4), to=5)
        assert copy == DuplicateEdit(item_id=item_id(4))
        assert remove == RemoveEdit(item_id=item_id(91)), "the copy, where the cursor was"
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert "taken back: inserted 1 item" in desk.text()
    assert not desk.app.faults


async def test_what_is_locked_is_refused_with_the_sentence_and_nothing_is_done() -> None:
    desk, list_ = desk_with_list()
    list_.locked = "'weather_am' is due on Kids in 12 s: it is not deleted"
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "delete")
        assert "is due on Kids in 12 s: it is not deleted" in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(desk.app.screen, EditScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert list_.edits == []
    assert not desk.app.faults


async def test_when_the_list_moved_on_the_text_is_kept_and_shown_against_the_new_one() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await opened(desk, pilot, "j", "i", *"slate 0:30 Sorry")
        list_.somebody_else_edits()
        await pilot.press("enter")
        await settled(pilot)
        assert "revision 3 is now 4" in desk.text()
        assert "14:09:08:00" in desk.text(), "10 s later than it was"
        assert desk.app.screen.query_one("#search", Input).value == "slate 0:30 Sorry"
        assert list_.edits == [], "another Enter is asked for"
        await pilot.press("enter")
        await settled(pilot)
        [done] = list_.edits
        assert isinstance(done.edit, InsertEdit)
        assert (done.revision, done.edit.at) == (4, 4), "still before promo_autumn, which is a row further down"
        assert (done.edit.items[0].kind, done.edit.items[0].slate_frames) == ("slate", 750)
    assert not desk.app.faults


async def test_a_list_is_imported_after_its_difference_was_seen() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "ctrl+o", *"lists/day.csv", "enter")
        assert "from its root" in desk.text()
        await pilot.press("home", "slash", "enter")
        await settled(pilot)
        assert "+ inserted" in desk.text()
        assert "! locked" in desk.text()
        assert "2 changes, Enter does them" in desk.text()
        assert [dry for _, dry in list_.revised] == [True]
        list_.somebody_else_edits()
        await pilot.press("enter")
        await settled(pilot)
        assert "revision 3 is now 4" in desk.text()
        assert isinstance(desk.app.screen, ImportScreen)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert [(values.revision, dry) for values, dry in list_.revised[1:]] == [(3, False), (4, True), (4, False)]
        assert isinstance(desk.app.screen, ChannelScreen)
    assert not desk.app.faults


def test_a_draft_says_only_what_differs() -> None:
    was = Draft(title="A", start="follow", first="00:00:00:00", out="", end="duration")
    now = Draft(title="A", start="~20:15:00", first="", out="00:00:10:00", end="21:00:00")
    assert patch_of(was, now, "25").model_dump(exclude_unset=True) == {
        "start_mode": "fixed", "fixed_time": "20:15:00", "fixed_kind": "soft", "in_frames": 0,
        "out_timecode": "00:00:10:00", "end_mode": "at", "end_time": "21:00:00",
    }  # fmt: skip
    with pytest.raises(ValueError, match="Nothing is changed"):
        patch_of(was, was, "25")
    with pytest.raises(ValueError, match=r"20:15:00"):
        patch_of(was, Draft(title="A", start="soon"), "25")


def test_a_length_is_frames_of_the_channel() -> None:
    assert (length_of("0:30", "25"), length_of("90", "30000/1001"), length_of("1:00:00", "25")) == (750, 2697, 90000)
    assert length_of("00:00:01:05", "25") == 30
    for wrong in ("", "0", "x", "1:2:3:4:5"):
        with pytest.raises(ValueError, match=r"length|timecode"):
            length_of(wrong, "25")


def test_what_is_typed_is_a_live_input_a_slate_a_comment_or_a_search() -> None:
    live, slate, comment = (item_of(text, "25") for text in ("srt://ob:9000", "slate 0:10 Sorry", "# the news"))
    assert live is not None
    assert slate is not None
    assert comment is not None
    assert (live.kind, live.url, live.end_mode) == ("live", "srt://ob:9000", "take")
    assert (slate.kind, slate.slate_frames, slate.title) == ("slate", 250, "Sorry")
    assert (comment.kind, comment.title) == ("comment", "the news")
    assert item_of("slate clips", "25") is None
    assert item_of("promo", "25") is None


async def test_a_row_is_found_by_words_of_its_title_and_its_letters_never_reach_air() -> None:
    desk, _ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await opened(desk, pilot, "slash", *"promo_sB", "backspace", "backspace", "enter")
        screen = desk.app.screen
        assert isinstance(screen, ChannelScreen)

        def row() -> str:
            found = screen.selected_row()
            return "" if found is None else found.title

        first = row()
        await pilot.press("slash", "ctrl+u", *"_", "enter")
        await settled(pilot)
        found = [row()]
        for key in ("n", "n", "N"):
            await pilot.press(key)
            await settled(pilot)
            found.append(row())
        assert first.startswith("promo_")
        assert len({*found[:3]}) == 3
        assert found[3] == found[1], "N goes back"
        await pilot.press("slash", "ctrl+u", *"tHDBnone", "enter")
        await settled(pilot)
        assert "no row has 'tHDBnone' in its title" in desk.text()
        assert row() == found[3], "the cursor stays"
        await pilot.press("colon", *f"find {first.upper()}", "enter")
        await settled(pilot)
        assert row() == first
    assert desk.supervisor.sent == []
    assert not desk.app.faults
