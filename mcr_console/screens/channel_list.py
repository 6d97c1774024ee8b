"""All channels, a line each: for hundreds of them."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from mcr_console.drawing.strips import Part
from mcr_console.keys import Place, bindings
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.widgets.empty_wall import EmptyWall
from mcr_console.widgets.row_list import ChannelList


class ListScreen(OperatorScreen):
    """The cursor is the focus."""

    PLACE: ClassVar[Place] = "list"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._list = ChannelList(session, id="channels")
        self._empty = EmptyWall(session)

    def compose_body(self) -> ComposeResult:
        yield self._list
        yield self._empty

    def tick(self) -> None:
        shown = bool(self.session.visible())
        self._list.display = shown
        self._empty.display = not shown
        super().tick()

    def title_parts(self) -> Sequence[Part]:
        shown, all_of_them = len(self.session.visible()), len(self.session.wall.order)
        more = f"  {shown} of {all_of_them} shown" if shown != all_of_them else ""
        return [("list", self.session.palette.dim), (more, self.session.palette.warning)]

    def note_room(self) -> int:
        return self.size.width // 3

    def navigate(self, action: str) -> None:
        page, everything = max(1, self._list.size.height - 1), self._list.rows()
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -everything, "last": everything}
        self._list.move(steps.get(action, 0))

    def show_focus(self) -> None:
        """Scrolls the focused line into sight."""
        self._list.show_cursor()
