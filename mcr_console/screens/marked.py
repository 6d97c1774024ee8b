"""Many channels at once: what became of each."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Label

from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.screens.modal import OwnModal


class ResultScreen(Guarded, OwnModal[None]):
    """What became of it, a line each; the refused first. Any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,space", "close", "close")]
    DEFAULT_CSS = "ResultScreen #lines { height: auto; max-height: 14; }"

    def __init__(self, title: str, lines: tuple[str, ...]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._title)), id="question")
            with VerticalScroll(id="lines"):
                for words in self._lines:
                    yield Label(Text(safe(words)))
            yield Label(Text("Enter or Esc closes this"), id="armed-for")

    def action_close(self) -> None:
        self.dismiss(None)
