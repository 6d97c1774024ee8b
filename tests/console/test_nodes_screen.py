"""The machines: what is armed acts on the row that was seen, and nothing is sent by one key."""

import pytest

from mcr_console.client import ApiProblem
from mcr_console.screens.arming import ArmScreen
from supervisor.schemas.node import NodePatch
from tests.console.conftest import Desk, settled
from tests.console.desk_scenes import DeskScene, claims, machine, machines, node_id, troubled_machines
from tests.console.scenes import normal_channels, reset


@pytest.mark.parametrize(
    ("key", "asked", "changes"),
    [
        ("d", "Drain node-b?", NodePatch(draining=True)),
        ("m", "Put node-b in maintenance?", NodePatch(maintenance=True)),
    ],
)
async def test_the_focus_is_on_cancel_and_the_target_is_named(key: str, asked: str, changes: NodePatch) -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(nodes=machines()[1:]))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert asked in str(desk.app.screen.query_one("#question").render())
        assert desk.app.focused is not None
        assert desk.app.focused.id == "cancel"
        await pilot.press("enter")
        await settled(pilot)
        assert desk.supervisor.done == []
        assert "nothing sent, cancelled" in desk.text()
        await pilot.press(key, "tab", "enter")
        await settled(pilot)
        assert desk.supervisor.done == [("update_node", node_id(2), 4, changes)]
    assert not desk.app.faults


async def test_what_changed_meanwhile_disarms() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press("m")
        await settled(pilot)
        screen = desk.app.screen
        assert isinstance(screen, ArmScreen)
        desk.clock.passed += 11
        screen.tick()
        await settled(pilot)
        assert desk.supervisor.done == []
        assert "nobody answered" in desk.text()


async def test_a_port_is_freed_with_a_reason_only() -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(nodes=troubled_machines()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press("j")
        await settled(pilot)
        assert "free port 1 of node-a" in desk.text()
        await pilot.press("f", "tab", "enter")
        await settled(pilot)
        assert desk.supervisor.done == []
        await pilot.press("shift+tab", "shift+tab", *"cable pulled", "tab", "tab", "enter")
        await settled(pilot)
        assert desk.supervisor.done == [("release_claim", claims()[0].id, "cable pulled")]


async def test_a_node_that_answers_cannot_be_declared_dead_and_one_that_is_away_can() -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(nodes=troubled_machines()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press("L")
        await settled(pilot)
        assert "node-a answers, so it is not dead" in desk.text()
        await pilot.press("j", "j", "j", "L")
        await settled(pilot)
        assert "Is the machine of node-b OFF?" in str(desk.app.screen.query_one("#question").render())
        await pilot.press("shift+tab", *"smoke seen", "tab", "tab", "enter")
        await settled(pilot)
        assert desk.supervisor.done == [("declare_lost", node_id(2), "smoke seen")]


async def test_a_refusal_is_said_and_the_cursor_stays_on_its_node() -> None:
    scene = DeskScene(nodes=machines())
    desk = Desk([reset(normal_channels())], desk=scene)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press("G")
        scene.refuses = ApiProblem("Conflict", "the node changed", "Look again.", code="conflict", status=409)
        await pilot.press("d", "tab", "enter")
        await settled(pilot)
        assert "Conflict: the node changed" in desk.text()
        scene.refuses, scene.nodes = None, [machine(3, "node-z", 2), *machines()[:2]]
        desk.clock.passed += 5
        await settled(pilot)
        assert "IF node-z DIES NOW" in desk.text()
        await pilot.press("escape")
        await settled(pilot)
        assert "ATTENTION" in desk.text()
    assert not desk.app.faults
