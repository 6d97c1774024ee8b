"""What one shift hands to the next: everything that stands, and the shift log."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.client import ClientError
from mcr_console.drawing.handover import render_handover, render_handover_heading
from mcr_console.drawing.strips import Part, blank, line
from mcr_console.keys import Place, bindings
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.widgets.strip_view import Panel, StripView
from supervisor.schemas.handover import Handover

REFRESH_S: Final = 5.0
RETRY_S: Final = 2.0


class HandoverView(StripView):
    """The page; scrolls, has no cursor."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="handover")
        self._session = session
        self._page: Handover | None = None
        self._drawn: tuple[tuple[object, ...], list[Strip]] = ((), [])

    def show(self, page: Handover | None) -> None:
        self._page = page
        self.paint()

    def lines_for(self, width: int) -> int:
        return len(self._lines(width))

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        lines = self._lines(width)[first : first + count]
        return lines + [blank(width, self._session.palette.ground)] * (count - len(lines))

    def _lines(self, width: int) -> list[Strip]:
        session = self._session
        if self._page is None:
            return []
        stale = session.wall.stale(session.clock.monotonic())
        key = (self._page, width, stale)
        if self._drawn[0] != key:
            lines = render_handover(self._page, width, session.clock, session.palette, stale=stale)
            self._drawn = (key, lines)
        return self._drawn[1]


class HandoverScreen(OperatorScreen):
    """Fetched anew every few seconds; what it shows carries when it was so."""

    PLACE: ClassVar[Place] = "handover"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("handover")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._view = HandoverView(session)
        self._page: Handover | None = None
        self._trouble = ""
        self._loading = False
        self._fetch_at = 0.0

    def compose_body(self) -> ComposeResult:
        yield Panel(self._draw_heading, id="heading")
        yield self._view

    def title_parts(self) -> Sequence[Part]:
        return [("handover", self.session.palette.dim)]

    def navigate(self, action: str) -> None:
        page = max(1, self._view.size.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -1_000_000, "last": 1_000_000}
        self._view.scroll_to(y=self._view.scroll_offset.y + steps.get(action, 0), animate=False)

    def fetch_again(self) -> None:
        """Something was written just now."""
        self._fetch_at = 0.0

    def tick(self) -> None:
        now = self.session.clock.monotonic()
        if not self._loading and now >= self._fetch_at:
            self._loading, self._fetch_at = True, now + REFRESH_S
            self.run_worker(self._fetch, group="handover", exit_on_error=False)
        super().tick()

    async def _fetch(self) -> None:
        try:
            self._page = await self.session.feed.handover()
            self._trouble = ""
            self._view.show(self._page)
        except ClientError as error:
            self._trouble = f"{error.title}: {error.detail} {error.hint}".strip()
            self._fetch_at = self.session.clock.monotonic() + RETRY_S
        finally:
            self._loading = False

    def _draw_heading(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        if self._trouble:
            old = "" if self._page is None else f" of {self.session.clock.local(self._page.at):%H:%M:%S}"
            words = f" may be old{old}: {self._trouble}" if self._page is not None else f" {self._trouble}"
            return [line(width, palette.ground, [(words, palette.warning)])]
        if self._page is None:
            return [line(width, palette.ground, [(" fetching what stands", palette.dim)])]
        stale = self.session.wall.stale(self.session.clock.monotonic())
        return [render_handover_heading(self._page, width, self.session.clock, palette, stale=stale)]
