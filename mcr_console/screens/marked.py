"""Many channels at once: all are named before it is done, and what became of each is told after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.session import Session

ARMED_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class MarkedQuestion:
    """``lines`` name every channel and what happens to it; ``button`` does it to all."""

    title: str
    lines: tuple[str, ...]
    button: str


class MarkedScreen(Guarded, ModalScreen[str]):
    """Two keys: the focus is on Cancel. Dismissed with ``do``, ``cancel``, ``late`` or ``changed``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = "MarkedScreen #lines { height: auto; max-height: 10; }"

    def __init__(self, question: MarkedQuestion, session: Session, essence: Callable[[], object]) -> None:
        super().__init__()
        self._question = question
        self._session = session
        self._essence = essence
        self._armed_for = essence()
        self._until = session.clock.monotonic() + ARMED_S

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._question.title)), id="question")
            with VerticalScroll(id="lines", can_focus=False):
                for words in self._question.lines:
                    yield Label(Text(safe(words)), classes="consequence")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Text(safe(self._question.button)), id="do")
            yield Label(Text(""), id="armed-for")

    def on_mount(self) -> None:
        """The focus is where a careless Enter does nothing."""
        self.query_one("#cancel", Button).focus()
        self.set_interval(0.25, self._watch)
        self._watch()

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        self.dismiss("do" if event.button.id == "do" else "cancel")

    def action_cancel(self) -> None:
        self.dismiss("cancel")

    def _watch(self) -> None:
        left = self._until - self._session.clock.monotonic()
        if self._essence() != self._armed_for:
            self.dismiss("changed")
        elif left <= 0:
            self.dismiss("late")
        else:
            words = f"armed for {left:.0f} s; Tab or an arrow and Enter do it, Esc cancels"
            self.query_one("#armed-for", Label).update(Text(words))


class ResultScreen(Guarded, ModalScreen[None]):
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
