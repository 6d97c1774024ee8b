"""Putting something into the list: a clip that is looked for, a live input, a slate, a comment."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widgets import Input, Label

from mcr_console.drawing.strips import blank, columns, line
from mcr_console.edit_draft import asset_length, clip_of, item_of
from mcr_console.screens.edit_base import EditScreen, field
from mcr_console.session import Session
from mcr_console.widgets.strip_view import Panel
from supervisor.schemas.asset import Asset
from supervisor.schemas.channel import Rundown, RundownRow
from supervisor.schemas.rundown_edit import AnyEdit, InsertEdit


class InsertScreen(EditScreen):
    """Words look for clips in title, house id and path; the arrows choose one. Where it goes is kept by item."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]
    KEYS = "words, srt://…, slate 0:30 TITLE or # comment   ↑ ↓ choose   Enter inserts   Esc leaves"

    def __init__(self, session: Session, rundown: Rundown, row: RundownRow | None, *, below: bool = False) -> None:
        where = "at the end" if row is None else f"{'after' if below else 'before'} {row.title}"
        super().__init__(session, rundown, f"Insert {where}")
        self._beside = None if row is None else row.item_id
        self._below = below
        self._looked_for: str | None = None
        self._found: tuple[Asset, ...] = ()
        self._chosen = 0

    def compose_fields(self) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label("Find")
            yield field("search", "", "words of a title, a house id, a file")
        yield Panel(self._draw_found, id="found")

    def action_choose(self, step: int) -> None:
        """Another of those found."""
        self._chosen = max(0, min(len(self._found) - 1, self._chosen + step))
        self.repaint()
        self.ask()

    @property
    def typed(self) -> str:
        """What is looked for."""
        return self.query_one("#search", Input).value.strip()

    def on_input_changed(self) -> None:
        """No clip stays chosen beneath what is none."""
        if not self._is_clip():
            self._found, self._looked_for = (), None
            self.repaint()

    def _is_clip(self) -> bool:
        try:
            return item_of(self.typed, self.rundown.rate) is None
        except ValueError:
            return False

    async def look_up(self) -> None:
        words = self.typed
        if not self._is_clip():
            self._found, self._looked_for = (), None
        elif words != self._looked_for:
            self._found = await self.session.feed.find_assets(words)
            self._looked_for, self._chosen = words, 0
            self.repaint()

    def edit(self) -> AnyEdit:
        item = item_of(self.typed, self.rundown.rate)
        if item is None:
            if not self._found:
                raise ValueError(
                    f"No clip has {self.typed!r} in title, house id or path."
                    if self.typed
                    else "There are no clips yet."
                )
            item = clip_of(self._found[self._chosen])
        return InsertEdit(at=self._at(), items=(item,))

    def place(self, would_be: Rundown) -> int:
        try:
            return self._at()
        except ValueError:
            return 0

    def _at(self) -> int:
        rows = self.rundown.rows
        if self._beside is None:
            return len(rows)
        for index, row in enumerate(rows):
            if row.item_id == self._beside:
                return index + 1 if self._below else index
        raise ValueError("The row beside which it was to stand is gone: Esc, and choose another.")

    def _draw_found(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        if not self._found:
            return [blank(width, palette.ground)] * height
        first = max(0, min(self._chosen - height // 2, len(self._found) - height))
        strips: list[Strip] = []
        for index, asset in enumerate(self._found[first : first + height], first):
            chosen = index == self._chosen
            base = palette.cursor_row if chosen else palette.ground
            style = palette.cursor_row if chosen else palette.text
            quiet = style if chosen else palette.dim
            cells = [
                (palette.glyphs.cursor if chosen else " ", palette.frame, 1),
                (asset.title, style, max(10, width - 1 - 13 - 12 - 26)),
                (asset.house_id or "", quiet, 12),
                (asset_length(asset), quiet, 11),
                (asset.path.rpartition("/")[2], quiet, 24),
            ]
            strips.append(columns(width, base, cells))
        if len(self._found) > height and len(strips) == height:
            more = len(self._found) - (first + height)
            if more > 0:
                strips[-1] = line(width, palette.ground, [(f"  and {more + 1} more: type another word", palette.dim)])
        return (strips + [blank(width, palette.ground)] * height)[:height]
