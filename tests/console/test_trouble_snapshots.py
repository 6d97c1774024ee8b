"""The first screens and the dialogs when something is amiss. Look at a changed picture before accepting it."""

import pytest
from textual.pilot import Pilot

from mcr_console.client import ApiProblem, Unreadable
from tests.console.conftest import Desk, desk_with_list
from tests.console.desk_scenes import DeskScene
from tests.console.scenes import asrun_events, degraded_alarms, degraded_channels, lost, normal_channels, reset
from tests.console.test_snapshots import SnapCompare, before

SMALL = (80, 24)
TOLD = reset(normal_channels())
TROUBLED = reset(degraded_channels(), degraded_alarms())
GONE = ApiProblem("No database", "The store does not answer.", "Playout goes on.", code="unavailable", status=503)
GARBAGE = Unreadable("channel_live", ApiProblem("Not readable", "no JSON at byte 1", code="garbage", status=200))
KEYS = {"wall": (), "list": ("l",), "channel": ("2", "enter"), "asrun": ("r",), "explain": ("3", "e")}
PASSED = {"stale": 9.0, "lost": 23.0}
"""Seconds, by the scene."""


def desk_in(scene: str) -> Desk:
    """Stale: nothing is heard any more, and nothing has said so yet. Error: answers are refused or cannot be read."""
    match scene:
        case "normal":
            return Desk([TOLD], history=asrun_events(60))
        case "empty":
            return Desk([TOLD], bare=True, desk=DeskScene(coming=()))
        case "error":
            return Desk([TROUBLED, GARBAGE], desk=DeskScene(refuses=GONE))
        case "lost":
            return Desk([TROUBLED, lost()], history=asrun_events(60))
        case _:
            return Desk([TROUBLED], history=asrun_events(60))


@pytest.mark.parametrize(
    ("place", "scene"),
    [
        ("wall", "stale"), ("wall", "error"),
        ("list", "normal"), ("list", "stale"), ("list", "error"),
        ("channel", "stale"), ("channel", "empty"), ("channel", "error"),
        ("asrun", "degraded"), ("asrun", "stale"), ("asrun", "lost"), ("asrun", "empty"), ("asrun", "error"),
    ],
)  # fmt: skip
def test_screen(snap_compare: SnapCompare, place: str, scene: str) -> None:
    desk = desk_in(scene)
    run = before(*KEYS[place], desk=desk, passed=PASSED.get(scene, 2.0))
    assert snap_compare(desk.app, terminal_size=SMALL, run_before=run)


def test_list_empty(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(())])
    assert snap_compare(desk.app, terminal_size=SMALL, run_before=before("l", desk=desk))


def test_an_old_picture_says_how_old_it_is(snap_compare: SnapCompare) -> None:
    desk = Desk([TOLD])

    async def run(pilot: Pilot[None]) -> None:
        await before("3", desk=desk)(pilot)
        desk.supervisor.pictures = False
        desk.clock.passed = 7.4
        desk.supervisor.tell(TOLD)
        await before(desk=desk, passed=7.4)(pilot)

    assert snap_compare(desk.app, terminal_size=(120, 40), run_before=run)


@pytest.mark.parametrize("key", ["m", "y", "delete"], ids=["move", "copy", "delete"])
def test_edit(snap_compare: SnapCompare, key: str) -> None:
    desk, _ = desk_with_list()
    keys = ("2", "enter", "j", key, *(("down",) if key == "m" else ()))
    assert snap_compare(desk.app, terminal_size=SMALL, run_before=before(*keys, desk=desk))


@pytest.mark.parametrize(
    ("scene", "keys"),
    [
        ("normal", ("ctrl+p", *"longer")),
        ("normal", ("colon", *"fail")),
        ("normal", ("slash", *"kids")),
        ("normal", ("f8", "j", "S")),
        ("normal", ("f7", "L")),
        ("lost", ("3", "X")),
        ("error", ("c", *"News", "tab", *"/srv/clips", "tab", "tab", "tab", "tab", "enter")),
    ],
    ids=["palette", "command", "filter", "record", "declare_dead_refused", "stop_when_lost", "new_channel_refused"],
)
def test_dialog(snap_compare: SnapCompare, scene: str, keys: tuple[str, ...]) -> None:
    desk = desk_in(scene)
    if scene == "error":
        desk.supervisor.problem = GONE
    run = before(*keys, desk=desk, passed=PASSED.get(scene, 0.0), at_first=True)
    assert snap_compare(desk.app, terminal_size=SMALL, run_before=run)
