"""A list, and beside or below it what is known of the selected row: attention, nodes, recorders, explain."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.strip import Strip

from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, blank, line
from mcr_console.polled import Question
from mcr_console.safe_text import age
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.widgets.row_list import RowList
from mcr_console.widgets.sheet import Row, Sheet
from mcr_console.widgets.strip_view import Panel

OLD_S = 15.0
"""Age of an answer from which the heading tells it."""


class SheetScreen(OperatorScreen):
    """Asks only while it is on top. What it asked last stays, with its age, when the supervisor does not answer."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.sheet = Sheet(session, id="sheet")

    def compose_body(self) -> ComposeResult:
        with Container(id="split"):
            with Vertical(id="sheet-side"):
                yield Panel(self._draw_heading, grows=True, id="heading")
                yield self.sheet
            yield Panel(self._draw_detail, id="detail")

    def polls(self) -> Sequence[Question]:
        """What is asked for."""
        return ()

    def sheet_rows(self) -> Sequence[Row]:
        """What is listed now."""
        raise NotImplementedError

    def column_heads(self, width: int) -> Sequence[Part]:
        """The line above the list."""
        return ()

    def detail_lines(self, width: int) -> Sequence[Sequence[Part]]:
        """What is known of the selected row; what has no room is not shown."""
        return ()

    @property
    def listed(self) -> RowList:
        return self.sheet

    @property
    def selected(self) -> str | None:
        """The key under the cursor."""
        return self.sheet.selected

    @property
    def is_stale(self) -> bool:
        return self.session.wall.stale(self.session.clock.monotonic())

    def tick(self) -> None:
        if self.is_current:
            for poll in self.polls():
                if poll.due:
                    self.run_worker(poll.begin(), group=f"poll {id(poll)}", exit_on_error=False)
        self.sheet.show(self.sheet_rows())
        super().tick()

    def navigate(self, action: str) -> None:
        page, everything = max(1, self.sheet.size.height - 1), self.sheet.rows()
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -everything, "last": everything}
        self.sheet.move(steps.get(action, 0))
        self.tick()

    def _draw_heading(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        trouble = next((poll.trouble for poll in self.polls() if poll.trouble), "")
        ages = [poll.age for poll in self.polls() if poll.age is not None]
        if trouble:
            how_old = f"as of {age(max(ages))} ago" if ages else "nothing is known yet"
            words = prose(f"{how_old}: {trouble}", palette.warning, width, most=3)
            return [line(width, palette.ground, parts) for parts in words]
        if self.polls() and not ages:
            return [line(width, palette.ground, [(" asking the supervisor", palette.dim)])]
        right: list[Part] = []
        if ages and max(ages) > OLD_S:
            right = [(f"as of {age(max(ages))} ago ", palette.warning)]
        return [line(width, palette.ground, list(self.column_heads(width)), right)]

    def _draw_detail(self, width: int, height: int) -> list[Strip]:
        palette, ground = self.session.palette, self.session.palette.ground
        shown = self.detail_lines(width)[:height]
        if self.is_stale:  # nothing of it may look like now
            shown = [[(text, palette.dim) for text, _ in parts] for parts in shown]
        strips = [line(width, ground, list(parts)) for parts in shown]
        return (strips + [blank(width, ground)] * height)[:height]
