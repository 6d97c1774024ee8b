"""A list of rows of any kind, with headings between them that the cursor passes over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from mcr_console.session import Session
from mcr_console.widgets.row_list import RowList


@dataclass(frozen=True, slots=True)
class Row:
    """``draw`` makes the row of a width on a ground. ``key`` None: a heading, on which no cursor stands."""

    key: str | None
    draw: Callable[[int, Style], Strip]


class Sheet(RowList):
    """The cursor stays on its key wherever that goes; where it is gone, on what came in its place."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(session, id=id)
        self._rows: Sequence[Row] = ()
        self._chosen: str | None = None
        self._was_at = 0

    def show(self, rows: Sequence[Row]) -> None:
        """Takes what is to be listed. Drawn at the screen's next paint. A cursor that was in sight stays there."""
        before, top = self.cursor, self.scroll_offset.y
        self._rows = rows
        cursor = self.cursor
        if cursor is not None:
            self._was_at = cursor
        elif self._chosen is not None:
            near = self._nearest(self._was_at)
            self._chosen = None if near is None else rows[near].key
        if before is not None and self.cursor != before and top <= before < top + self.size.height:
            self.call_after_refresh(self.show_cursor)

    @property
    def selected(self) -> str | None:
        """The key under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self._rows[cursor].key

    def row(self, index: int, width: int, *, cursor: bool) -> Strip:
        palette = self.session.palette
        return self._rows[index].draw(width, palette.cursor_row if cursor else palette.ground)

    def words(self, index: int) -> str:
        """None of a heading."""
        return "" if self._rows[index].key is None else super().words(index)

    def rows(self) -> int:
        return len(self._rows)

    @property
    def cursor(self) -> int | None:
        if self._chosen is None:
            return self._nearest(0)
        return next((index for index, row in enumerate(self._rows) if row.key == self._chosen), None)

    def put_cursor(self, index: int) -> None:
        """On that row; from a heading on to the next one that is none."""
        before = self.cursor
        step = -1 if before is not None and index < before else 1
        at = index
        while 0 <= at < len(self._rows) and self._rows[at].key is None:
            at += step
        if 0 <= at < len(self._rows):
            self._chosen, self._was_at = self._rows[at].key, at

    def show_cursor(self) -> None:
        """Scrolls the cursor into sight; with the first row the heading above it."""
        cursor = self.cursor
        if cursor is not None and all(row.key is None for row in self._rows[:cursor]):
            self.show_line(0)
        super().show_cursor()

    def _nearest(self, index: int) -> int | None:
        found = [at for at, row in enumerate(self._rows) if row.key is not None]
        return min(found, key=lambda at: (abs(at - index), at), default=None)
