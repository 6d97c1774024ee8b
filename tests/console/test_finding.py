"""`/` on the screens of rows: what aired, what needs somebody, nodes, and why."""

import pytest
from textual.pilot import Pilot

from mcr_console.screens.asrun import AsRunScreen
from mcr_console.screens.attention import AttentionScreen
from mcr_console.screens.operator_screen import OperatorScreen
from supervisor.schemas.explanation import Refused
from tests.console.conftest import Desk, settled
from tests.console.desk_scenes import NOON, DeskScene, open_alarms, what_is_coming
from tests.console.scenes import asrun_events, degraded_channels, normal_channels, reset


async def pressed(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def cursor(desk: Desk) -> int | None:
    screen = desk.app.screen
    assert isinstance(screen, OperatorScreen)
    assert screen.listed is not None
    return screen.listed.cursor


async def test_of_what_aired_an_event_is_found_and_the_next_one_and_the_one_before() -> None:
    events = asrun_events(40)
    desk = Desk([reset(normal_channels())], history=events)
    weather = [index for index, event in enumerate(events) if event.title == "weather_am"]
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pressed(pilot, "r", "slash", *"WEATHER", "enter")
        screen = desk.app.screen
        assert isinstance(screen, AsRunScreen)
        assert cursor(desk) == weather[0]
        assert screen.event == events[weather[0]]
        await pressed(pilot, "n")
        assert cursor(desk) == weather[1]
        await pressed(pilot, "N", "N")
        assert cursor(desk) == weather[-1], "round the end"
        await pressed(pilot, "slash", *"no data", "enter")
        assert events[cursor(desk) or 0].detail == "no data for 2 s", "what the line says is found too"
        await pressed(pilot, "slash", *"tHDBnone", "enter")
        assert "no row has 'tHDBnone'" in desk.text()
    assert desk.supervisor.sent == []
    assert not desk.app.faults


async def test_while_there_are_older_ones_nothing_is_called_absent() -> None:
    desk = Desk([reset(normal_channels())], history=asrun_events(400))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pressed(pilot, "r", "slash", *"none", "enter")
        assert "no 'none' so far; G fetches older ones" in desk.text()


async def test_of_what_needs_somebody_a_row_is_found_by_what_it_says_and_no_heading_is() -> None:
    desk = Desk([reset(degraded_channels(), open_alarms())], desk=DeskScene(coming=what_is_coming()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pressed(pilot, "A", "slash", *"council_live", "enter")
        screen = desk.app.screen
        assert isinstance(screen, AttentionScreen)
        assert screen.coming is not None
        assert "council_live" in screen.coming.text
        before = cursor(desk)
        await pressed(pilot, "slash", *"COMING,", "enter")
        assert "no row has 'COMING,'" in desk.text()
        assert cursor(desk) == before
    assert not desk.app.faults


@pytest.mark.parametrize(("key", "words"), [("M", "node-b"), ("e", "olga at desk 1")])
async def test_a_row_of_the_other_lists_is_found(key: str, words: str) -> None:
    told = Refused(
        at=NOON, by="ann", action="take", outcome="refused", status=409, code="controlled", why="olga at desk 1 has it"
    )
    desk = Desk([reset(normal_channels())], desk=DeskScene(refused=(told,)))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pressed(pilot, key, "slash", *words, "enter")
        screen = desk.app.screen
        assert isinstance(screen, OperatorScreen)
        assert screen.listed is not None
        found = screen.listed.cursor
        assert found is not None
        assert words in screen.listed.words(found)
        assert "no row" not in desk.text()
        assert desk.supervisor.sent == []


async def test_where_there_are_no_rows_the_command_says_so() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pressed(pilot, "colon", *"find x", "enter")
        assert "here is none" in desk.text()
