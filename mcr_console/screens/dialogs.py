"""What is asked before something is done: arming, a line of text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label

from mcr_console.faults import Guarded
from mcr_console.keys import BY_COMMAND
from mcr_console.safe_text import safe
from mcr_console.session import Session
from mcr_console.wall_state import ChannelState

ARMED_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """``title`` names verb and target; ``lines`` say what follows from it; ``button`` does it."""

    title: str
    lines: tuple[str, ...]
    button: str


class ArmScreen(Guarded, ModalScreen[str]):
    """Two keys: the focus is on Cancel. Dismissed with ``do``, ``cancel``, ``late`` or ``changed``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question, session: Session, state: ChannelState) -> None:
        super().__init__()
        self._question = question
        self._session = session
        self._armed_for = _essence(state)
        self._channel_id = state.channel.id
        self._until = session.clock.monotonic() + ARMED_S

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._question.title)), id="question")
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
        state = self._session.wall.channels.get(self._channel_id)
        if state is None or _essence(state) != self._armed_for:
            self.dismiss("changed")
        elif left <= 0:
            self.dismiss("late")
        else:
            words = f"armed for {left:.0f} s; Tab or an arrow and Enter do it, Esc cancels"
            self.query_one("#armed-for", Label).update(Text(words))


def _essence(state: ChannelState) -> tuple[object, ...]:
    """What must not change between the question and the answer."""
    live = state.live
    hands = None if live.control is None else live.control.seat
    return live.epoch, live.desired, live.phase, live.picture == "freeze", hands


class LineScreen(Guarded, ModalScreen[str | None]):
    """One line of text at the foot of the screen. Dismissed with it, or None on Esc."""

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
    ) -> None:
        super().__init__()
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
            entry = Input(self._text, suggester=suggester, compact=True)
            entry.cursor_blink = False
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
