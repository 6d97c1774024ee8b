"""What aired, to the frame: one channel or all, newest first."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.asrun_pages import AsRunPages
from mcr_console.client import ClientError
from mcr_console.drawing.asrun_line import render_asrun_heading
from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, line
from mcr_console.keys import Place, bindings
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_event
from mcr_console.widgets.row_list import AsRunList, RowList
from mcr_console.widgets.strip_view import Panel
from supervisor.schemas.asrun import AsRunEvent


class AsRunScreen(OperatorScreen):
    """Older pages are fetched when the cursor comes near the end of what is there."""

    PLACE: ClassVar[Place] = "asrun"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("asrun")]

    def __init__(self, session: Session, channel_id: str | None) -> None:
        super().__init__(session)
        self._list = AsRunList(session, id="events")
        self._pages = AsRunPages(session.feed, channel_id)
        self._trouble = ""
        self._try_at = 0.0

    def compose_body(self) -> ComposeResult:
        yield Panel(self._draw_heading, grows=True, id="heading")
        yield self._list

    def title_parts(self) -> Sequence[Part]:
        palette = self.session.palette
        known = self.session.wall.channels.get(self._pages.channel_id or "")
        who = "all channels" if known is None else f"{known.channel.number} {known.channel.name}"
        count = len(self._pages.events(self.session.wall))
        more = "" if self._pages.complete else "+"
        counted = f"  {count}{more} events" if count or self._pages.complete else ""
        return [("as-run ", palette.dim), (who, palette.strong), (counted, palette.dim)]

    @property
    def event(self) -> AsRunEvent | None:
        """The one under the cursor."""
        return self._list.selected

    @property
    def listed(self) -> RowList:
        return self._list

    @property
    def is_complete(self) -> bool:
        """Whether nothing older is to be had."""
        return self._pages.complete

    def subject(self) -> Subject | None:
        event = self._list.selected
        if event is None:
            return None
        known = self.session.wall.channels.get(event.channel_id)
        name = "deleted channel" if known is None else f"{known.channel.number} {known.channel.name}"
        return of_event(event, name)

    def only(self) -> None:
        """One channel or all, and back."""
        channel_id = self.session.focus if self._pages.channel_id is None else None
        self._pages, self._trouble, self._try_at = AsRunPages(self.session.feed, channel_id), "", 0.0
        self.tick()

    def tick(self) -> None:
        events = self._pages.events(self.session.wall)
        self._list.show(events)
        seen = self._list.scroll_offset.y + self._list.size.height
        near_end = max(seen, self._list.cursor or 0) + self._list.size.height >= len(events)
        due = self.session.clock.monotonic() >= self._try_at
        if near_end and due and not self._pages.loading and not self._pages.complete:
            self.run_worker(partial(self._fetch, self._pages.more()), group="asrun", exit_on_error=False)
        super().tick()

    def navigate(self, action: str) -> None:
        page, everything = max(1, self._list.size.height - 1), self._list.rows()
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -everything, "last": everything}
        self._list.move(steps.get(action, 0))
        self.tick()

    async def _fetch(self, page: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await page()
            self._trouble = ""
        except ClientError as error:
            self._trouble = f"{error.title}: {error.detail} {error.hint}".strip()
            self._try_at = self.session.clock.monotonic() + 2.0

    def _draw_heading(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        if self._trouble:
            words = prose(f"may be incomplete: {self._trouble}", palette.warning, width, most=3)
            return [line(width, palette.ground, parts) for parts in words]
        if self._pages.complete and not self._list.rows():
            return [line(width, palette.ground, [(" Nothing has aired yet.", palette.dim)])]
        return [render_asrun_heading(width, palette)]
