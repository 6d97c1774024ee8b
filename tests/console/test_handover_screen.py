"""The handover page and the notes of a shift. Look at a changed picture."""

import pytest

from mcr_console.client import ApiProblem
from mcr_console.screens.asrun import AsRunScreen
from mcr_console.screens.handover import HandoverScreen
from tests.console.conftest import Desk, settled
from tests.console.desk_scenes import an_alarm, troubled_machines
from tests.console.handover_scenes import NOTES, page_of
from tests.console.scenes import (
    asrun_events,
    channel,
    control,
    degraded_alarms,
    degraded_channels,
    ident,
    lost,
    normal_channels,
    reset,
)
from tests.console.test_snapshots import SIZES, SnapCompare, before, named

GONE = ApiProblem("No database", "The store does not answer.", "Playout goes on.", code="unavailable", status=503)
LEFT = (
    *degraded_channels(),
    channel(11, "Parliament", "sitting_live", hold=True, control=control("bob", station="gallery 1 pts/0")).model_copy(
        update={"hold_failover": True, "hold_failover_by": "ann"}
    ),
)
NIGHT = page_of(LEFT, troubled_machines(), degraded_alarms(), NOTES)
WALL = [reset(normal_channels())]
TROUBLED = [reset(degraded_channels(), degraded_alarms())]


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_handover(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(WALL, page=page_of(normal_channels(), notes=NOTES))
    assert snap_compare(desk.app, terminal_size=size, run_before=before("f9", desk=desk))


@pytest.mark.parametrize("scene", ["degraded", "stale", "lost"])
def test_handover_of_a_night(snap_compare: SnapCompare, scene: str) -> None:
    desk = Desk([*TROUBLED, lost()] if scene == "lost" else TROUBLED, page=NIGHT)
    passed = {"lost": 23.0, "stale": 3.5}.get(scene, 0.0)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f9", desk=desk, passed=passed))


def test_handover_empty(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(())], page=page_of(()))
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f9", desk=desk))


def test_handover_that_nobody_tells(snap_compare: SnapCompare) -> None:
    desk = Desk(WALL, problem=GONE)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f9", desk=desk))


async def test_a_note_is_of_the_channel_that_was_focused_when_its_key_was_pressed() -> None:
    desk = Desk(WALL, page=page_of(normal_channels()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "exclamation_mark")
        await settled(pilot)
        assert "note on 3 SPORT:" in desk.text()
        await pilot.press(*"call Bea", "enter")
        await settled(pilot)
        await pilot.press("colon", *"note of 3 too", "enter")
        await settled(pilot)
        assert [(one.channel_id, one.text) for one in desk.supervisor.noted] == [
            (ident(3), "call Bea"),
            (ident(3), "of 3 too"),
        ]
        await pilot.press("f9")
        await settled(pilot)
        assert isinstance(desk.app.screen, HandoverScreen)
        await pilot.press("exclamation_mark", *"all quiet", "enter")
        await settled(pilot)
        assert desk.supervisor.noted[-1].channel_id is None
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(desk.app.screen, HandoverScreen)
    assert not desk.app.faults


async def test_a_note_is_of_the_selected_alarm_and_of_the_selected_event() -> None:
    desk = Desk([reset(normal_channels(), [an_alarm(2, 3)])], history=asrun_events(5))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "f6", "exclamation_mark")
        await settled(pilot)
        assert "note on the alarm Sport repeats frames" in desk.text()
        await pilot.press(*"seen", "enter")
        await settled(pilot)
        await pilot.press("escape", "f5")
        await settled(pilot)
        await pilot.press("j", "exclamation_mark", *"cut", "enter")
        await settled(pilot)
        alarm, event = desk.supervisor.noted
        assert (alarm.text, alarm.alarm_id, alarm.channel_id) == ("seen", an_alarm(2, 3).id, None)
        top = desk.app.top
        assert isinstance(top, AsRunScreen)
        assert top.event is not None
        assert (event.text, event.channel_id, event.run_id, event.seq) == (
            "cut", top.event.channel_id, top.event.run_id, top.event.seq,
        )  # fmt: skip
    assert not desk.app.faults


async def test_a_note_that_cannot_be_written_is_not_lost() -> None:
    desk = Desk(WALL, problem=GONE)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("exclamation_mark", *"call Bea", "enter")
        await settled(pilot)
        assert "not written (No database): call Bea" in desk.text()


async def test_what_is_written_is_on_the_page_at_once() -> None:
    desk = Desk(WALL, page=page_of(normal_channels()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f9")
        await settled(pilot)
        assert "none; ! writes one" in desk.text()
        desk.supervisor.page = page_of(normal_channels(), notes=NOTES)
        await pilot.press("exclamation_mark", *"x", "enter")
        await settled(pilot)
        assert "crosspoint 14" in desk.text()
