"""A channel is moved off its node by hand: asked with node and channel named, or refused with the reason."""

import asyncio

import pytest

from mcr_console.screens.arming import ArmScreen
from mcr_console.screens.dialogs import LineScreen
from supervisor.schemas.channel import MoveIn
from supervisor.schemas.explanation import Placement
from tests.console.conftest import Desk, settled, until
from tests.console.desk_scenes import DeskScene, node_id
from tests.console.scenes import SEAT, channel, control, ident, normal_channels, reset
from tests.console.test_snapshots import SnapCompare, before

NEWS = [reset(normal_channels())]


async def test_it_is_asked_with_the_focus_on_cancel_and_goes_where_the_question_says() -> None:
    desk = Desk(NEWS)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "P")
        await until(lambda: isinstance(desk.app.screen, ArmScreen))
        assert "Move 1 NEWS 24 off node-a to node-b?" in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        assert desk.supervisor.moved == [], "a careless Enter does nothing"
        desk.clock.passed += 1
        await pilot.press("P")
        await until(lambda: isinstance(desk.app.screen, ArmScreen))
        await pilot.press("right", "enter")
        await settled(pilot)
        assert desk.supervisor.moved == [(ident(1), MoveIn(node_id=node_id(2), expect_epoch=7))]
        assert "begun: it gets ready there" in desk.text()
    assert not desk.app.faults


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("failover node-c", "node node-c is full: 8 of 8 channels"),
        ("failover nowhere", "no other node is named nowhere; there are node-b"),
    ],
)
async def test_a_node_that_cannot_take_it_is_refused_by_its_reason(command: str, said: str) -> None:
    desk = Desk(NEWS)
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.app.run_command(command)
        await settled(pilot)
        assert said in desk.text()
        assert not isinstance(desk.app.screen, ArmScreen)
    assert desk.supervisor.moved == []


async def test_what_keeps_it_where_it_is_is_said_and_nothing_is_sent() -> None:
    held = DeskScene(placement={"why_not": "failover is held by ann", "hint": "Release that first."})
    desk = Desk(NEWS, desk=held)
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.app.run_command("failover node-b")
        await settled(pilot)
        assert "failover is held by ann. Release that first" in desk.text()
    assert desk.supervisor.moved == []


async def test_what_is_open_by_the_time_of_the_answer_keeps_its_keys() -> None:
    answer = asyncio.Event()
    desk = Desk(NEWS)
    placement = desk.supervisor.placement

    async def slow(channel_id: str) -> Placement:
        await answer.wait()
        return await placement(channel_id)

    desk.supervisor.placement = slow
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("1", "P")
        await until(lambda: "asks where" in desk.app.session.message)
        await pilot.press("colon")
        await until(lambda: isinstance(desk.app.screen, LineScreen))
        desk.app.session.message = "said meanwhile"
        answer.set()
        await settled(pilot)
        assert isinstance(desk.app.screen, LineScreen)
        assert desk.app.session.message == "said meanwhile"
        await pilot.press("escape")
        await settled(pilot)
        assert "another question was open: press again. Nothing sent" in desk.text()
    assert desk.supervisor.moved == []


async def test_a_question_about_another_epoch_is_void() -> None:
    desk = Desk(NEWS)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "P")
        await until(lambda: isinstance(desk.app.screen, ArmScreen))
        desk.supervisor.tell(reset([channel(1, "News 24", epoch=8, version=90)]))
        await until(lambda: not isinstance(desk.app.screen, ArmScreen))
        await settled(pilot)
        assert "channel changed, nothing sent" in desk.text()
    assert desk.supervisor.moved == []


def test_failover_is_armed(snap_compare: SnapCompare) -> None:
    desk = Desk([reset([channel(1, "News 24", control=control("root", SEAT)), *normal_channels()[1:]])])
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("1", "P", desk=desk))
