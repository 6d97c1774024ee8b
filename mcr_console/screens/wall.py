"""The wall: every channel as a tile, and below it what needs somebody."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.drawing.attention import attention, render_attention
from mcr_console.drawing.grid import LEAST_HEIGHT, grid_for
from mcr_console.keys import Place, bindings
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.widgets.empty_wall import EmptyWall
from mcr_console.widgets.strip_view import Panel
from mcr_console.widgets.wall_view import WallView

MOST_ATTENTION = 24
"""Lines, where the tiles leave so many."""


class WallScreen(OperatorScreen):
    """Where an operator sits."""

    PLACE: ClassVar[Place] = "wall"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("wall")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wall = WallView(session)
        self._attention = Panel(self._draw_attention, id="attention")
        self._empty = EmptyWall(session)

    def compose_body(self) -> ComposeResult:
        yield self._wall
        yield self._empty
        yield self._attention

    def tick(self) -> None:
        shown = self.session.visible()
        self._wall.display = bool(shown)
        self._empty.display = not shown
        self._share_height()
        super().tick()

    def note_room(self) -> int:
        return self._wall.grid.width - 2

    def pictures(self) -> Sequence[str]:
        if not self.session.palette.thumbnails:
            return ()
        wall = self.session.wall
        return [id_ for id_ in self._wall.in_sight() if wall.channels[id_].live.observed in {"on_air", "late"}]

    def navigate(self, action: str) -> None:
        columns = self._wall.grid.columns
        page = columns * max(1, self._wall.size.height // self._wall.grid.pitch)
        everything = len(self.session.visible())
        steps = {
            "up": -columns,
            "down": columns,
            "left": -1,
            "right": 1,
            "page_up": -page,
            "page_down": page,
            "first": -everything,
            "last": everything,
        }
        step = steps[action]
        if abs(step) != columns or self._may_step(step):
            self.session.move(step)
        self.show_focus()

    def show_focus(self) -> None:
        """Scrolls the focused tile into sight."""
        self._wall.show_focus()

    def _may_step(self, step: int) -> bool:
        """In the last row, down stays: it must not jump to another column's tile."""
        shown, focus = self.session.visible(), self.session.focus
        return focus not in shown or 0 <= shown.index(focus) + step < len(shown)

    def _share_height(self) -> None:
        """All tiles come first; what is left goes to ATTENTION, which keeps a few lines when somebody is needed."""
        available = self._body.size.height
        session = self.session
        now = session.wall.supervisor_now(session.clock.monotonic()) or session.clock.now()
        needs = len(attention(session.wall, now))
        least = min(needs + 1, 4) if needs else 0
        grid = grid_for(len(self.session.visible()), self.size.width, available - least)
        spare = available - grid.total_height
        height = max(least, min(spare, MOST_ATTENTION, needs + 1)) if needs else (1 if spare >= 1 else 0)
        if grid.height == LEAST_HEIGHT and spare < least:
            height = least
        self._attention.display = height > 0
        if height and (self._attention.styles.height is None or self._attention.styles.height.value != height):
            self._attention.styles.height = height

    def _draw_attention(self, width: int, height: int) -> list[Strip]:
        session = self.session
        return render_attention(session.wall, width, height, session.clock, session.palette)
