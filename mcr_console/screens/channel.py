"""One channel: its rundown, its countdown, what went to air and why things are as they are."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip

from mcr_console.asrun_pages import AsRunPages
from mcr_console.client import ClientError
from mcr_console.drawing.asrun_line import render_asrun_line
from mcr_console.drawing.channel_facts import channel_title, render_side, render_top, render_why, side_picture
from mcr_console.drawing.prose import prose
from mcr_console.drawing.rundown_line import render_rundown_heading
from mcr_console.drawing.strips import Part, blank, line
from mcr_console.keys import Place, bindings
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_row
from mcr_console.widgets.row_list import RowList, RundownList
from mcr_console.widgets.strip_view import Panel
from supervisor.schemas.channel import Rundown, RundownRow

REFRESH_S = 10.0
"""Computed times drift with every late frame and every hold: fetched again at least this often."""
RETRY_S = 2.0


class ChannelScreen(OperatorScreen):
    """Shows the focused channel: a digit goes to another channel without leaving."""

    PLACE: ClassVar[Place] = "channel"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("channel")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rows = RundownList(session, id="rundown")
        self._side = Panel(self._draw_side, id="side")
        self._channel_id: str | None = None
        self._rundown: Rundown | None = None
        self._pages: AsRunPages | None = None
        self._fetched: tuple[object, ...] | None = None
        self._fetch_at = 0.0
        self._loading = False
        self._trouble = ""
        self._tail_trouble = ""
        self._tail_at = 0.0

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="main"):
                yield Panel(self._draw_top, id="top")
                yield Panel(self._draw_heading, grows=True, id="heading")
                yield self._rows
                yield Panel(self._draw_asrun, id="tail")
                yield Panel(self._draw_why, id="why")
            yield self._side

    def title_parts(self) -> Sequence[Part]:
        state = self.session.focused
        palette = self.session.palette
        if state is None:
            return [("channel is gone", palette.warning)]
        return [("wall", palette.dim), *channel_title(state, palette, self.session.feed.seat)]

    def selected_row(self) -> RundownRow | None:
        return self._rows.selected

    @property
    def rundown(self) -> Rundown | None:
        """As it was last fetched; None before it came."""
        return self._rundown

    def take(self, rundown: Rundown, item_id: str | None = None) -> None:
        """Shows what an edit made, with the cursor on ``item_id``, if it is of the channel that is shown."""
        if rundown.channel_id == self._channel_id:
            self._rundown, self._trouble = rundown, ""
            self._rows.show(rundown)
            if item_id is not None:
                self._rows.choose(item_id)

    def subject(self) -> Subject | None:
        state, row = self.session.focused, self._rows.chosen
        return of_row(state, row) if state is not None and row is not None else super().subject()

    def note_room(self) -> int:
        return self._side.size.width if self._side.display else self.size.width - 2

    def pictures(self) -> Sequence[str]:
        state = self.session.focused
        if state is None or not self.session.palette.thumbnails or state.live.observed not in {"on_air", "late"}:
            return ()
        return (state.channel.id,)

    def navigate(self, action: str) -> None:
        page, everything = max(1, self._rows.size.height - 1), self._rows.rows()
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -everything, "last": everything}
        self._rows.move(steps.get(action, 0))

    @property
    def listed(self) -> RowList:
        return self._rows

    def tick(self) -> None:
        self._keep_up()
        super().tick()

    def _keep_up(self) -> None:
        """Fetches the rundown when the channel, its list, what is on air or its length, or what was dropped changed."""
        focus, state = self.session.focus, self.session.focused
        if focus != self._channel_id:
            self._channel_id, self._rundown, self._fetched, self._trouble = focus, None, None, ""
            self._pages = None if focus is None else AsRunPages(self.session.feed, focus)
            self._tail_trouble, self._tail_at = "", 0.0
            self._rows.forget()
        now, pages = self.session.clock.monotonic(), self._pages
        if pages is not None and not pages.begun and not pages.loading and now >= self._tail_at:
            self.run_worker(partial(self._fetch_asrun, pages, pages.more()), group="asrun", exit_on_error=False)
        if focus is None or state is None or self._loading:
            return
        live, news = state.live, self.session.wall.rundown_news.get(focus, 0)
        item = None if live.item is None else (live.item.item_id, live.item.duration_frames)
        follows = live.next.item_id if live.next is not None else None
        fresh = (focus, news, item, follows, live.hold, live.phase, live.dropped)
        if fresh != self._fetched or now >= self._fetch_at:
            self._fetched, self._fetch_at, self._loading = fresh, now + REFRESH_S, True
            self.run_worker(partial(self._fetch_rundown, focus), group="rundown", exit_on_error=False)

    async def _fetch_rundown(self, channel_id: str) -> None:
        try:
            rundown = await self.session.feed.rundown(channel_id)
        except ClientError as error:
            self._fetch_at = self.session.clock.monotonic() + RETRY_S
            self._trouble = f"{error.title}: {error.detail} {error.hint}".strip()
            return
        finally:
            self._loading = False
        if channel_id == self.session.focus:
            self._rundown, self._trouble = rundown, ""
            self._rows.show(rundown)

    async def _fetch_asrun(self, pages: AsRunPages, page: Callable[[], Coroutine[None, None, None]]) -> None:
        trouble = ""
        try:
            await page()
        except ClientError as error:
            trouble = f"{error.title}: {error.detail}"
        if pages is self._pages:
            self._tail_trouble, self._tail_at = trouble, self.session.clock.monotonic() + RETRY_S

    def _draw_heading(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        if self.session.focused is None:
            words = " The channel is gone, or you may not see it any more. esc goes back."
            return [line(width, palette.ground, [(words, palette.warning)])]
        if self._trouble:
            words = prose(f"rundown may be old: {self._trouble}", palette.warning, width, most=3)
            return [line(width, palette.ground, parts) for parts in words]
        if self._rundown is None:
            return [line(width, palette.ground, [(" fetching the rundown", palette.dim)])]
        if not self._rundown.rows:
            words = " The rundown is empty: on air its slate stands. i inserts."
            if self._rundown.playlist_id is None:
                words = " This channel has no list; mcr playlist play gives it one."
            return [line(width, palette.ground, [(words, palette.warning)])]
        return [render_rundown_heading(width, palette, self._rundown)]

    def _draw_top(self, width: int, height: int) -> list[Strip]:
        focus = self.session.focus
        if focus is None:
            return [blank(width, self.session.palette.ground)] * height
        return render_top(self.session.tile(focus, (0, 0)), width, self.session.palette)

    def _draw_side(self, width: int, height: int) -> list[Strip]:
        focus, palette = self.session.focus, self.session.palette
        if focus is None:
            return [blank(width, palette.ground)] * height
        return render_side(self.session.tile(focus, side_picture(width, height, palette)), width, height, palette)

    def _draw_asrun(self, width: int, height: int) -> list[Strip]:
        session, state = self.session, self.session.focused
        palette, stale = session.palette, session.wall.stale(session.clock.monotonic())
        heading: list[Part] = [(" AS RUN", palette.dim)]
        if self._tail_trouble:
            heading.append((f"  may be incomplete: {self._tail_trouble}", palette.warning))
        strips = [line(width, palette.ground, heading)]
        if self._pages is not None and state is not None:
            strips.extend(
                render_asrun_line(event, state.channel, width, session.clock, palette, channels=False, stale=stale)
                for event in self._pages.events(session.wall)[: height - 1]
            )
        return (strips + [blank(width, palette.ground)] * height)[:height]

    def _draw_why(self, width: int, height: int) -> list[Strip]:
        session, state = self.session, self.session.focused
        if state is None:
            return [blank(width, session.palette.ground)] * height
        stale = session.wall.stale(session.clock.monotonic())
        return render_why(state, width, height, session.palette, stale=stale)
