"""STANDBY and REJOIN from every screen; where the channel is not seen they ask first, and name it."""

import pytest

from mcr_console.keys import EVERYWHERE
from mcr_console.screens.arming import ArmScreen
from tests.console.conftest import Desk, settled
from tests.console.handover_scenes import page_of
from tests.console.scenes import asrun_events, channel, control, ident, normal_channels, reset

ON_STANDBY = [*normal_channels()[:2], channel(3, "Sport", None, picture="standby"), *normal_channels()[3:]]
ENTER = {"wall": "f2", "list": "f3", "channel": "enter", "asrun": "f5", "nodes": "f7", "handover": "f9"}


@pytest.mark.parametrize("place", [place for place in EVERYWHERE if place in ENTER])
@pytest.mark.parametrize(("key", "verb"), [("B", "standby"), ("R", "rejoin")])
async def test_on_every_screen(place: str, key: str, verb: str) -> None:
    desk = Desk([reset(ON_STANDBY)], history=asrun_events(9), page=page_of(normal_channels()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", ENTER[place])
        await settled(pilot)
        assert verb.upper() in desk.text().splitlines()[-1]
        await pilot.press(key)
        await settled(pilot)
        if place in {"wall", "list", "channel"}:
            assert not isinstance(desk.app.screen, ArmScreen)
        else:
            assert isinstance(desk.app.screen, ArmScreen)
            assert f"{verb.upper()} on 3 SPORT?" in desk.text()
            await pilot.press("enter")
            await settled(pilot)
            assert desk.supervisor.sent == [], "the focus was on Cancel"
            desk.clock.passed += 2
            await pilot.press(key, "right", "enter")
            await settled(pilot)
        assert [(id_, said) for id_, said, _ in desk.supervisor.sent] == [(ident(3), verb)]
    assert not desk.app.faults


async def test_in_anothers_hands_it_says_so_where_no_tile_could() -> None:
    held = [*normal_channels()[:2], channel(3, "Sport", control=control("ann")), *normal_channels()[3:]]
    desk = Desk([reset(held)], history=asrun_events(9))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "f5", "B")
        await settled(pilot)
        assert not isinstance(desk.app.screen, ArmScreen)
        assert "STANDBY 3 SPORT: ann" in desk.text()
        assert desk.supervisor.sent == []
