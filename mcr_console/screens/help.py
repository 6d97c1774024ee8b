"""The help: the desk in one page, and below it every key, from the table."""

from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from mcr_console.faults import Guarded
from mcr_console.key_sheet import command_of, key_names
from mcr_console.keymap import Keymap
from mcr_console.keys import ACTIONS
from mcr_console.palette import Palette
from mcr_console.screens.modal import OwnModal

DESK: Final = (
    ("w l enter", "all channels as tiles, as lines; enter opens one"),
    ("0-9", "a channel's number; the frame with the word FOCUS is it"),
    ("last line", "what each key will do, and to what, before you press it"),
    ("t", "takes what is cued, else what is next; it ends a hold too"),
    ("H U", "hold after this item; undo your last take, hold, drop"),
    ("B R", "STANDBY: the slate, now. REJOIN: what should be on air"),
    ("] [", "the item on air 30 s longer, shorter: a live that overruns"),
    ("S X P", "start, stop, another node: they ask, with focus on Cancel"),
    ("c", "on the wall: a new channel; on a channel: cue the row"),
    ("D i enter", "on a channel: drop the row, insert before it, edit it"),
    ("e A", "why a channel or row is late, off, refused; what needs you"),
    ("r a : ^p", "what aired; acknowledge; a command; find one by its words"),
    ("M V F9 !", "nodes, recorders; hand over: what stands; note for the next"),
    ("^q", "leave. That, or a lost supervisor, takes nothing off air"),
)
"""At 80x24 this and the signs fill the help's first page."""


class HelpScreen(Guarded, OwnModal[None]):
    """Closed by the keys that opened it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "close", "close")]

    def __init__(self, palette: Palette, keymap: Keymap) -> None:
        super().__init__()
        self._palette = palette
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_page(self._palette, self._keymap))

    def action_close(self) -> None:
        self.dismiss(None)


def help_page(palette: Palette, keymap: Keymap) -> Group:
    """The desk, what the signs mean, and every action: keys, ``:`` word, what it does."""
    parts: list[RenderableType] = [
        Text.assemble(("The desk in one page", palette.strong), ("     esc closes, arrows scroll", palette.dim))
    ]
    desk = Table.grid(padding=(0, 2, 0, 0))
    desk.add_column(width=9)
    desk.add_column(ratio=1)
    for keys, words in DESK:
        desk.add_row(Text(keys, palette.strong), Text(words, palette.text))
    parts.append(desk)
    parts.append(_signs(palette))
    for group in dict.fromkeys(action.group for action in ACTIONS):
        parts.append(Text(f"\n{group}", palette.strong))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=14)
        table.add_column(width=14)
        table.add_column(ratio=1)
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(key_names(keymap.of(action))) or action.key_label
                table.add_row(
                    Text(f"  {keys}", palette.strong),
                    Text(command_of(action), palette.signal),
                    Text(action.help, palette.text),
                )
        parts.append(table)
    return Group(*parts)


def _signs(palette: Palette) -> Table:
    glyphs = palette.glyphs
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=9)
    table.add_column(ratio=1)
    for sign, style, words in (
        (f"{glyphs.on_air} ON AIR", palette.tally, "red is tally, and nothing else is red"),
        (f"{glyphs.next} next", palette.next, "green is what comes next"),
        (f"{glyphs.warning} LATE", palette.warning, "amber is a warning; it stands beside the tally"),
        (f"{glyphs.off_air} OFF AIR", palette.off_air_block, "should be on air and is not"),
        (f"{glyphs.unknown} STALE", palette.strong, "the supervisor is lost: what you see is old, playout goes on"),
    ):
        table.add_row(Text(sign, style), Text(words, palette.text))
    return table
