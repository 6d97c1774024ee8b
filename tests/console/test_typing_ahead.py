"""Keys that come together, over a slow line or ahead of a busy console, do what they would do one by one."""

from textual.events import Key
from textual.widgets import Input

from mcr_console.client import ApiProblem
from mcr_console.screens.new_channel import CreateScreen
from tests.console.conftest import Desk, desk_with_list, settled
from tests.console.scenes import normal_channels, reset

BACK = "\x19"
CODES = {BACK: "shift+tab", "\t": "tab", "\r": "enter", "\x7f": "backspace", "\x15": "ctrl+u"}


def typed_at_once(desk: Desk, keys: str) -> None:
    """All of them before the console looks at the first."""
    for key in keys:
        desk.app.post_message(Key(CODES.get(key, key), key))


async def test_a_form_that_is_typed_ahead_has_every_word_in_its_own_field() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        typed_at_once(desk, "Newt\x7fs\r/clipz\x7fs\r1080p50\t\x15hls udp://127.0.0.1:5004")
        await settled(pilot)
        screen = desk.app.screen
        assert isinstance(screen, CreateScreen)
        values = [screen.query_one(f"#{field}", Input).value for field in ("name", "folder", "format", "output")]
        assert values == ["News", "/clips", "1080p50", "hls udp://127.0.0.1:5004"]
        typed_at_once(desk, "\r\r")
        await settled(pilot)
        assert [made.name for made in desk.supervisor.created] == ["News"]
    assert not desk.app.faults


async def test_shift_tab_leads_back_to_the_field_before() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        typed_at_once(desk, f"Nws\r/wrong\t1080p50{BACK}/clips{BACK}News")
        await settled(pilot)
        screen = desk.app.screen
        assert isinstance(screen, CreateScreen)
        values = [screen.query_one(f"#{field}", Input).value for field in ("name", "folder", "format")]
        assert values == ["News", "/clips", "1080p50"]
    assert not desk.app.faults


async def test_an_edit_that_is_typed_ahead_changes_the_field_that_tab_led_to() -> None:
    desk, list_ = desk_with_list()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        await pilot.press("j", "enter")
        await settled(pilot)
        typed_at_once(desk, "\t\t\t00:00:40:00\r")
        await settled(pilot)
        [done] = list_.edits
        assert done.edit.model_dump()["changes"]["out_timecode"] == "00:00:40:00"
    assert not desk.app.faults


async def test_a_folder_that_cannot_be_read_is_what_is_typed_next() -> None:
    desk = Desk([reset(normal_channels())])
    desk.supervisor.problem = ApiProblem("Cannot be used", "/x cannot be read.", "", code="invalid", status=422)
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c", *"News", "enter", *"/x", "enter", "enter", "enter", "enter")
        await settled(pilot)
        assert "/x cannot be read." in desk.text()
        desk.supervisor.problem = None
        await pilot.press("ctrl+u", *"/clips", "enter", "enter", "enter", "enter")
        await settled(pilot)
        assert [made.name for made in desk.supervisor.created] == ["News"]
    assert not desk.app.faults
