"""A line that is typed into, in the order of the keys, however late the console comes to them."""

from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

_EDITING: Final = tuple(
    replace(binding, priority=True) for binding in Input.BINDINGS if isinstance(binding, Binding) and not binding.system
)


class Field(Input):
    """Textual's own types a letter where the focus is when it is read, but obeys Tab, Enter and Backspace only once
    they have bubbled up through every parent: of keys that come together (typed ahead, over a slow line, by a script)
    the letters come first, and into the field before. Here each key has done its work before the next is looked at.

    ``then`` is the id of what Enter leads to; where it is empty, Enter submits. What stands in a field that Tab or
    Enter leads to is replaced by what is typed, and kept by an arrow, Home or End.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *_EDITING,
        Binding("tab", "go(1)", show=False, priority=True),
        Binding("shift+tab", "go(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002 - Textual's own word
        placeholder: str = "",
        suggester: Suggester | None = None,
        then: str = "",
    ) -> None:
        super().__init__(
            value, id=id, placeholder=placeholder, suggester=suggester, compact=True, select_on_focus=False
        )
        self.cursor_blink = False
        self._then = then

    def post_message(self, message: Message) -> bool:
        """A letter is typed now, not when this widget's own turn comes: what follows it may lead elsewhere."""
        if not (isinstance(message, Key) and message.is_printable and message.character is not None):
            return super().post_message(message)
        if self.selection.is_empty:
            self.insert_text_at_cursor(message.character)
        else:
            self.replace(message.character, *self.selection)
        return True

    async def action_submit(self) -> None:
        if self._then:
            self._lead(self.screen.query_one(f"#{self._then}"))
        else:
            await super().action_submit()

    def action_go(self, step: int) -> None:
        """To the field after, or before."""
        self._lead(self.screen.focus_next() if step > 0 else self.screen.focus_previous())

    def _lead(self, to: Widget | None) -> None:
        """At once: ``Widget.focus`` waits for a turn of the loop."""
        if to is None:
            return
        self.screen.set_focus(to)
        if isinstance(to, Field):
            to.selection = Selection(0, len(to.value))
