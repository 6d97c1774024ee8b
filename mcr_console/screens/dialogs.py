"""A line of text that is asked for."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label
from textual.widgets.input import Selection

from mcr_console.faults import Guarded
from mcr_console.keys import BY_COMMAND
from mcr_console.screens.modal import OwnModal
from mcr_console.widgets.field import Field


class LineScreen(Guarded, OwnModal[str | None]):
    """One line of text at the foot of the screen. Dismissed with it, or None on Esc.

    What stands there at first is edited, or ``replaced`` by what is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
    ]

    def __init__(
        self,
        prompt: str,
        text: str = "",
        *,
        changed: Callable[[str], None] | None = None,
        suggestions: tuple[str, ...] = (),
        history: list[str] | None = None,
        replaced: bool = False,
    ) -> None:
        super().__init__()
        self._replaced = replaced
        self._prompt = prompt
        self._text = text
        self._changed = changed
        self._suggestions = suggestions
        self._history = history if history is not None else []
        self._back = 0

    def compose(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield Label(Text(self._prompt), id="prompt")
            suggester = SuggestFromList(self._suggestions, case_sensitive=False) if self._suggestions else None
            entry = Field(self._text, suggester=suggester)
            if self._replaced:
                entry.selection = Selection(0, len(self._text))
            yield entry

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._changed is not None:
            self._changed(event.value)

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_earlier(self) -> None:
        self._recall(1)

    def action_later(self) -> None:
        self._recall(-1)

    def _recall(self, step: int) -> None:
        self._back = max(0, min(len(self._history), self._back + step))
        entry = self.query_one(Input)
        entry.value = self._history[-self._back] if self._back else ""
        entry.cursor_position = len(entry.value)


def command_words() -> tuple[str, ...]:
    """What the ``:`` line completes to."""
    return tuple(sorted(BY_COMMAND))
