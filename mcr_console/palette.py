"""Colours and signs by what they mean. Red is tally and nothing else; green is next; amber warns; magenta is off air.

Every meaning also has a word and a sign, so that any of these can be missing.
"""

from dataclasses import dataclass
from typing import Final

from rich.style import Style


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Signs one or two cells wide."""

    on_air: str = "●"
    off_air: str = "✖"
    changing: str = "◔"
    unknown: str = "◌"
    off: str = "■"
    warning: str = "▲"
    hold: str = "‖"
    next: str = "▸"
    beat: str = "♥"
    done: str = "✓"
    pending: str = "…"
    refused: str = "✖"
    arrow: str = "→"
    crumb: str = "»"
    cursor: str = "▌"
    mark: str = "◆"
    bar: str = "━"
    bar_rest: str = "━"
    meter: str = "▮"
    meter_rest: str = "▯"
    spark: str = "▁▂▃▄▅▆▇█"
    miss: str = "×"  # noqa: RUF001 - the sign, not the letter
    frame: str = "┏━┓┃┗┛"
    rule: str = "─"
    none: str = "—"
    dot: str = "·"
    pictures: bool = True


ASCII: Final = Glyphs(
    on_air="*", off_air="X", changing="o", unknown="?", off="-", warning="!", hold="||", next=">", beat="hb", done="ok",
    pending="...", refused="X", arrow="->", crumb=">", cursor=">", mark="+", bar="#", bar_rest=".",
    meter="=", meter_rest=".", spark="_.-=+*#@", miss="x", frame="+=+|++", rule="-", none="-", dot=".", pictures=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by meaning. Those named ``*_block`` fill cells; the others colour text on ``ground`` or ``panel``."""

    name: str
    glyphs: Glyphs
    ground: Style
    panel: Style
    panel_focus: Style
    text: Style
    strong: Style
    dim: Style
    tally: Style
    tally_block: Style
    tally_row: Style
    next: Style
    next_row: Style
    warning: Style
    warning_block: Style
    off_air: Style
    off_air_block: Style
    off_block: Style
    stale_block: Style
    signal: Style
    bar_rest: Style
    frame: Style
    key_block: Style
    cursor_row: Style
    done: Style
    thumbnails: bool = True

    def on(self, base: Style, style: Style) -> Style:
        """``style`` on the ground of ``base``."""
        return base + style


def _colours(
    name: str, glyphs: Glyphs, *, ground: str, panel: str, focus: str, text: str, strong: str, dim: str, red: str,
    red_row: str, green: str, green_row: str, amber: str, magenta: str, grey: str, blue: str, rest: str, ink: str,
    thumbnails: bool = True, on_red: str | None = None,
) -> Palette:  # fmt: skip
    """``ink`` is the text on a filled block, ``on_red`` that on the tally's where it is another than ``strong``."""
    return Palette(
        name=name,
        glyphs=glyphs,
        ground=Style(color=text, bgcolor=ground),
        panel=Style(color=text, bgcolor=panel),
        panel_focus=Style(color=text, bgcolor=focus),
        text=Style(color=text),
        strong=Style(color=strong, bold=True),
        dim=Style(color=dim),
        tally=Style(color=red, bold=True),
        tally_block=Style(color=on_red or strong, bgcolor=red, bold=True),
        tally_row=Style(color=strong, bgcolor=red_row, bold=True),
        next=Style(color=green),
        next_row=Style(color=strong, bgcolor=green_row, bold=True),
        warning=Style(color=amber),
        warning_block=Style(color=ink, bgcolor=amber, bold=True),
        off_air=Style(color=magenta, bold=True),
        off_air_block=Style(color=ink, bgcolor=magenta, bold=True),
        off_block=Style(color=ink, bgcolor=grey, bold=True),
        stale_block=Style(color=ink, bgcolor=grey, bold=True),
        signal=Style(color=blue),
        bar_rest=Style(color=rest),
        frame=Style(color=strong, bold=True),
        key_block=Style(color=ink, bgcolor=grey, bold=True),
        cursor_row=Style(color=strong, bgcolor=focus),
        done=Style(color=blue, bold=True),
        thumbnails=thumbnails and glyphs.pictures,
    )


def truecolor(glyphs: Glyphs | None = None) -> Palette:
    """For terminals of 256 colours and more."""
    return _colours(
        "truecolor", glyphs or Glyphs(),
        ground="#0e1217", panel="#161c23", focus="#233040", text="#c9d1d9", strong="#f4f7fa", dim="#7d8792",
        red="#e5383b", red_row="#7d1a1e", green="#52b263", green_row="#1d4027", amber="#f5a524", magenta="#e070e0",
        grey="#6c7783", blue="#5fb0ee", rest="#323b46", ink="#0b0e12",
    )  # fmt: skip


def light(glyphs: Glyphs | None = None) -> Palette:
    """For a bright room: the same meanings on a light ground."""
    return _colours(
        "light", glyphs or Glyphs(),
        ground="#f5f6f8", panel="#e6e9ee", focus="#cfdff0", text="#2a323a", strong="#0b0e12", dim="#66707b",
        red="#c4161c", red_row="#f1b0b2", green="#1b7233", green_row="#b5dfc0", amber="#8f5400", magenta="#9c1a94",
        grey="#5d6873", blue="#0a5aa5", rest="#c8cfd7", ink="#ffffff", on_red="#ffffff",
    )  # fmt: skip


def colour_blind(glyphs: Glyphs | None = None) -> Palette:
    """After Okabe and Ito: tally is vermilion, next is sky blue and not green, a warning is yellow."""
    return _colours(
        "cvd", glyphs or Glyphs(),
        ground="#0e1217", panel="#161c23", focus="#2b3440", text="#c9d1d9", strong="#f4f7fa", dim="#7d8792",
        red="#e0601a", red_row="#7a3206", green="#56b4e9", green_row="#0c3f63", amber="#f0e442", magenta="#cc79a7",
        grey="#6c7783", blue="#b4bec8", rest="#323b46", ink="#0b0e12",
    )  # fmt: skip


def sixteen(glyphs: Glyphs | None = None) -> Palette:
    """The sixteen colours of ECMA-48 and its brights, named by the values that Rich maps to exactly those."""
    black, red, green, magenta, cyan = "#000000", "#aa0000", "#00aa00", "#ff55ff", "#55ffff"
    grey, dark, bright_red, bright_green, yellow, white = (
        "#aaaaaa",
        "#555555",
        "#ff5555",
        "#55ff55",
        "#ffff55",
        "#ffffff",
    )
    blue = "#0000aa"
    del bright_red
    return _colours(
        "sixteen", glyphs or Glyphs(),
        ground=black, panel=black, focus=blue, text=grey, strong=white, dim=grey, red="#ff5555", red_row=red,
        green=bright_green, green_row=green, amber=yellow, magenta=magenta, grey=grey, blue=cyan, rest=dark, ink=black,
        thumbnails=False,
    )  # fmt: skip


def monochrome(glyphs: Glyphs | None = None) -> Palette:
    """No colour at all: bold, reverse and underline carry what words and signs say already."""
    plain, bold, block = Style(), Style(bold=True), Style(reverse=True, bold=True)
    return Palette(
        name="monochrome", glyphs=glyphs or Glyphs(), ground=plain, panel=plain, panel_focus=plain, text=plain,
        strong=bold, dim=Style(dim=True), tally=bold, tally_block=block, tally_row=block, next=Style(underline=True),
        next_row=Style(underline=True, bold=True), warning=bold, warning_block=block, off_air=block,
        off_air_block=block, off_block=Style(dim=True), stale_block=block, signal=plain,
        bar_rest=Style(dim=True), frame=bold, key_block=Style(reverse=True), cursor_row=block, done=bold,
        thumbnails=False,
    )  # fmt: skip


def choose(color_system: str | None, *, no_color: bool, ascii_only: bool, theme: str = "auto") -> Palette:
    """The palette for a terminal; ``color_system`` is Rich's word for what it can, and no theme asks more of it."""
    glyphs = ASCII if ascii_only else Glyphs()
    if no_color or color_system is None or theme == "plain":
        return monochrome(glyphs)
    if color_system in {"standard", "windows"} or theme == "sixteen":
        return sixteen(glyphs)
    return {"light": light, "cvd": colour_blind}.get(theme, truecolor)(glyphs)
