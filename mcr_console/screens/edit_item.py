"""Changing one item, and moving, copying and deleting it."""

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

from mcr_console.edit_draft import draft_of, fields_of, patch_of
from mcr_console.screens.edit_base import EditScreen, field
from mcr_console.session import Session
from supervisor.schemas.channel import Rundown, RundownRow
from supervisor.schemas.playlist import Item
from supervisor.schemas.rundown_edit import AnyEdit, ChangeEdit, DuplicateEdit, MoveEdit, RemoveEdit

_LABELS: Final = {
    "title": ("Title", ""),
    "start": ("Start", "follow, hold, 20:15:00 cuts, ~20:15:00 waits"),
    "first": ("In", "HH:MM:SS:FF of the clip; empty: its start"),
    "out": ("Out", "HH:MM:SS:FF after the last; empty: its end"),
    "end": ("End", "duration, take, or a time: 21:00:00"),
    "length": ("Length", "0:30 or HH:MM:SS:FF; a live may be without"),
}


def index_of(rundown: Rundown, item_id: str) -> int:
    """The row of the item; 0 where it is gone."""
    return next((index for index, row in enumerate(rundown.rows) if row.item_id == item_id), 0)


class ChangeScreen(EditScreen):
    """Title, start, trim, end: what stands in the fields when it opens is what is so."""

    def __init__(self, session: Session, rundown: Rundown, item: Item) -> None:
        super().__init__(session, rundown, f"Edit {item.title}")
        self._item = item
        self._was = draft_of(item, rundown.rate, rundown.time_zone)

    def compose_fields(self) -> ComposeResult:
        for name in fields_of(self._item):
            label, hint = _LABELS[name]
            with Horizontal(classes="field"):
                yield Label(label)
                yield field(name, getattr(self._was, name))
                if hint:
                    yield Label(hint, classes="hint")

    def edit(self) -> AnyEdit:
        typed = {name: self.query_one(f"#{name}", Input).value for name in fields_of(self._item)}
        changes = patch_of(self._was, replace(self._was, **typed), self.rundown.rate)
        return ChangeEdit(item_id=self._item.id, changes=changes)

    def place(self, would_be: Rundown) -> int:
        return index_of(would_be, self._item.id)


class MoveScreen(EditScreen):
    """Up and down choose the place, counted from the item that it comes to stand before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("pageup", "step(-10)", show=False),
        Binding("pagedown", "step(10)", show=False),
    ]
    KEYS = "↑ ↓ choose the place   Enter moves it there   Esc leaves the list as it is"

    def __init__(self, session: Session, rundown: Rundown, row: RundownRow) -> None:
        super().__init__(session, rundown, f"Move {row.title}")
        self._item_id = row.item_id
        self._to = row.position
        self._seen = rundown.revision

    def compose_fields(self) -> ComposeResult:
        return ()

    def action_step(self, step: int) -> None:
        """Another place."""
        self._to = max(0, min(len(self.rundown.rows) - 1, self._to + step))
        self.ask()

    def edit(self) -> AnyEdit:
        at = index_of(self.rundown, self._item_id)
        if self._seen != self.rundown.revision:
            # Places are counted anew: the list is another one.
            self._to, self._seen = at, self.rundown.revision
        if at == self._to:
            raise ValueError("Up and down choose its place.")
        return MoveEdit(item_id=self._item_id, to=self._to)

    def place(self, would_be: Rundown) -> int:
        return index_of(would_be, self._item_id)


class CopyScreen(EditScreen):
    """The copy stands right below."""

    KEYS = "Enter copies it   Esc leaves the list as it is"

    def __init__(self, session: Session, rundown: Rundown, row: RundownRow) -> None:
        super().__init__(session, rundown, f"Copy {row.title}: right below, following on")
        self._item_id = row.item_id

    def compose_fields(self) -> ComposeResult:
        return ()

    def edit(self) -> AnyEdit:
        return DuplicateEdit(item_id=self._item_id)

    def place(self, would_be: Rundown) -> int:
        return index_of(would_be, self._item_id) + 1


class RemoveScreen(EditScreen):
    """How the list would be without it; taken back by undoing the edit."""

    KEYS = "Enter deletes it   Esc leaves the list as it is   afterwards ^z takes it back"

    def __init__(self, session: Session, rundown: Rundown, row: RundownRow) -> None:
        super().__init__(session, rundown, f"Delete {row.title} from the list?")
        self._item_id = row.item_id
        self._at = row.position

    def compose_fields(self) -> ComposeResult:
        return ()

    def edit(self) -> AnyEdit:
        return RemoveEdit(item_id=self._item_id)

    def place(self, would_be: Rundown) -> int:
        return self._at

    def marks(self, would_be: Rundown) -> bool:
        return False
