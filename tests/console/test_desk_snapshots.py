"""The screens beside the wall, at the sizes and in the states that matter. Look at a changed picture."""

import pytest

from mcr_console.client import ApiProblem
from tests.console.conftest import Desk
from tests.console.desk_scenes import DeskScene, open_alarms, over_alarms, troubled_machines, what_is_coming
from tests.console.recorder_scenes import troubled_recorders
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


def attention_scene() -> DeskScene:
    return DeskScene(coming=what_is_coming(), over=over_alarms())


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_attention_in_trouble(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk([reset(degraded_channels(), open_alarms())], desk=attention_scene())
    assert snap_compare(desk.app, terminal_size=size, run_before=before("f6", desk=desk))


@pytest.mark.parametrize("scene", ["normal", "lost", "stale", "empty", "error"])
def test_attention(snap_compare: SnapCompare, scene: str) -> None:
    script = [reset(normal_channels())]
    if scene in {"lost", "stale"}:
        script = [reset(degraded_channels(), open_alarms()), *([lost()] if scene == "lost" else [])]
    desk = Desk([reset(())] if scene == "empty" else script, desk=attention_scene())
    if scene == "empty":
        desk.supervisor.desk = DeskScene()
    if scene == "error":
        desk.supervisor.desk = DeskScene(refuses=GONE)
    passed = {"lost": 23.0, "stale": 9.0}.get(scene, 0.0)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f6", desk=desk, passed=passed))


def test_an_alarm_is_shelved_with_a_reason(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(degraded_channels(), open_alarms())], desk=attention_scene())
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f6", "z", desk=desk))


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_recorders(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(WALL)
    assert snap_compare(desk.app, terminal_size=size, run_before=before("f8", desk=desk))


@pytest.mark.parametrize("scene", ["degraded", "lost", "stale", "empty", "error"])
def test_recorders_in_trouble(snap_compare: SnapCompare, scene: str) -> None:
    stands = {"empty": DeskScene(recorders=()), "error": DeskScene(refuses=GONE)}
    desk = Desk([*WALL, lost()] if scene == "lost" else WALL)
    desk.supervisor.desk = stands.get(scene) or DeskScene(recorders=troubled_recorders())
    passed = {"lost": 23.0, "stale": 9.0}.get(scene, 0.0)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("f8", desk=desk, passed=passed))


@pytest.mark.parametrize("size", SIZES, ids=named)
def test_explain(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(TROUBLED)
    assert snap_compare(desk.app, terminal_size=size, run_before=before("3", "e", desk=desk))


@pytest.mark.parametrize("scene", ["lost", "stale", "error", "row"])
def test_explain_in_trouble(snap_compare: SnapCompare, scene: str) -> None:
    desk = Desk([*TROUBLED, lost()] if scene == "lost" else TROUBLED)
    if scene == "error":
        desk.supervisor.desk = DeskScene(refuses=GONE)
    passed = {"lost": 23.0, "stale": 9.0}.get(scene, 0.0)
    keys = ("3", "enter", "j", "j", "j", "e") if scene == "row" else ("3", "e")
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before(*keys, desk=desk, passed=passed))
