"""What the operator sees, at the sizes and in the states that matter. Look at a changed picture before accepting it."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from mcr_console.client import ApiProblem
from mcr_console.palette import ASCII, Palette, colour_blind, light, monochrome, sixteen, truecolor
from tests.console.conftest import Desk, desk_with_list, settled
from tests.console.scenes import (
    asrun_events,
    channel,
    degraded_alarms,
    degraded_channels,
    lost,
    normal_channels,
    reset,
)

SnapCompare = Callable[..., bool]
SIZES = [(80, 24), (120, 40), (200, 60)]
SCENES = {
    "normal": [reset(normal_channels())],
    "degraded": [reset(degraded_channels(), degraded_alarms())],
    "lost": [reset(degraded_channels(), degraded_alarms()), lost()],
    "empty": [reset(())],
}


def named(value: object) -> str:
    """``120x40`` for a size: a file's name without brackets."""
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)


HOSTILE = (
    channel(
        1,
        "[red]News[/red]",
        "[bold]not bold[/bold] [link=file:///etc/passwd]x[/link]",
        follows="\x1b[31mred\x1b[0m\x07",
    ),
    channel(2, "ニュース二十四時間テレビ", "日本語のとても長い番組名がここにありますよね", follows="한국어 제목"),
    channel(3, "x" * 80, "line\nbreak\ttab\r", follows="\u202egnidaer\u202c right to left"),
    channel(4, "Zalgo", "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306algo", follows="👩‍👩‍👧‍👦 family 🏳️‍🌈"),
)


def before(
    *keys: str, passed: float = 0.0, desk: Desk, at_first: bool = False
) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Presses ``keys``, and ``passed`` seconds pass after them, or ``at_first``: a question that is armed lapses."""

    async def run(pilot: Pilot[None]) -> None:
        await settled(pilot)
        if at_first:
            desk.clock.passed = passed
            await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        desk.clock.passed = passed
        await settled(pilot)
        await stand_still(pilot)
        assert not desk.app.faults

    return run


async def stand_still(pilot: Pilot[None]) -> None:
    """No caret blinks any more, and a button that was pressed has its own colour again."""
    screen = pilot.app.screen
    for entry in screen.query(Input):
        entry.cursor_blink = False
    for _ in range(200):
        if not screen.query("Button.-active"):
            return
        await pilot.pause(0.05)


@pytest.mark.parametrize("size", SIZES, ids=named)
@pytest.mark.parametrize("scene", SCENES)
def test_wall(snap_compare: SnapCompare, scene: str, size: tuple[int, int]) -> None:
    desk = Desk(SCENES[scene])
    passed = 23.0 if scene == "lost" else 0.0
    assert snap_compare(desk.app, terminal_size=size, run_before=before(passed=passed, desk=desk))


@pytest.mark.parametrize("palette", [light(), colour_blind()], ids=["light", "cvd"])
@pytest.mark.parametrize("place", ["wall", "channel"])
def test_themes(snap_compare: SnapCompare, palette: Palette, place: str) -> None:
    desk = Desk(SCENES["degraded"], palette, history=asrun_events(40))
    keys = ("2", "enter") if place == "channel" else ("5",)
    assert snap_compare(desk.app, terminal_size=(120, 40), run_before=before(*keys, desk=desk, passed=2.0))


def test_marked(snap_compare: SnapCompare) -> None:
    desk = Desk(SCENES["normal"])
    keys = ("1", "space", "3", "space", "8", "space", "t")
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before(*keys, desk=desk))


@pytest.mark.parametrize("palette", [sixteen(), monochrome(), truecolor(ASCII)], ids=["sixteen", "no_color", "ascii"])
def test_wall_on_poorer_terminals(snap_compare: SnapCompare, palette: Palette) -> None:
    desk = Desk(SCENES["degraded"], palette)
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("5", desk=desk, passed=2.0))


@pytest.mark.parametrize(
    ("scene", "size"), [("degraded", (80, 24)), ("lost", (120, 40)), ("degraded", (200, 60))], ids=named
)
def test_list(snap_compare: SnapCompare, scene: str, size: tuple[int, int]) -> None:
    desk = Desk(SCENES[scene])
    assert snap_compare(desk.app, terminal_size=size, run_before=before("l", "j", desk=desk, passed=2.0))


@pytest.mark.parametrize(
    ("scene", "size"),
    [("normal", (80, 24)), ("degraded", (120, 40)), ("normal", (200, 60)), ("lost", (120, 40))],
    ids=named,
)
def test_channel(snap_compare: SnapCompare, scene: str, size: tuple[int, int]) -> None:
    desk = Desk(SCENES[scene], history=asrun_events(40))
    assert snap_compare(desk.app, terminal_size=size, run_before=before("2", "enter", desk=desk, passed=2.0))


def test_channel_off_air(snap_compare: SnapCompare) -> None:
    desk = Desk(SCENES["degraded"], history=asrun_events(40))
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("5", "enter", desk=desk, passed=2.0))


@pytest.mark.parametrize("size", SIZES[:2], ids=named)
def test_asrun(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(SCENES["normal"], history=asrun_events(60))
    assert snap_compare(desk.app, terminal_size=size, run_before=before("r", "j", "j", desk=desk, passed=2.0))


@pytest.mark.parametrize("size", SIZES[:2], ids=named)
def test_help(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk(SCENES["normal"])
    assert snap_compare(desk.app, terminal_size=size, run_before=before("question_mark", desk=desk))


def test_stop_is_armed(snap_compare: SnapCompare) -> None:
    desk = Desk(SCENES["normal"])
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("3", "X", desk=desk))


def test_new_channel(snap_compare: SnapCompare) -> None:
    desk = Desk(SCENES["empty"])
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("c", desk=desk))


def test_refused_command(snap_compare: SnapCompare) -> None:
    problem = ApiProblem(
        "Take guard", "The last take was 0.4 s ago.", "Press again in a second.", code="take_guard", status=409
    )
    desk = Desk(SCENES["normal"], problem=problem)
    assert snap_compare(desk.app, terminal_size=(120, 40), run_before=before("3", "t", desk=desk, passed=2.0))


def test_hostile_titles(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(HOSTILE)])
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before(desk=desk))


def test_too_small(snap_compare: SnapCompare) -> None:
    desk = Desk(SCENES["normal"])
    assert snap_compare(desk.app, terminal_size=(70, 20), run_before=before(desk=desk))


@pytest.mark.parametrize("size", SIZES[:2], ids=named)
def test_insert(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk, _ = desk_with_list()
    assert snap_compare(desk.app, terminal_size=size, run_before=before("2", "enter", "j", "i", *"promo", desk=desk))


def test_edit_locked(snap_compare: SnapCompare) -> None:
    desk, list_ = desk_with_list()
    list_.locked = "'weather_am' is due on Kids in 12 s: it is not changed"
    keys = ("2", "enter", "enter", *" late")
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before(*keys, desk=desk))


def test_edit_when_the_list_moved_on(snap_compare: SnapCompare) -> None:
    desk, list_ = desk_with_list()

    async def run(pilot: Pilot[None]) -> None:
        await before("2", "enter", "j", "enter", "end", *" late", desk=desk)(pilot)
        list_.somebody_else_edits()
        await before("enter", desk=desk)(pilot)

    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=run)


def test_import_shows_its_difference(snap_compare: SnapCompare) -> None:
    desk, _ = desk_with_list()
    keys = ("2", "enter", "ctrl+o", *"/srv/day.csv", "enter")
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before(*keys, desk=desk))
