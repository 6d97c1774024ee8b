"""What is sent for styles: a terminal shows the same by less."""

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mcr_console.changed_cells import between
from mcr_console.terminal_codes import Pen
from tests.console.test_repainting import cells

COLOURS = st.none() | st.sampled_from(["#ff0000", "#00ff10", "#f0f0f0", "red", "bright_blue", "default", "color(120)"])
STYLES = st.none() | st.builds(
    Style,
    color=COLOURS,
    bgcolor=COLOURS,
    bold=st.sampled_from([None, True]),
    underline=st.sampled_from([None, True]),
    reverse=st.sampled_from([None, True]),
)
LINES = st.lists(st.builds(Segment, st.sampled_from(["a", "  ", "▀▀", "漢字", "x y", ""]), STYLES), max_size=12)


def shown(text: str, width: int = 60) -> list[pyte.screens.Char]:
    """The cells of the first line; of an empty one that is not underlined or turned round, the ground alone."""
    screen = pyte.Screen(width, 1)
    pyte.Stream(screen).feed(text)
    cells = [screen.buffer[0][column] for column in range(width)]
    return [
        cell._replace(fg="default", bold=False)
        if cell.data == " " and not cell.reverse and not cell.underscore
        else cell
        for cell in cells
    ]


def written(segments: list[Segment], system: ColorSystem) -> str:
    pen = Pen(system)
    pen.draw(segments)
    return pen.text()


@settings(deadline=None, max_examples=300)
@given(LINES, st.sampled_from([ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD]))
def test_a_terminal_shows_what_the_whole_styles_would_show(line: list[Segment], system: ColorSystem) -> None:
    plain = [Segment(text, None if style is None else style.copy()) for text, style, _ in line]
    whole = "".join(text if style is None else Strip.render_style(style, text, system) for text, style, _ in plain)
    again = [Segment(text, None if style is None else style.copy()) for text, style, _ in line]
    sent = written(again, system)
    assert shown(sent) == shown(whole)
    # And leaves no style behind.
    assert shown(f"{sent}end") == shown(f"{whole}end")


def test_neighbours_that_differ_in_one_colour_cost_that_colour_alone() -> None:
    ground = Color.from_rgb(10, 20, 30)
    line = [Segment("▀", Style(color=Color.from_rgb(n, n, n), bgcolor=ground)) for n in (100, 101, 102)]
    sent = written(line, ColorSystem.TRUECOLOR)
    assert sent.count("48;2;10;20;30") == 1
    assert sent.count("\x1b[0") == 1  # after the last


def test_a_link_is_written_as_it_is() -> None:
    line = [Segment("a", Style(bold=True)), Segment("here", Style(link="https://example.org"))]
    assert "\x1b]8;id=" in written(line, ColorSystem.TRUECOLOR)


@pytest.mark.parametrize(("first", "end"), [(0, 7), (1, 3), (2, 2), (1, 6), (3, 7), (4, 5), (0, 1)])
def test_a_part_of_a_line_is_the_part_that_was_meant(first: int, end: int) -> None:
    red, blue = Style(color="red"), Style(color="blue")
    line = Strip([Segment("ab", red), Segment("漢字", blue), Segment("c", red)])
    part = Strip(list(between(line, first, end)))
    assert part.text == line.crop(first, end).text
    assert cells(part) == cells(line.crop(first, end))
