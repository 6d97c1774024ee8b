"""What all edits of a rundown have in common: typed, shown as it would be, done; and kept when the list moved on."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip
from textual.widgets import Input, Label

from mcr_console.client import ApiProblem, ClientError
from mcr_console.drawing.rundown_line import render_rundown_heading, render_rundown_line
from mcr_console.drawing.strips import blank
from mcr_console.faults import Guarded
from mcr_console.safe_text import safe
from mcr_console.screens.modal import OwnModal
from mcr_console.session import Session
from mcr_console.widgets.field import Field
from mcr_console.widgets.strip_view import Panel
from supervisor.schemas.channel import Rundown
from supervisor.schemas.rundown_edit import AnyEdit, RundownEdit

STALE: Final = frozenset({"stale_revision", "stale_rev"})
WATCH_S: Final = 0.5


class EditScreen(Guarded, OwnModal[Rundown | None]):
    """The channel and what is edited are fixed when it opens, by id. Dismissed with the rundown as it is then.

    The times shown are the supervisor's own: it is asked at every change, one question at a time. ``moved_on`` says
    that somebody else edited the list; what was typed stays, and is shown against the list as it is now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel"), Binding("enter", "do", "do")]
    DEFAULT_CSS = """
    EditScreen { align: center bottom; }
    EditScreen #edit { width: 100%; max-width: 124; height: auto; padding: 0 1; background: $surface;
                       border: heavy $foreground; margin: 0 0 1 0; }
    EditScreen .field { height: 1; }
    EditScreen .field Label { width: 8; }
    EditScreen .field .hint { width: 1fr; padding: 0 0 0 2; color: $foreground 60%; }
    EditScreen .field Input { width: 22; }
    EditScreen #search, EditScreen #title { width: 1fr; }
    EditScreen #found { height: 5; }
    EditScreen #as-heading { height: 1; margin: 1 0 0 0; }
    EditScreen #as-it-would-be { height: 7; }
    EditScreen #says { width: 100%; height: 2; color: $warning; }
    EditScreen #keys { width: 100%; }
    """
    ROWS: ClassVar[int] = 7
    KEYS: ClassVar[str] = "Enter does it   Tab goes on   Esc leaves the list as it is"

    def __init__(self, session: Session, rundown: Rundown, title: str) -> None:
        super().__init__()
        self._session = session
        self._rundown = rundown
        self._title = title
        self._would_be: Rundown | None = None
        self._asked = 0
        self._answered = 0
        self._asking = False
        self._doing = False
        self._moved_on = ""
        self._news = self._edits_seen()

    # What each edit says of itself

    @abstractmethod
    def compose_fields(self) -> ComposeResult:
        """What is typed into."""

    @abstractmethod
    def edit(self) -> AnyEdit:
        """As it stands now. Raises ValueError with the sentence to show."""

    @abstractmethod
    def place(self, would_be: Rundown) -> int:
        """The row of the rundown that the edit is about."""

    async def look_up(self) -> None:
        """What has to be fetched before ``edit`` can be said. Raises ClientError."""

    def marks(self, would_be: Rundown) -> bool:
        """Whether the row at ``place`` is the one that was edited."""
        return True

    # What they share

    @property
    def rundown(self) -> Rundown:
        """As it was last seen."""
        return self._rundown

    @property
    def session(self) -> Session:
        """The sitting that it is part of."""
        return self._session

    def compose(self) -> ComposeResult:
        with Vertical(id="edit"):
            yield Label(Text(safe(self._title)), id="question")
            yield from self.compose_fields()
            yield Panel(self._draw_heading, id="as-heading")
            yield Panel(self._draw_rows, id="as-it-would-be")
            yield Label("", id="says")
            yield Label(Text(self.KEYS), id="keys")

    def on_mount(self) -> None:
        """The first look at what it would make."""
        self.set_interval(WATCH_S, self._watch)
        self.ask()

    def on_input_changed(self) -> None:
        """Times follow what is typed."""
        self.ask()

    def on_input_submitted(self) -> None:
        """Enter in a field does it, as Enter anywhere."""
        self.action_do()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_do(self) -> None:
        if self._doing:
            return
        self._doing = True
        self.run_worker(self._do, group="edit", exit_on_error=False)

    def ask(self) -> None:
        """The supervisor is asked what this would make; while it answers, the latest state is asked for next."""
        self._asked += 1
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask, group="preview", exit_on_error=False)

    def say(self, words: str) -> None:
        """Beside it stays that the list moved on."""
        if self.is_mounted:
            self.query_one("#says", Label).update(Text(safe(" ".join(filter(None, (self._moved_on, words))))))

    async def _ask(self) -> None:
        try:
            while self._answered != self._asked:
                number = self._asked
                await self._ask_once()
                self._answered = number
        finally:
            self._asking = False
        self.repaint()

    async def _ask_once(self) -> None:
        try:
            await self.look_up()
            wanted = self._wanted()
            self._would_be = await self._session.feed.preview_edit(self._channel_id, wanted)
        except ValueError as error:
            self._would_be = None
            self.say(str(error).splitlines()[0])
        except ClientError as error:
            await self._refused(error)
        else:
            self.say("")

    async def _do(self) -> None:
        try:
            await self.look_up()
            done = await self._session.feed.edit_rundown(self._channel_id, self._wanted())
        except ValueError as error:
            self.say(str(error).splitlines()[0])
        except ClientError as error:
            await self._refused(error)
        else:
            self.dismiss(done)
        finally:
            self._doing = False

    def _wanted(self) -> RundownEdit:
        return RundownEdit(revision=self._rundown.revision, edit=self.edit())

    async def _refused(self, error: ClientError) -> None:
        """Where the list moved on, it is fetched, and what was typed is shown against it."""
        self._would_be = None
        if not isinstance(error, ApiProblem) or error.code not in STALE:
            # A refusal of the list itself is a sentence of its own.
            is_sentence = isinstance(error, ApiProblem) and error.code == "locked"
            what = f"{error.detail.rstrip('.')}." if error.detail else ""
            self.say(" ".join(filter(None, ("" if is_sentence else f"{error.title}:", what, error.hint))))
            return
        was = self._rundown.revision
        try:
            self._rundown = await self._session.feed.rundown(self._channel_id)
        except ClientError as trouble:
            self.say(f"The list moved on, and cannot be read: {trouble.title}. {trouble.detail}")
            return
        self._moved_on = (
            f"Somebody edited this list: revision {was} is now {self._rundown.revision}. "
            "What you typed is kept, below is how it would be now; Enter does it."
        )
        self.say("")
        if self._rundown.revision != was:
            self.ask()

    @property
    def _channel_id(self) -> str:
        return self._rundown.channel_id or ""

    def _edits_seen(self) -> int:
        return self._session.wall.rundown_news.get(self._channel_id, 0)

    def _watch(self) -> None:
        """Somebody else's edit is seen without a key."""
        news = self._edits_seen()
        if news != self._news:
            self._news = news
            self.ask()
        self.repaint()

    def repaint(self) -> None:
        """Draws what changed."""
        for panel in self.query(Panel):
            panel.paint()

    def _draw_heading(self, width: int, height: int) -> list[Strip]:
        return [render_rundown_heading(width, self._session.palette, self._would_be or self._rundown)]

    def _draw_rows(self, width: int, height: int) -> list[Strip]:
        """As it would be; where that is not known, as it is."""
        palette, shown = self._session.palette, self._would_be or self._rundown
        state = self._session.wall.channels.get(self._channel_id)
        if state is None:
            return [blank(width, palette.ground)] * height
        place = min(self.place(shown), max(0, len(shown.rows) - 1))
        first = max(0, min(place - height // 2, len(shown.rows) - height))
        marked = place if self._would_be is not None and self.marks(shown) else -1
        rows = shown.rows[first : first + height]
        stale = self._session.wall.stale(self._session.clock.monotonic())
        strips = [
            render_rundown_line(row, shown, state, width, palette, cursor=index == marked, stale=stale)
            for index, row in enumerate(rows, first)
        ]
        return (strips + [blank(width, palette.ground)] * height)[:height]


def field(name: str, value: str, placeholder: str = "") -> Input:
    """A field of one line."""
    return Field(value, id=name, placeholder=placeholder)


Opened = Callable[[Rundown | None], None]
