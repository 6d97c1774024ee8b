"""Arming for what is no channel: a node, a port, a recorder. Where a reason is kept it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from mcr_console.clock import Clock
from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.screens.dialogs import Question

ARMED_S: Final = 10.0
TYPING_S: Final = 120.0
"""The same where a reason is to be typed."""
LEAST_REASON: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """``why_not`` is empty where it is to be done."""

    why_not: str = ""
    reason: str = ""


class NamedArm(Guarded, ModalScreen[Answer]):
    """``essence`` is what must not change between the question and the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question, clock: Clock, essence: Callable[[], object], *, reason: str = "") -> None:
        """``reason``: what is asked for, where one is kept."""
        super().__init__()
        self._question, self._clock, self._essence, self._reason = question, clock, essence, reason
        self._armed_for = essence()
        self._until = clock.monotonic() + (TYPING_S if reason else ARMED_S)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._question.title)), id="question")
            for words in self._question.lines:
                yield Label(Text(safe(words)), classes="consequence")
            if self._reason:
                yield Label(Text(safe(self._reason)))
                entry = Input(id="reason", compact=True)
                entry.cursor_blink = False
                yield entry
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Text(safe(self._question.button)), id="do")
            yield Label(Text(""), id="armed-for")

    def on_mount(self) -> None:
        """The focus is where a careless Enter does nothing."""
        self.query_one("#cancel", Button).focus()
        self.set_interval(0.25, self._watch)
        self._watch()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(Answer("cancelled"))

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        reason = self.query_one("#reason", Input).value.strip() if self._reason else ""
        if self._essence() != self._armed_for:
            self.dismiss(Answer("it changed meanwhile"))
        elif self._reason and len(reason) < LEAST_REASON:
            self._say("It needs a reason: it is kept with your name. Tab goes to it.")
        else:
            self.dismiss(Answer(reason=reason))

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.query_one("#cancel", Button).focus()

    def _watch(self) -> None:
        left = self._until - self._clock.monotonic()
        if self._essence() != self._armed_for:
            self.dismiss(Answer("it changed meanwhile"))
        elif left <= 0:
            self.dismiss(Answer("nobody answered"))
        else:
            self._say(f"armed for {left:.0f} s; Tab or an arrow and Enter do it, Esc cancels")

    def _say(self, words: str) -> None:
        self.query_one("#armed-for", Label).update(Text(words))
