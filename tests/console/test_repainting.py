"""What is drawn again, and what is left as it stands: a wall is calm, cheap and light on a far terminal's link."""

import asyncio
import gc
import re
from collections.abc import Callable
from typing import Any

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual._styles_cache import StylesCache
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Idle
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mcr_console.air import order
from mcr_console.changed_cells import ChangedCells
from mcr_console.palette import Palette, colour_blind, light, monochrome, sixteen, truecolor
from mcr_console.preferences import Preferences
from mcr_console.thumbnails import ASKED, EVERY_S
from mcr_console.widgets.strip_view import StripView, changed_parts
from mcr_console.widgets.wall_view import WallView
from supervisor.agent.interface import TransportVerb
from supervisor.schemas.channel import CommandDone, CommandIn
from tests.console.conftest import Desk, settled, until
from tests.console.scenes import channel, ident, reset

RED, BLUE = Style(color="red"), Style(color="blue")


def cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Each cell's character and style; a wide character has its second cell empty."""
    made: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        for character in text:
            width = Segment(character).cell_length
            made.extend([(character, style), *[("", style)] * (width - 1)])
    return made


def line(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in parts])


@pytest.mark.parametrize(
    ("before", "now", "most"),
    [
        (line(("ab", RED), ("cd", BLUE)), line(("ab", RED), ("cd", BLUE)), 0),
        (line(("ab", RED), ("cd", BLUE), ("ef", RED)), line(("ab", RED), ("xy", BLUE), ("ef", RED)), 2),
        (line(("ab", RED), ("cd", BLUE)), line(("ab", BLUE), ("cd", BLUE)), 2),
        (line(("ab", RED), ("cdef", BLUE)), line(("abc", RED), ("def", BLUE)), 6),
        (line(("a", RED), ("bc", RED), ("d", BLUE)), line(("x", RED), ("bc", RED), ("y", BLUE)), 2),
        (line(("漢字", RED), ("cd", BLUE), ("e", RED)), line(("漢x ", RED), ("cd", BLUE), ("f", RED)), 5),
        (line(("ab", RED)), line(("ab", RED), ("", BLUE)), 0),
    ],
)
def test_what_looks_another_way_is_painted_and_little_else(before: Strip, now: Strip, most: int) -> None:
    parts = changed_parts(before, now, now.cell_length)
    painted = cells(before)
    for first, count in parts:
        painted[first : first + count] = cells(now)[first : first + count]
    assert painted == cells(now)
    assert sum(count for _, count in parts) <= most


def test_a_line_of_another_length_or_a_new_one_is_painted_whole() -> None:
    assert changed_parts(None, line(("ab", RED)), 2) == [(0, 2)]
    assert changed_parts(line(("a", RED)), line(("ab", RED)), 2) == [(0, 2)]


async def test_only_the_focused_channel_counts_frames_while_heartbeats_come() -> None:
    desk = Desk(
        [reset((channel(1, "News 24", left=2504), channel(2, "Kids", left=5004)))],
        preferences=Preferences(screen="list"),
    )
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = countdowns(desk)
        desk.clock.passed += 0.6
        await settled(pilot)
        one, two = countdowns(desk)
        assert one != before[0]
        assert two == before[1]
        await pilot.press("2")
        await settled(pilot)
        focused = countdowns(desk)[1]
        assert focused != two
        desk.clock.passed += 1.0
        await settled(pilot)
        # No heartbeat came meanwhile: now time goes on by itself, for both.
        assert countdowns(desk)[0] != one
        assert countdowns(desk)[1] != focused


def countdowns(desk: Desk) -> list[str]:
    """The timecodes on the list, by number of the channel."""
    return re.findall(r"-\d\d:\d\d:\d\d:\d\d", desk.text())


class FarTerminal(pyte.Screen):
    """Notes where characters were put."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self.touched: set[int] = set()

    def draw(self, data: str) -> None:
        self.touched.add(self.cursor.x)
        super().draw(data)


def far_terminal(monkeypatch: pytest.MonkeyPatch) -> FarTerminal:
    """What every console of this test writes to."""
    terminal = FarTerminal(120, 40)
    stream = pyte.Stream(terminal)
    monkeypatch.setattr(HeadlessDriver, "is_headless", False)
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: stream.feed(data))
    return terminal


async def test_a_far_terminal_is_sent_what_changed_and_not_what_stands_left_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = far_terminal(monkeypatch)
    # A name of wide characters: a part of a line may begin behind one, never within.
    names = ("衛星 News", "Kids", "Sport", "Movies")
    desk = Desk([reset([channel(number, name, left=2504) for number, name in enumerate(names, 1)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        assert same_picture(terminal, desk)
        second_tile = min(line.index(" 2 ") for line in terminal.display if "Kids" in line)
        terminal.touched.clear()
        desk.clock.passed += 0.6
        await settled(pilot)
        assert terminal.touched
        assert min(terminal.touched) >= second_tile > 40
        for key in ("up", "l", "enter", "escape", "w", "?", "escape"):
            await pilot.press(key)
            await settled(pilot)
            assert same_picture(terminal, desk)


@pytest.mark.parametrize(
    ("first", "end", "written"),
    [(2, 4, ["cd"]), (4, 7, ["ef", "g"]), (0, 6, ["abcdef"]), (6, 9, ["ghi"]), (0, 9, ["abcdef", "ghi"])],
)
def test_of_a_line_the_cells_that_changed_are_sent_and_none_beside_them(
    first: int, end: int, written: list[str]
) -> None:
    """Of two widgets side by side, and a third that is not drawn."""
    chops = [{0: Strip([Segment("abcdef")]), 6: Strip([Segment("ghi")]), 9: None}]
    update = ChangedCells(ChopsUpdate(chops, [(0, first, end)], [[6, 9, 12]]))
    sent = update.render_segments(Console(color_system=None))
    assert re.split(r"\x1b\[[0-9;]*H", sent)[1:] == written
    terminal = FarTerminal(12, 1)
    pyte.Stream(terminal).feed(sent)
    assert terminal.display[0].rstrip() == " " * first + "abcdefghi"[first:end]


def same_picture(terminal: pyte.Screen, desk: Desk) -> bool:
    """Whether the terminal shows what the console drew."""
    shown = [line.rstrip() for line in terminal.display]
    drawn = [line.rstrip() for line in desk.text().splitlines()]
    assert shown[: len(drawn)] == drawn
    return True


@pytest.mark.parametrize("palette", [truecolor, light, colour_blind, sixteen, monochrome])
async def test_what_is_drawn_needs_nothing_that_textual_would_add(palette: Callable[[], Palette]) -> None:
    """Borders, tints, and colours of 24 bits for those of a terminal's sixteen: a view hands on what it drew."""
    desk = Desk([reset([channel(number, f"Channel {number}") for number in range(1, 4)])], palette())
    async with desk.app.run_test(size=(120, 40)) as pilot:
        for key in ("2", "enter", "escape", "l", "f7", "escape", "f5", "escape", "w"):
            await pilot.press(key)
            await settled(pilot)
            views = [view for view in desk.app.screen.query(StripView) if view.is_attached and view.size]
            assert views
            for view in views:
                region = view.size.region
                assert [cells(one) for one in view.render_lines(region)] == [
                    cells(one) for one in ScrollView.render_lines(view, region)
                ]


async def test_no_colour_is_left_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    desk = Desk([reset([channel(1, "News")])], truecolor())
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        view = desk.app.screen.query_one(WallView)
        styles = [style for strip in view.render_lines(view.size.region) for _, style, _ in strip if style is not None]
        grey = {style.color.triplet for style in styles if style.color is not None and style.color.triplet is not None}
        assert all(red == green == blue for red, green, blue in grey)


async def test_an_order_is_sent_before_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk([reset([channel(1, "News"), channel(2, "Kids")])])
    seen: list[str] = []
    answered = asyncio.Event()

    async def transport(channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone:
        for _ in range(4):  # as httpx does before all of it is written
            await asyncio.sleep(0)
        seen.append(desk.text())
        await answered.wait()
        return CommandDone(command_id="", channel_id=channel_id, done=verb, frame=1, item_id=None, took_ms=1.0)

    monkeypatch.setattr(desk.supervisor, "transport", transport)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = desk.text()
        await pilot.press("t")
        await until(lambda: bool(seen))
        await until(lambda: desk.text() != before)
        assert seen == [before]
        answered.set()


async def test_a_key_is_drawn_without_waiting_for_the_next_turn_of_textuals_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = far_terminal(monkeypatch)
    desk = Desk([reset([channel(1, "News"), channel(2, "Kids")])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(Screen, "_on_idle", never_idle)
        await pilot.press("2")
        await until(lambda: "TAKE 2" in terminal.display[-1])


async def never_idle(_: Screen[None], event: Idle) -> None:
    """Textual's screen asks for no turn of its clock."""
    event.prevent_default()


async def test_a_key_is_drawn_once_and_arranges_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views that are not seen are none of Textual's business, and what was sent is not asked for once more."""
    desk = Desk([reset([channel(number, f"Channel {number}") for number in range(1, 5)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        arranged: list[bool] = []
        drawn: list[int] = []
        arrange, refresh = Compositor._arrange_root, Screen._compositor_refresh

        def arranging(self: Compositor, *args: Any, visible_only: bool = True) -> Any:
            arranged.append(visible_only)
            return arrange(self, *args, visible_only=visible_only)

        def refreshing(self: Screen[Any]) -> None:
            drawn.append(len(self._dirty_widgets))
            refresh(self)

        monkeypatch.setattr(Compositor, "_arrange_root", arranging)
        monkeypatch.setattr(Screen, "_compositor_refresh", refreshing)
        await pilot.press("right")
        await pilot.pause()
        assert arranged == []
        assert len(drawn) == 1, "the wall and the foot line, together"


async def test_pictures_come_one_after_the_other() -> None:
    """The first ones at once; later none that comes with three others in the moment of a key."""
    desk = Desk([reset([channel(number, f"Channel {number}") for number in range(1, 5)])])
    pictures = desk.session.thumbnails
    wanted = pictures.wanted = tuple(ident(number) for number in range(1, 5))
    assert pictures.due() == wanted
    for one in wanted:
        await pictures.fetch(one)()
    fetched: list[tuple[float, str]] = []
    for _ in range(2 * ASKED):
        desk.clock.passed += EVERY_S / ASKED
        for one in pictures.due():
            fetched.append((desk.clock.passed, one))
            await pictures.fetch(one)()
    assert len({at for at, _ in fetched}) == len(fetched), "never two in one moment"
    assert tuple(one for _, one in fetched[:4]) == wanted


async def test_no_picture_is_fetched_while_an_order_is_under_way() -> None:
    desk = Desk([reset([channel(number, f"Channel {number}") for number in range(1, 5)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        desk.clock.passed += 3
        asked = order("hold", desk.session.wall.channels[desk.session.wall.order[0]])
        assert desk.session.desk.begin(asked)
        desk.app.tick()
        assert not desk.session.thumbnails.busy
        await desk.session.desk.send(asked)
        desk.app.tick()
        assert desk.session.thumbnails.busy


async def test_a_screen_that_was_left_leaves_no_lines_behind() -> None:
    """A night at a desk of 500 channels would else be a third of a gigabyte."""
    desk = Desk([reset([channel(1, "News"), channel(2, "Kids")])])
    async with desk.app.run_test(size=(120, 40)) as pilot:

        async def visited() -> int:
            for _ in range(3):
                for key in ("enter", "escape", "f7", "escape"):
                    await pilot.press(key)
                    await settled(pilot)
            gc.collect()
            return sum(isinstance(one, StylesCache) for one in gc.get_objects())

        before = await visited()
        assert await visited() <= before
