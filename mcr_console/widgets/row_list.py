"""Lists of one line a row, of any length: only what is visible is drawn."""

from abc import abstractmethod
from typing import Final

from textual import events
from textual.strip import Strip

from mcr_console.drawing.asrun_line import render_asrun_line
from mcr_console.drawing.channel_line import render_channel_line
from mcr_console.drawing.kept import Kept
from mcr_console.drawing.rundown_line import render_rundown_line
from mcr_console.drawing.strips import blank
from mcr_console.session import Session
from mcr_console.widgets.strip_view import StripView
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import Rundown, RundownRow

_WIDE: Final = 400
"""Cells in which nothing of a row is cut."""


class RowList(StripView):
    """``cursor`` is the index of the row that keys act on; None where there is none."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.session = session

    @abstractmethod
    def row(self, index: int, width: int, *, cursor: bool) -> Strip:
        """One row."""

    @abstractmethod
    def rows(self) -> int:
        """How many there are."""

    @property
    @abstractmethod
    def cursor(self) -> int | None:
        """The row that keys act on."""

    @abstractmethod
    def put_cursor(self, index: int) -> None:
        """Puts the cursor on an existing row."""

    def lines_for(self, width: int) -> int:
        return self.rows()

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        total, cursor = self.rows(), self.cursor
        return [
            self.row(index, width, cursor=index == cursor)
            if index < total
            else blank(width, self.session.palette.ground)
            for index in range(first, first + count)
        ]

    def words(self, index: int) -> str:
        """What the row is found by."""
        return self.row(index, _WIDE, cursor=False).text

    def find(self, text: str, step: int) -> bool:
        """Puts the cursor on the next row that way, with a ``step`` of -1 on the one before, that has ``text`` in it,
        in either case, and round the end; False where none has."""
        total, start, wanted = self.rows(), self.cursor or 0, text.casefold()
        order = ((start + step * away) % total for away in range(1, total + 1))
        index = next((index for index in order if wanted in self.words(index).casefold()), None)
        if index is None:
            return False
        self.put_cursor(index)
        self.show_cursor()
        return True

    def move(self, step: int) -> None:
        """Moves the cursor and scrolls it into sight."""
        total = self.rows()
        if not total:
            return
        cursor = self.cursor
        self.put_cursor(0 if cursor is None else max(0, min(total - 1, cursor + step)))
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scrolls the cursor into sight."""
        cursor = self.cursor
        if cursor is not None:
            self.show_line(cursor)
        self.paint()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor there; a click alone never touches air."""
        index = event.y + self.scroll_offset.y
        if 0 <= index < self.rows():
            self.put_cursor(index)
            self.paint()


class ChannelList(RowList):
    """One line a channel; its cursor is the focused channel."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(session, id=id)
        self._kept: Kept[Strip] = Kept()

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        drawn = super().draw(first, count, width)
        if count > 1:
            self._kept.prune()
        return drawn

    def row(self, index: int, width: int, *, cursor: bool) -> Strip:
        palette = self.session.palette
        view = self.session.tile(self.session.visible()[index], (0, 0))
        return self._kept.get(view, (width, 1), palette, lambda: render_channel_line(view, width, palette))

    def rows(self) -> int:
        return len(self.session.visible())

    @property
    def cursor(self) -> int | None:
        shown, focus = self.session.visible(), self.session.focus
        return shown.index(focus) if focus in shown else None

    def put_cursor(self, index: int) -> None:
        self.session.focus = self.session.visible()[index]


class RundownList(RowList):
    """A channel's rundown. The cursor is kept by item id: an edit elsewhere does not move it to another item."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(session, id=id)
        self._rundown: Rundown | None = None
        self._chosen: str | None = None

    def show(self, rundown: Rundown | None) -> None:
        """Takes a new rundown; before the operator moved, the cursor goes with what is next."""
        first = self._rundown is None
        self._rundown = rundown
        if first and rundown is not None:
            self.call_after_refresh(self.show_cursor)
        self.paint()

    def choose(self, item_id: str) -> None:
        """Puts the cursor on the item's row."""
        self._chosen = item_id
        self.call_after_refresh(self.show_cursor)

    def words(self, index: int) -> str:
        return "" if self._rundown is None else self._rundown.rows[index].title

    def forget(self) -> None:
        """Another channel: nothing is listed until its rundown comes."""
        self._rundown, self._chosen = None, None

    @property
    def chosen(self) -> RundownRow | None:
        """The row that the operator went to; None while the cursor goes with what is next."""
        return None if self._chosen is None else self.selected

    @property
    def selected(self) -> RundownRow | None:
        """The row under the cursor."""
        cursor = self.cursor
        return None if cursor is None or self._rundown is None else self._rundown.rows[cursor]

    def row(self, index: int, width: int, *, cursor: bool) -> Strip:
        rundown, state = self._rundown, self.session.focused
        if rundown is None or state is None:
            return blank(width, self.session.palette.ground)
        stale = self.session.wall.stale(self.session.clock.monotonic())
        return render_rundown_line(
            rundown.rows[index], rundown, state, width, self.session.palette, cursor=cursor, stale=stale
        )

    def rows(self) -> int:
        return 0 if self._rundown is None else len(self._rundown.rows)

    @property
    def cursor(self) -> int | None:
        if self._rundown is None or not self._rundown.rows:
            return None
        rows = self._rundown.rows
        for index, row in enumerate(rows):
            if row.item_id == self._chosen:
                return index
        state = self.session.focused
        follows = None if state is None or state.live.next is None else state.live.next.item_id
        return next((index for index, row in enumerate(rows) if row.item_id == follows), 0)

    def put_cursor(self, index: int) -> None:
        if self._rundown is not None:
            self._chosen = self._rundown.rows[index].item_id


class AsRunList(RowList):
    """As-run events, newest first."""

    def __init__(self, session: Session, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(session, id=id)
        self._events: tuple[AsRunEvent, ...] = ()
        self._chosen: tuple[str, str, int] | None = None

    def show(self, events: tuple[AsRunEvent, ...]) -> None:
        """Takes what is to be listed; the cursor stays on its event."""
        self._events = events
        self.paint()

    @property
    def selected(self) -> AsRunEvent | None:
        """The event under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self._events[cursor]

    def row(self, index: int, width: int, *, cursor: bool) -> Strip:
        event = self._events[index]
        known = self.session.wall.channels.get(event.channel_id)
        return render_asrun_line(
            event,
            None if known is None else known.channel,
            width,
            self.session.clock,
            self.session.palette,
            cursor=cursor,
            stale=self.session.wall.stale(self.session.clock.monotonic()),
        )

    def rows(self) -> int:
        return len(self._events)

    @property
    def cursor(self) -> int | None:
        if not self._events:
            return None
        for index, event in enumerate(self._events):
            if (event.channel_id, event.run_id, event.seq) == self._chosen:
                return index
        return 0

    def put_cursor(self, index: int) -> None:
        event = self._events[index]
        self._chosen = None if index == 0 else (event.channel_id, event.run_id, event.seq)
