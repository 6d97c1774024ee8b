"""Asking before what nobody may do by a slip: the focus is on Cancel, time and target are bound."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Label

from mcr_console.clock import Clock
from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.screens.modal import OwnModal
from mcr_console.session import Session
from mcr_console.widgets.field import Field

ARMED_S: Final = 10.0
TYPING_S: Final = 120.0
"""The same where a reason is to be typed."""
LEAST_REASON: Final = 3
Outcome: TypeAlias = Literal["do", "cancel", "late", "changed"]
_WHY_NOT: Final[dict[Outcome, str]] = {
    "do": "", "cancel": "cancelled", "late": "nobody answered", "changed": "it changed meanwhile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """``title`` names verb and target; ``lines`` what follows, and each of several targets; ``button`` does it."""

    title: str
    lines: tuple[str, ...]
    button: str


@dataclass(frozen=True, slots=True)
class Answer:
    """``reason`` is what was typed, where one was asked for."""

    outcome: Outcome
    reason: str = ""

    @property
    def why_not(self) -> str:
        """Empty where it is to be done."""
        return _WHY_NOT[self.outcome]


class ArmScreen(Guarded, OwnModal[Answer]):
    """``essence`` is what must not change between the question and the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = "ArmScreen #lines { height: auto; max-height: 10; }"

    def __init__(
        self,
        question: Question,
        clock: Clock,
        essence: Callable[[], object],
        *,
        seconds: float = ARMED_S,
        reason: str = "",
    ) -> None:
        """``reason``: what is asked for, where one is kept; there is more time then."""
        super().__init__()
        self._question, self._clock, self._essence, self._reason = question, clock, essence, reason
        self._armed_for = essence()
        self._until = clock.monotonic() + (TYPING_S if reason else seconds)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._question.title)), id="question")
            with VerticalScroll(id="lines", can_focus=False):
                for words in self._question.lines:
                    yield Label(Text(safe(words)), classes="consequence")
            if self._reason:
                yield Label(Text(safe(self._reason)))
                yield Field(id="reason", then="cancel")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Text(safe(self._question.button)), id="do")
            yield Label(Text(""), id="armed-for")

    def on_mount(self) -> None:
        """The focus is where a careless Enter does nothing."""
        self.query_one("#cancel", Button).focus()
        self.tick()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(Answer("cancel"))

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        """What changed since the last look counts, too."""
        reason = self.query_one("#reason", Input).value.strip() if self._reason else ""
        if self._essence() != self._armed_for:
            self.dismiss(Answer("changed"))
        elif self._reason and len(reason) < LEAST_REASON:
            self._say("It needs a reason: it is kept with your name. Tab goes to it.")
        else:
            self.dismiss(Answer("do", reason))

    def tick(self) -> None:
        """How long it is armed for; takes itself away when that is over, or when what it asks about changed."""
        left = self._until - self._clock.monotonic()
        if self._essence() != self._armed_for:
            self.dismiss(Answer("changed"))
        elif left <= 0:
            self.dismiss(Answer("late"))
        else:
            self._say(f"armed for {left:.0f} s; Tab or an arrow and Enter do it, Esc cancels")

    def _say(self, words: str) -> None:
        self.query_one("#armed-for", Label).update(Text(words))


def essence_of(session: Session, channel_id: str) -> object:
    """Of a channel: what a question about it is bound to."""
    state = session.wall.channels.get(channel_id)
    if state is None:
        return None
    live = state.live
    hands = None if live.control is None else live.control.seat
    return live.epoch, live.desired, live.phase, live.picture == "freeze", hands
