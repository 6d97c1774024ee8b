"""What keys do that are none of air: going to a channel, filters, commands, and what no key may do."""

import gc
from pathlib import Path

import pytest

from mcr_console.client import ApiProblem
from mcr_console.key_sheet import sheet
from mcr_console.keys import ACTIONS, BY_ID, EVERYWHERE
from mcr_console.screens.arming import ArmScreen
from mcr_console.screens.channel import ChannelScreen
from mcr_console.screens.channel_list import ListScreen
from mcr_console.screens.new_channel import CreateScreen
from tests.console.conftest import Desk, forgotten, settled
from tests.console.scenes import (
    asrun_events,
    channel,
    degraded_alarms,
    degraded_channels,
    ident,
    lost,
    normal_channels,
    reset,
)


def test_every_entry_of_the_table_has_a_handler_and_no_key_means_two_things() -> None:
    desk = Desk([])
    assert set(desk.app.handled) == set(BY_ID)
    for place in EVERYWHERE:
        keys = [key for action in ACTIONS if place in action.places for key in action.keys]
        assert len(keys) == len(set(keys)), place
        assert not {str(digit) for digit in range(10)} & set(keys)
    assert all(action.rank for action in ACTIONS if action.air), "every air key stands in the footer when there is room"


def test_list_keys_are_no_air_keys() -> None:
    air = {key for action in ACTIONS if action.air for key in action.keys}
    assert not air & {"up", "down", "left", "right", "j", "k", "g", "G", "slash", "n", "N", "space", "enter", "escape"}


async def test_digits_focus_a_channel_and_wait_for_more() -> None:
    desk = Desk([reset([channel(number, f"Channel {number}") for number in (1, 2, 12, 123)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for digit, focus in (("1", 1), ("2", 12), ("3", 123)):
            await pilot.press(digit)
            assert desk.session.focus == ident(focus)
        desk.clock.passed += 2
        await pilot.press("2")
        assert desk.session.focus == ident(2)
        await pilot.press("9")
        assert desk.session.focus == ident(2), "there is no 29 and no 9"


async def test_focus_stays_on_its_channel_when_others_come_and_go() -> None:
    desk = Desk([reset([channel(2, "Two"), channel(5, "Five")])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        desk.supervisor.tell(reset([channel(number, f"Channel {number}") for number in range(1, 9)]))
        await settled(pilot)
        assert desk.session.focus == ident(5)
        desk.supervisor.tell(reset([channel(1, "One")]))
        await settled(pilot)
        await pilot.press("t")
        await settled(pilot)
        assert desk.supervisor.sent == [], "the focused channel is gone, and no other may take its place"


async def test_filter_shows_matches_and_its_keys_never_reach_air() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("l")
        await settled(pilot)
        assert isinstance(desk.app.screen, ListScreen)
        await pilot.press("slash", *"sport", "f12")
        await settled(pilot)
        assert desk.session.visible() == (ident(3),)
        await pilot.press("enter")
        await settled(pilot)
        assert desk.session.focus == ident(3)
        await pilot.press("escape")
        await settled(pilot)
        assert len(desk.session.visible()) == 9
        await pilot.press("slash", *"!on air", "enter")
        await settled(pilot)
        assert desk.session.visible() == (ident(8),)
        assert desk.supervisor.sent == []


async def test_where_the_focus_cannot_be_seen_no_key_acts_and_the_screen_says_so() -> None:
    desk = Desk([reset(degraded_channels(), degraded_alarms())])
    async with desk.app.run_test(size=(70, 20)) as pilot:
        await settled(pilot)
        for key in ("t", "f12", "H", "B", "R", "s", "S", "X", "F", "a"):
            await forgotten(desk, pilot)
            assert "nothing sent" not in desk.text(), key
            await pilot.press("5", key)
            await settled(pilot)
            assert not isinstance(desk.app.screen, ArmScreen), key
            assert (desk.supervisor.sent, desk.supervisor.acknowledged) == ([], []), key
            assert "nothing sent, the terminal is smaller than 80x24" in " ".join(desk.text().split()), key


async def test_an_armed_question_does_nothing_once_the_terminal_is_too_small() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "X")
        await settled(pilot)
        await pilot.resize_terminal(70, 20)
        await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert desk.supervisor.sent == []
        assert "nothing sent" in desk.text()


async def test_a_take_typed_where_no_channel_stands_is_not_sent() -> None:
    desk = Desk([reset(normal_channels())], history=asrun_events(5))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("r", "colon", *"take", "enter")
        await settled(pilot)
        assert desk.supervisor.sent == []
        assert "nothing sent" in desk.text()


async def test_a_filter_does_not_follow_titles_that_change_by_themselves() -> None:
    desk = Desk([reset([channel(1, "Weather", "bikes", follows="bikes"), channel(2, "Bikes TV", "news")])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"bikes", "enter")
        await settled(pilot)
        assert desk.session.visible() == (ident(2),)
        assert "TAKE 2 BIKES TV" in desk.text()
        assert "FOCUS" in desk.text()


@pytest.mark.parametrize("keys", ["4", ":ch 4\n"], ids=["digit", "command"])
async def test_a_channel_that_the_filter_hides_is_never_the_target(keys: str) -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(200, 40)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"sport", "enter")
        await settled(pilot)
        await pilot.press(*({":": "colon", " ": "space", "\n": "enter"}.get(key, key) for key in keys))
        await settled(pilot)
        assert desk.session.focus is None
        assert "4 Movies is hidden by the filter" in desk.text()
        assert "TAKE" not in desk.text()
        await pilot.press("t")
        await settled(pilot)
        assert desk.supervisor.sent == []
        assert "4 Movies is hidden by the filter" in desk.text()
        await pilot.press("escape")
        await settled(pilot)
        assert desk.session.focus == ident(4)


async def test_a_channel_that_leaves_the_filter_takes_the_focus_from_the_wall_but_not_from_its_own_screen() -> None:
    held = channel(2, "Kids", hold=True, picture="hold")
    desk = Desk([reset([channel(1, "News"), held])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"hold", "enter", "enter")
        await settled(pilot)
        desk.supervisor.tell(reset([channel(1, "News"), channel(2, "Kids", version=99)]))
        await settled(pilot)
        assert isinstance(desk.app.screen, ChannelScreen)
        assert desk.session.focus == ident(2)
        await pilot.press("escape")
        await settled(pilot)
        assert desk.session.focus is None
        await pilot.press("t")
        await settled(pilot)
        assert desk.supervisor.sent == []


async def test_command_line_goes_to_channels_and_does_what_keys_do() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("colon", *"ch 4", "enter")
        await settled(pilot)
        assert desk.session.focus == ident(4)
        await pilot.press("colon", *"take", "enter")
        await settled(pilot)
        assert [(id_, verb) for id_, verb, _ in desk.supervisor.sent] == [(ident(4), "take")]
        await pilot.press("colon", *"nonsense", "enter")
        await settled(pilot)
        assert "no command" in desk.text()


@pytest.mark.parametrize(
    "place", ["wall", *(pytest.param(it, marks=pytest.mark.long) for it in ("list", "channel", "asrun"))]
)
async def test_every_key_leaves_the_console_whole(place: str) -> None:
    opens = "standby rejoin note handover filter command palette help create start stop freeze open asrun"
    edits = "edit insert insert_below move copy delete import"
    open_something = {*opens.split(), *edits.split()}
    desk = Desk([reset(degraded_channels(), degraded_alarms()), lost()], history=asrun_events(30))
    enter = {"wall": "f2", "list": "f3", "channel": "enter", "asrun": "f5"}[place]
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(enter)
        for action in ACTIONS:
            if place not in action.places or action.id in {"quit", "back", "wall", "list"} or not action.keys:
                continue
            await pilot.press(action.keys[0])
            if action.id in open_something:
                await settled(pilot)
                await pilot.press("escape")
            assert not desk.app.faults, action.id
        await pilot.press("escape", "f2")
        await settled(pilot)
    assert not desk.app.faults


async def test_acknowledge_names_the_alarms_of_the_focused_channel() -> None:
    desk = Desk([reset(degraded_channels(), degraded_alarms())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("5", "a")
        await settled(pilot)
        assert desk.supervisor.acknowledged == [ident(1, "a")]


async def test_an_empty_wall_makes_a_channel_that_plays_a_folder() -> None:
    desk = Desk([reset(())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "mcr channel add NAME" in desk.text()
        assert "c   new channel" in desk.text()
        await pilot.press("c", *"News", "tab", *"clips", *["tab"] * 4, "enter")
        await settled(pilot)
        assert "from its root" in desk.text()
        await pilot.press(*["shift+tab"] * 4, "home", "slash", "tab", *["backspace"] * 6, *"1080p59.94")
        await pilot.press("tab", "end", *" udp://239.0.0.1:5000", "tab", "tab", "enter")
        await settled(pilot)
        assert not isinstance(desk.app.screen, CreateScreen)
        [made] = desk.supervisor.created
        assert (made.name, made.format.height, made.playlist_id) == ("News", 1080, ident(1, "p"))
        assert (made.format.rate, [output.kind for output in made.outputs]) == ("60000/1001", ["hls", "udp"])
        assert desk.supervisor.sent == [(ident(1), "start", None)]


async def test_a_channel_that_is_made_but_not_started_is_not_asked_for_again() -> None:
    desk = Desk([reset(normal_channels())])
    desk.supervisor.refuses_start = ApiProblem("No node", "node-a is full.", "Add one.", code="no_node", status=409)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("c", *"News", "enter", *"/clips", "enter", "enter", "enter", "enter")
        await settled(pilot)
        assert not isinstance(desk.app.screen, CreateScreen), (
            "Enter alone leads through the form, and does not end at Cancel"
        )
        assert len(desk.supervisor.created) == 1
        assert "News is made but not started, S starts it" in desk.text()


async def test_a_bug_in_a_handler_is_shown_and_the_console_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)

        def broken(action: str) -> None:
            raise RuntimeError(f"no {action} today")

        monkeypatch.setattr(desk.app.screen, "navigate", broken)
        await pilot.press("j")
        await settled(pilot)
        assert "this console has a fault" in desk.text()
        assert "no down today" in desk.text()
        await pilot.press("t")
        await settled(pilot)
        assert len(desk.supervisor.sent) == 1
    assert len(desk.app.faults) == 1


async def test_older_asrun_pages_come_when_the_cursor_nears_the_end() -> None:
    desk = Desk([reset(normal_channels())], history=asrun_events(450))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        assert desk.supervisor.pages == 1
        for pages in (2, 3, 4, 5):
            await pilot.press("G")
            await settled(pilot)
            assert desk.supervisor.pages == pages
        assert "450 events" in desk.text()


@pytest.mark.filterwarnings("always")
async def test_a_quit_in_the_middle_leaves_no_fetch_that_was_never_awaited(recwarn: pytest.WarningsRecorder) -> None:
    desk = Desk([reset(normal_channels())], history=asrun_events(5))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        desk.clock.passed += 3
        desk.app.tick()
        assert desk.session.thumbnails.busy
        # What the app's own end does, here before any of them had its first turn.
        desk.app.workers.cancel_all()
        await pilot.pause()
        gc.collect()
    assert [str(one.message) for one in recwarn if "never awaited" in str(one.message)] == []


async def test_channel_screen_follows_a_digit() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "enter")
        await settled(pilot)
        desk.clock.passed += 2
        await pilot.press("4")
        await settled(pilot)
        assert isinstance(desk.app.screen, ChannelScreen)
        assert "4 Movies" in desk.text().splitlines()[0]
        assert "Sintel (reel 2)" in desk.text()


def test_the_key_sheet_in_the_docs_is_what_the_table_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == sheet(), "run make keys"
