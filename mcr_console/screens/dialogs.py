"""What is asked before something is done: arming, a line of text, a new channel; and the help page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Static

from mcr_console.client import ClientError
from mcr_console.faults import Guarded
from mcr_console.formats import parse_format
from mcr_console.keys import ACTIONS, BY_COMMAND
from mcr_console.palette import Palette
from mcr_console.safe_text import safe
from mcr_console.session import Session
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import ChannelIn
from supervisor.schemas.playlist import PlaylistImport

ARMED_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """``title`` names verb and target; ``lines`` say what follows from it; ``button`` does it."""

    title: str
    lines: tuple[str, ...]
    button: str


class ArmScreen(Guarded, ModalScreen[str]):
    """Two keys: the focus is on Cancel. Dismissed with ``do``, ``cancel``, ``late`` or ``changed``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question, session: Session, state: ChannelState) -> None:
        super().__init__()
        self._question = question
        self._session = session
        self._armed_for = _essence(state)
        self._channel_id = state.channel.id
        self._until = session.clock.monotonic() + ARMED_S

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(Text(safe(self._question.title)), id="question")
            for words in self._question.lines:
                yield Label(Text(safe(words)), classes="consequence")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button(Text(safe(self._question.button)), id="do")
            yield Label(Text(""), id="armed-for")

    def on_mount(self) -> None:
        """The focus is where a careless Enter does nothing."""
        self.query_one("#cancel", Button).focus()
        self.set_interval(0.25, self._watch)
        self._watch()

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        self.dismiss("do" if event.button.id == "do" else "cancel")

    def action_cancel(self) -> None:
        self.dismiss("cancel")

    def _watch(self) -> None:
        left = self._until - self._session.clock.monotonic()
        state = self._session.wall.channels.get(self._channel_id)
        if state is None or _essence(state) != self._armed_for:
            self.dismiss("changed")
        elif left <= 0:
            self.dismiss("late")
        else:
            words = f"armed for {left:.0f} s; Tab or an arrow and Enter do it, Esc cancels"
            self.query_one("#armed-for", Label).update(Text(words))


def _essence(state: ChannelState) -> tuple[object, ...]:
    """What must not change between the question and the answer."""
    return state.live.epoch, state.live.desired, state.live.phase, state.live.picture == "freeze"


class LineScreen(Guarded, ModalScreen[str | None]):
    """One line of text at the foot of the screen. Dismissed with it, or None on Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
    ]

    def __init__(
        self,
        prompt: str,
        text: str = "",
        *,
        changed: Callable[[str], None] | None = None,
        suggestions: tuple[str, ...] = (),
        history: list[str] | None = None,
    ) -> None:
        super().__init__()
        self._prompt = prompt
        self._text = text
        self._changed = changed
        self._suggestions = suggestions
        self._history = history if history is not None else []
        self._back = 0

    def compose(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield Label(Text(self._prompt), id="prompt")
            suggester = SuggestFromList(self._suggestions, case_sensitive=False) if self._suggestions else None
            entry = Input(self._text, suggester=suggester, compact=True)
            entry.cursor_blink = False
            yield entry

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._changed is not None:
            self._changed(event.value)

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_earlier(self) -> None:
        self._recall(1)

    def action_later(self) -> None:
        self._recall(-1)

    def _recall(self, step: int) -> None:
        self._back = max(0, min(len(self._history), self._back + step))
        entry = self.query_one(Input)
        entry.value = self._history[-self._back] if self._back else ""
        entry.cursor_position = len(entry.value)


class CreateScreen(Guarded, ModalScreen[str | None]):
    """A channel that plays a folder: import, create, start. Dismissed with the new channel's id, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._at_work = False

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label("New channel", id="question")
            yield Label("Name")
            yield _entry("name", "News 24")
            yield Label("Folder of clips, on the supervisor's machine")
            yield _entry("folder", "/srv/clips")
            yield Label("Format")
            yield _entry("format", "720p25", "720p25")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Create and start", id="do")
            yield Label("", id="progress")

    def on_mount(self) -> None:
        """Begin with the name."""
        self.query_one("#name", Input).focus()

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        if self._at_work:
            self._say("The folder is being read; what is made stays made.")
        self.dismiss(None)

    @on(Button.Pressed, "#do")
    def _create(self) -> None:
        if self._at_work:
            return
        fields = ("#name", "#folder", "#format")
        name, folder, written = (self.query_one(field, Input).value.strip() for field in fields)
        if not name or not folder:
            self._say("It needs a name and a folder.")
            return
        if not PurePath(folder).is_absolute():
            self._say("Write the folder from its root, as in /srv/clips: the supervisor does not know where you are.")
            return
        try:
            format_ = parse_format(written)
            channel = ChannelIn(name=name, format=format_, after_last="loop")
            source = PlaylistImport(name=name, source="folder", path=folder)
        except ValueError as error:
            self._say(str(error).splitlines()[0])
            return
        self._at_work = True
        self.run_worker(partial(self._make, channel, source), group="create", exit_on_error=False)

    async def _make(self, values: ChannelIn, source: PlaylistImport) -> None:
        feed = self._session.feed
        try:
            self._say("Reading every clip of the folder; this may take minutes.")
            found = await feed.import_playlist(source)
            refused = f" {len(found.refused)} files cannot be used." if found.refused else ""
            self._say(f"{found.playlist.items} clips.{refused} Creating the channel.")
            channel = await feed.create_channel(values.model_copy(update={"playlist_id": found.playlist.id}))
            await feed.start(channel.id)
        except ClientError as error:
            self._say(f"{error.title}: {error.detail} {error.hint}".strip())
        else:
            self.dismiss(channel.id)
        finally:
            self._at_work = False

    def _say(self, words: str) -> None:
        if self.is_mounted:
            self.query_one("#progress", Label).update(Text(safe(words)))


def _entry(name: str, placeholder: str, value: str = "") -> Input:
    entry = Input(value, id=name, placeholder=placeholder, compact=True)
    entry.cursor_blink = False
    return entry


class HelpScreen(Guarded, ModalScreen[None]):
    """The key sheet, made from the table."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "close", "close")]

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_page(self._palette))

    def action_close(self) -> None:
        self.dismiss(None)


def help_page(palette: Palette) -> Group:
    """Every action: keys, ``:`` word, what it does; and what the signs mean."""
    parts: list[RenderableType] = [
        Text.assemble(("mcr: keys and commands", palette.strong), ("     esc closes, arrows scroll", palette.dim))
    ]
    for group in dict.fromkeys(action.group for action in ACTIONS):
        parts.append(Text(f"\n{group}", palette.strong))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=14)
        table.add_column(width=14)
        table.add_column(ratio=1)
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(_key_names(action.keys)) or action.key_label
                command = f":{action.command} {action.argument}".rstrip() if action.command else ""
                table.add_row(
                    Text(f"  {keys}", palette.strong), Text(command, palette.signal), Text(action.help, palette.text)
                )
        parts.append(table)
    parts.append(Text("\nSigns", palette.strong))
    glyphs = palette.glyphs
    for sign, style, words in (
        (f"{glyphs.on_air} ON AIR", palette.tally, "red is tally, and nothing else is red"),
        (f"{glyphs.next} next", palette.next, "green is what comes next"),
        (f"{glyphs.warning} LATE", palette.warning, "amber is a warning; it stands beside the tally"),
        (f"{glyphs.off_air} OFF AIR", palette.off_air_block, "should be on air and is not"),
        (f"{glyphs.unknown} STALE", palette.strong, "the supervisor is lost: what is shown is old, playout goes on"),
    ):
        sign_text = Text("  ").append(sign, style)
        parts.append(sign_text.append(" " * (16 - sign_text.cell_len)).append(words, palette.text))
    return Group(*parts)


def _key_names(keys: tuple[str, ...]) -> list[str]:
    names = {
        "escape": "esc",
        "question_mark": "?",
        "slash": "/",
        "left_square_bracket": "[",
        "right_square_bracket": "]",
        "colon": ":",
        "plus": "+",
        "pageup": "PgUp",
        "pagedown": "PgDn",
    }
    return [names.get(key, key.upper() if key.startswith("f") and key[1:].isdigit() else key) for key in keys]


def command_words() -> tuple[str, ...]:
    """What the ``:`` line completes to."""
    return tuple(sorted(BY_COMMAND))
