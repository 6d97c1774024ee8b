"""The screens beside the wall, at the sizes and in the states that matter. Look at a changed picture."""

import pytest

from mcr_console.client import ApiProblem
from tests.console.conftest import Desk
from tests.console.desk_scenes import DeskScene, troubled_machines
from tests.console.scenes import degraded_alarms, degraded_channels, lost, normal_channels, reset
from tests.console.test_snapshots import SIZES, SnapCompare, before, named

WALL = [reset(normal_channels())]
TROUBLED = [reset(degraded_channels(), degraded_alarms())]
GONE = ApiProblem("No database", "The store does not answer.", "Playout goes on.", code="unavailable", status=503)


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_nodes(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(WALL)
    assert snap_compare(desk.app, terminal_size=size, run_before=before("f7", desk=desk))


@pytest.mark.parametrize(
    ("scene", "size"),
    [("degraded", (80, 24)), ("degraded", (120, 40)), ("lost", (80, 24)), ("stale", (120, 40))],
    ids=named,
)
def test_nodes_in_trouble(snap_compare: SnapCompare, scene: str, size: tuple[int, int]) -> None:
    desk = Desk([*TROUBLED, lost()] if scene == "lost" else TROUBLED, desk=DeskScene(nodes=troubled_machines()))
    passed = {"lost": 23.0, "stale": 9.0}.get(scene, 0.0)
    assert snap_compare(desk.app, terminal_size=size, run_before=before("f7", "j", desk=desk, passed=passed))


def test_nodes_empty(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(())], desk=DeskScene(nodes=(), claims=()))
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f7", desk=desk))


def test_nodes_that_nobody_tells_of(snap_compare: SnapCompare) -> None:
    desk = Desk(WALL, desk=DeskScene(refuses=GONE))
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f7", desk=desk))


def test_a_node_is_emptied_only_when_it_was_asked(snap_compare: SnapCompare) -> None:
    desk = Desk(WALL)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f7", "m", desk=desk))
