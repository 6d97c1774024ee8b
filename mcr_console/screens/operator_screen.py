"""What every full screen has: a heading, banners, a body, the footer, and a word when the terminal is too small."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import ClassVar, cast

from textual._styles_cache import StylesCache
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from mcr_console.drawing.footer import FooterView, render_footer
from mcr_console.drawing.header import render_banner, render_header, render_off_air
from mcr_console.drawing.said import fits_the_foot, render_said
from mcr_console.drawing.strips import Part, blank, line
from mcr_console.faults import Guarded, sink_of
from mcr_console.keys import Place
from mcr_console.safe_text import safe
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_channel
from mcr_console.wall_state import ChannelState
from mcr_console.widgets.row_list import RowList
from mcr_console.widgets.strip_view import Panel, StripView
from supervisor.schemas.channel import RundownRow

LEAST = (80, 24)


class OperatorScreen(Guarded, Screen[None]):
    """``tick`` is called four times a second, and at once after a key."""

    PLACE: ClassVar[Place]
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (116, "-wide"), (160, "-vast")]  # noqa: RUF012 - Textual reads it on the class

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._body = Vertical(id="body")
        self._views: tuple[StripView, ...] = ()

    def compose(self) -> ComposeResult:
        yield Panel(self._draw_header, id="header")
        yield Panel(self._draw_banner, grows=True, id="banner")
        with self._body:
            yield from self.compose_body()
        yield Panel(self._draw_said, grows=True, id="said")
        yield Panel(self._draw_footer, id="footer")
        yield Panel(self._draw_too_small, id="too-small")

    def compose_body(self) -> ComposeResult:
        """What is between banner and footer."""
        raise NotImplementedError

    def title_parts(self) -> Sequence[Part]:
        """The screen's name in the heading."""
        return [(self.PLACE, self.session.palette.dim)]

    @property
    def listed(self) -> RowList | None:
        """The rows among which ``/`` finds; None where it is something else."""
        return None

    def selected_row(self) -> RundownRow | None:
        """The rundown row that a cue would act on."""
        return None

    def on_unmount(self) -> None:
        """Lets go of what was drawn here. Textual (8.2) remembers two styles by the very widget that asked for them, so
        that the last thousand widgets of screens that were left stayed, with every line of theirs."""
        StylesCache.get_inner_outer.cache_clear()

    def aimed(self) -> ChannelState | None:
        """The channel that an air key acts on."""
        return self.session.focused

    def subject(self) -> Subject | None:
        """What is selected, to be explained."""
        state = self.session.focused
        return None if state is None else of_channel(state)

    def footer_words(self) -> Mapping[str, str | None]:
        """What the screen's own keys would do, by their ids; None where they would do nothing."""
        return {}

    def note_room(self) -> int:
        """Cells in which the body shows what became of the last key on that channel; 0 where it does not."""
        return 0

    def pictures(self) -> Sequence[str]:
        """Channels whose thumbnail is in sight."""
        return ()

    def navigate(self, action: str) -> None:
        """A list key: ``up``, ``down``, ``left``, ``right``, ``page_up``, ``page_down``, ``first``, ``last``."""

    def tick(self) -> None:
        """Draws what changed."""
        small = self.size.width < LEAST[0] or self.size.height < LEAST[1]
        self.set_class(small, "-too-small")
        for view in self.strip_views():
            if view.is_attached and (view.display or view.id in {"banner", "said"}):
                view.paint()

    def strip_views(self) -> tuple[StripView, ...]:
        """All that it was composed of: none comes or goes later, and Textual goes through the whole screen for them."""
        if self._views:
            return self._views
        found = tuple(self.query(StripView))
        if self.is_mounted:  # before that some may be still to come
            self._views = found
        return found

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker of this screen that failed is a fault of the console: the app hears only of its own."""
        worker = cast("Worker[object]", event.worker)  # pyright: ignore[reportUnknownMemberType] - Worker is generic
        error = worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            sink_of(self).report_fault(f"worker {worker.group}", error)

    def on_resize(self) -> None:
        """Another size may be too small, or no longer."""
        self.call_after_refresh(self.tick)

    def on_screen_resume(self) -> None:
        """What changed while another screen was on top."""
        self.call_after_refresh(self.tick)

    def _draw_header(self, width: int, height: int) -> list[Strip]:
        session = self.session
        counts = self.PLACE in {"wall", "list"}
        title = list(self.title_parts())
        if session.read_only:
            title = [(" READ ONLY ", session.palette.key_block), (" ", session.palette.ground), *title]
        return [render_header(session.wall, title, width, session.clock, session.palette, counts=counts)]

    def _draw_banner(self, width: int, height: int) -> list[Strip]:
        session = self.session
        strips = render_banner(
            session.wall, session.fault, width, session.clock, session.palette, notice=session.notice
        )
        if self.PLACE in {"wall", "list"}:  # there its own tile or line is the loudest, and the heading counts
            return strips
        return [*render_off_air(session.wall, width, session.clock, session.palette), *strips]

    def _draw_said(self, width: int, height: int) -> list[Strip]:
        if self.has_class("-too-small"):
            return []
        session, state = self.session, self.aimed()
        note = None if state is None else session.desk.note(state.channel.id)
        now = session.clock.monotonic()
        return render_said(session.message, note, now, self.note_room(), width, session.palette)

    def _draw_footer(self, width: int, height: int) -> list[Strip]:
        session = self.session
        state = self.aimed()
        view = FooterView(
            place=self.PLACE,
            focused=state,
            stale=session.wall.stale(session.clock.monotonic()),
            pending=state is not None and session.desk.pending(state.channel.id),
            row=self.selected_row(),
            filter_text=session.filter_text,
            typed=session.digits,
            message=session.message if fits_the_foot(session.message, width) else "",
            empty=not session.wall.order,
            undo="" if state is None else session.desk.undoable(state),
            own=self.footer_words(),
            whose="free" if state is None else session.hands.whose(state),
            read_only=session.read_only,
            keymap=session.keymap,
            marked=session.marked_states() if session.marked else (),
        )
        return [render_footer(view, width, session.palette)]

    def _draw_too_small(self, width: int, height: int) -> list[Strip]:
        palette = self.session.palette
        needs = f"mcr needs {LEAST[0]}x{LEAST[1]}; this terminal is {self.size.width}x{self.size.height}"
        rows = [(needs, palette.warning), ("air keys do nothing here", palette.text)]
        rows.append((self.session.message, palette.strong))
        # A narrow terminal gets whole sentences too.
        words = [(part, style) for text, style in rows for part in wrap(safe(text), max(8, width - 2))]
        top = max(0, (height - len(words)) // 2)
        strips = [blank(width, palette.ground)] * top
        strips.extend(line(width, palette.ground, [(f" {text}", style)]) for text, style in words)
        return (strips + [blank(width, palette.ground)] * height)[:height]
