"""From screen to screen, from channel to channel: which screens there are, the filter, the ``:`` line, the help."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from textual.screen import ModalScreen, Screen

from mcr_console.desk_keys import BESIDE
from mcr_console.keys import BY_COMMAND
from mcr_console.screens.asrun import AsRunScreen
from mcr_console.screens.channel import ChannelScreen
from mcr_console.screens.channel_list import ListScreen
from mcr_console.screens.dialogs import LineScreen, command_words
from mcr_console.screens.explain import ExplainScreen
from mcr_console.screens.help import HelpScreen
from mcr_console.screens.new_channel import CreateScreen
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.screens.wall import WallScreen
from mcr_console.session import Session

HISTORY: Final = 50
"""Lines that were typed, to be had again by the arrows."""
ALSO_CALLED: Final = {"q": "quit", "channel": "ch", "acknowledge": "ack"}


class Host(Protocol):
    """The app, as far as finding one's way needs it."""

    @property
    def top(self) -> OperatorScreen | None: ...
    def open_screen(self, screen: Screen[None]) -> None: ...
    def leave_screen(self) -> None: ...
    def open_dialog(self, screen: ModalScreen[str | None], then: Callable[[str | None], None]) -> None: ...
    def ask_line(self, prompt: str, then: Callable[[str | None], None]) -> None: ...
    def show_base(self, screen: type[WallScreen | ListScreen]) -> None: ...
    def act(self, action_id: str) -> None: ...
    def remember_looks(self) -> None: ...
    def tick(self) -> None: ...


class Ways:
    """Belongs to the app. ``arguments`` are the commands that are told more than their word, by the table's id."""

    def __init__(self, session: Session, host: Host, arguments: dict[str, Callable[[str], None]]) -> None:
        self._session = session
        self._host = host
        self._arguments = {"channel": self.go_to, "filter": self._filter_by, "find": self._find_text, **arguments}
        self._sought = ""
        self._history: list[str] = []

    def handlers(self) -> dict[str, Callable[[], None]]:
        """By the ids of the table."""
        return {
            "back": self._back,
            "wall": partial(self._host.show_base, WallScreen),
            "list": partial(self._host.show_base, ListScreen),
            "asrun": self._asrun,
            "only": self._only,
            "channel": partial(self._host.ask_line, "channel ", self.go_to),
            "filter": self._filter,
            "next_match": partial(self._step, 1),
            "previous_match": partial(self._step, -1),
            "find": self._find,
            "find_next": partial(self._find_step, 1),
            "find_previous": partial(self._find_step, -1),
            "create": self._create,
            "command": self._command,
            "help": self._help,
        }

    def run_command(self, text: str) -> None:
        """A ``:`` line: a number, or a word of the table and what follows it."""
        word, _, rest = text.strip().lstrip(":").partition(" ")
        if not word:
            return
        self._history = [*self._history[-HISTORY:], text.strip()]
        if word.isdecimal():
            word, rest = "ch", word
        action = BY_COMMAND.get(ALSO_CALLED.get(word, word))
        if action is None:
            self._session.message = f"no command {word!r}; ? lists them"
        elif action.id in self._arguments and (rest.strip() or action.id != "note"):
            self._arguments[action.id](rest.strip())
        else:
            self._host.act(action.id)
        self._host.tick()

    def go_to(self, number: str | None) -> None:
        """The channel of that number; nothing for none."""
        if not number:
            return
        found = self._session.wall.by_number(int(number)) if number.isdecimal() else None
        if found is None:
            self._session.message = f"no channel {number}"
            return
        self._session.focus = found
        self.show_choice()

    def show_choice(self) -> None:
        """After a channel was named by its number: it may be one that the filter hides."""
        self._session.message = "" if self._session.focused is not None else self._session.no_focus
        self.show_focus()

    def show_focus(self) -> None:
        """Scrolls to it where there are many channels."""
        screen = self._host.top
        if isinstance(screen, (WallScreen, ListScreen)):
            screen.show_focus()

    def _step(self, step: int) -> None:
        self._session.move(step, wrap=True)
        self.show_focus()

    def _back(self) -> None:
        top = self._host.top
        if isinstance(top, (ChannelScreen, AsRunScreen, ExplainScreen, *BESIDE)):
            self._host.leave_screen()
        elif self._session.marked:
            self._session.marked.clear()
        elif self._session.filter_text:
            self._filter_by("")
            self.show_focus()
        elif isinstance(top, ListScreen):
            self._host.show_base(WallScreen)

    def _asrun(self) -> None:
        on_channel = isinstance(self._host.top, ChannelScreen)
        self._host.open_screen(AsRunScreen(self._session, self._session.focus if on_channel else None))

    def _only(self) -> None:
        screen = self._host.top
        if isinstance(screen, AsRunScreen):
            screen.only()

    def _filter(self) -> None:
        before = self._session.filter_text

        def typed(text: str) -> None:
            self._session.filter_text = text
            self._host.tick()

        def done(text: str | None) -> None:
            if text is None:
                self._session.filter_text = before
            else:
                self._filter_by(text)
            self.show_focus()
            self._host.tick()

        prompt = "/ number, name, state or node; ! is not: "
        self._host.open_dialog(LineScreen(prompt, before, changed=typed), done)

    def _filter_by(self, text: str) -> None:
        self._session.filter(text)
        self._host.remember_looks()

    def _find(self) -> None:
        def done(text: str | None) -> None:
            if text is not None:
                self._find_text(text)
                self._host.tick()

        prompt = "/ words of a row; n and N then go on: "
        self._host.open_dialog(LineScreen(prompt, self._sought, replaced=True), done)

    def _find_text(self, text: str) -> None:
        self._sought = text.strip()
        self._find_step(1)

    def _find_step(self, step: int) -> None:
        screen = self._host.top
        rows = None if screen is None else screen.listed
        if rows is None:
            self._session.message = "find goes to a row of a list, and here is none: open a channel, A or r first"
        elif not self._sought:
            self._session.message = "nothing is sought; / asks for words of a row"
        elif not rows.find(self._sought, step):
            self._session.message = self._not_found(screen)
        else:
            self._session.message = ""

    def _not_found(self, screen: OperatorScreen | None) -> str:
        match screen:
            case ChannelScreen():
                return f"no row has {self._sought!r} in its title"
            case AsRunScreen(is_complete=False):
                return f"no {self._sought!r} so far; G fetches older ones"
            case _:
                return f"no row has {self._sought!r}"

    def _command(self) -> None:
        def done(text: str | None) -> None:
            if text is not None:
                self.run_command(text)

        self._host.open_dialog(LineScreen(":", suggestions=command_words(), history=self._history), done)

    def _create(self) -> None:
        def done(channel_id: str | None) -> None:
            if channel_id is not None:
                self._session.focus = channel_id
            self._host.tick()

        self._host.open_dialog(CreateScreen(self._session), done)

    def _help(self) -> None:
        self._host.open_screen(HelpScreen(self._session.palette, self._session.keymap))
