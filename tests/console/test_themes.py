"""Themes: each says the same by word and sign, red is tally alone, and what must be read can be read."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from rich.color import Color
from rich.style import Style

from mcr_console.palette import Palette, choose, colour_blind, light, sixteen, truecolor
from mcr_console.preferences import THEMES


def test_a_theme_never_asks_more_of_a_terminal_than_it_can() -> None:
    named = {theme: choose("256", no_color=False, ascii_only=False, theme=theme).name for theme in THEMES}
    assert named == {
        "auto": "truecolor", "dark": "truecolor", "light": "light", "cvd": "cvd", "sixteen": "sixteen",
        "plain": "monochrome",
    }  # fmt: skip
    assert choose("standard", no_color=False, ascii_only=False, theme="light").name == "sixteen"
    assert choose("256", no_color=True, ascii_only=False, theme="cvd").name == "monochrome"


@pytest.mark.parametrize("make", [truecolor, light, colour_blind, sixteen], ids=lambda make: make.__name__)
def test_red_is_tally_and_nothing_else(make: Callable[[], Palette]) -> None:
    palette = make()
    red = {palette.tally.color, palette.tally_block.bgcolor, palette.tally_row.bgcolor}
    others = {"tally", "tally_block", "tally_row", "name", "glyphs", "thumbnails"}
    for field in fields(Palette):
        if field.name not in others:
            style: Style = getattr(palette, field.name)
            assert not red & {style.color, style.bgcolor} - {None}, field.name


@pytest.mark.parametrize("make", [truecolor, light, colour_blind], ids=lambda make: make.__name__)
def test_what_must_be_read_stands_out_from_its_ground(make: Callable[[], Palette]) -> None:
    """WCAG's contrast: 4.5 for text, 4 for what is bold, 3 for what fills a block."""
    palette = make()
    ground = palette.ground.bgcolor
    for name in ("text", "strong", "dim", "tally", "next", "warning", "off_air", "signal"):
        style: Style = getattr(palette, name)
        assert contrast(style.color, ground) >= (4.0 if style.bold else 4.5), name
    for name in ("tally_block", "tally_row", "next_row", "warning_block", "off_air_block", "cursor_row", "key_block"):
        block: Style = getattr(palette, name)
        assert contrast(block.color, block.bgcolor) >= 3.0, name


def contrast(one: Color | None, other: Color | None) -> float:
    assert one is not None
    assert other is not None
    light_, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light_ + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
