"""For how long an alarm is put aside, and why."""

from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label

from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.screens.modal import OwnModal
from mcr_console.widgets.field import Field
from supervisor.schemas.alarm import ShelveIn

MINUTES: Final = 30


class ShelveScreen(Guarded, OwnModal[ShelveIn | None]):
    """Dismissed with what is to be sent, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(
                Text.assemble("Put this alarm aside?", ("   Enter goes on, Esc leaves", "not bold")), id="question"
            )
            yield Label(Text(safe(self._what)), classes="consequence")
            yield Label("It does not ring until then, and it is shelved still if it comes again.")
            yield Label("Minutes")
            yield Field(str(MINUTES), id="minutes", then="reason")
            yield Label("Why? It is kept with your name.")
            # Not Cancel, which comes first by Tab: one more Enter would lose what was typed.
            yield Field(id="reason", then="do")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Shelve", id="do")
            yield Label("", id="progress")

    def on_mount(self) -> None:
        """Begin with how long."""
        self.query_one("#minutes", Input).focus()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        minutes, reason = (self.query_one(field, Input).value.strip() for field in ("#minutes", "#reason"))
        try:
            values = ShelveIn(minutes=int(minutes), reason=reason)
        except ValueError:
            self.query_one("#progress", Label).update("It needs whole minutes, at most a week, and a reason.")
        else:
            self.dismiss(values)
