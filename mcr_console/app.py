"""The console: one link to a supervisor, one tick, and the screens."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, ClassVar, Final, cast

from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, SystemCommand
from textual.command import Provider
from textual.events import Event, Key
from textual.screen import ModalScreen, Screen
from textual.worker import Worker, WorkerState

from mcr_console.actions import AirKeys
from mcr_console.bells import Bells
from mcr_console.changed_cells import ChangedCells, WholeScreen
from mcr_console.clock import Clock, SystemClock
from mcr_console.command_palette import Commands
from mcr_console.desk_keys import DeskKeys
from mcr_console.editing import Desk, Editing
from mcr_console.failover import Failover
from mcr_console.faults import TOO_MANY, Guarded
from mcr_console.incident_key import IncidentKey
from mcr_console.keypad import KEYPAD_APPLICATION, KEYPAD_ENTER, KEYPAD_NUMERIC, distinguish_keypad
from mcr_console.keys import ACTIONS, BY_ID, ON_CHANNELS, Action
from mcr_console.looks import Looks, theme_of
from mcr_console.marking import Marking
from mcr_console.operator_terminal import OperatorTerminal
from mcr_console.palette import Palette, choose
from mcr_console.preferences import Base, Preferences
from mcr_console.screens.arming import ArmScreen, Outcome, Question, essence_of
from mcr_console.screens.channel import ChannelScreen
from mcr_console.screens.channel_list import ListScreen
from mcr_console.screens.dialogs import LineScreen
from mcr_console.screens.edit_base import EditScreen, Opened
from mcr_console.screens.edit_import import ImportScreen
from mcr_console.screens.marked import ResultScreen
from mcr_console.screens.operator_screen import LEAST, OperatorScreen
from mcr_console.screens.wall import WallScreen
from mcr_console.session import Feed, Session
from mcr_console.shift_notes import ShiftNotes
from mcr_console.wall_state import ChannelState
from mcr_console.ways import Ways
from mcr_console.widgets.strip_view import draw_at_once
from supervisor.schemas.channel import RundownRow
from supervisor.schemas.playlist import Revision

TICK_S: Final = 0.25
LEAVE_S: Final = 1.0
SENDING: Final = 6
"""Turns of the loop after which an order is on its way, its body too (httpx and anyio take four): it goes before it is
drawn."""
SLOW_TICK_S: Final = 0.05
MESSAGE_S: Final = 4.0
WAYS_OUT: Final = frozenset({"back", "quit"})
"""Done whatever else is under way."""

log = logging.getLogger("mcr_console")


class McrApp(Guarded, App[None]):
    """``palette`` None looks at the terminal. Nothing here waits for the network but workers."""

    CSS_PATH = "app.tcss"
    TITLE = "mcr"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        feed: Feed,
        *,
        clock: Clock | None = None,
        palette: Palette | None = None,
        preferences: Preferences | None = None,
        read_only: bool = False,
    ) -> None:
        super().__init__(driver_class=OperatorTerminal)
        distinguish_keypad()
        mine = preferences or Preferences()
        chosen = palette or choose(
            self.color_system(), no_color=self.no_color, ascii_only=mine.ascii_only, theme=mine.theme
        )
        self.session = Session(feed, clock or SystemClock(), chosen, self._changed)
        self.session.read_only = read_only
        self.faults: list[tuple[str, Exception]] = []
        self.session.unfiltered = lambda: any(isinstance(screen, ChannelScreen) for screen in self.screen_stack)
        self._air = AirKeys(self.session, self)
        self._notes = ShiftNotes(self.session, self)
        self._failover = Failover(self.session, self)
        self._desk_keys = DeskKeys(self.session, self)
        self._editing = Editing(self.session, feed, self)
        self._marking = Marking(self.session, self, self._air.press)
        self._looks = Looks(self.session, mine, self)
        self._first_screen: type[WallScreen | ListScreen] = ListScreen if mine.screen == "list" else WallScreen
        self.session.keymap, self.session.sort, self.session.filter_text = mine.keymap, mine.sort, mine.filter
        self.session.notice = "; ".join(mine.troubles)
        self.bells = Bells(self.session, self)
        self._message_seen = (0, 0.0)
        self._slow_logged = 0.0
        self._is_drawing_asked = False
        self._ways = Ways(
            self.session,
            self,
            {
                "failover": self._failover.press,
                "import": self._editing.load,
                "note": self._notes.write,
                "sort": self._looks.sort,
                "theme": self._looks.theme,
            },
        )
        self._doing = self._handlers()
        self.animation_level = "none"

    # What runs

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of dialogs, from the palette."""
        return {}

    def on_mount(self) -> None:
        """Everything starts here."""
        self.use(self.session.palette)
        self.set_keymap(self.session.keymap.bindings())
        self.push_screen(self._first_screen(self.session))
        self._driver_write(KEYPAD_APPLICATION)
        self.run_worker(self._follow, name="link", group="link", exit_on_error=False)
        self.set_interval(TICK_S, self.tick)

    async def on_event(self, event: Event) -> None:
        """In dialogs and fields, where it is no air key, the keypad's Enter is Enter."""
        if isinstance(event, Key) and event.key == KEYPAD_ENTER and not isinstance(self.screen, OperatorScreen):
            event = Key("enter", "\r")
        await super().on_event(event)

    async def on_unmount(self) -> None:
        """The keypad is the terminal's again, and nobody is to wait for a lease of a console that is gone."""
        self._driver_write(KEYPAD_NUMERIC)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.session.hands.leave()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """A part of the screen goes out as its cells alone, and nothing with a style that the terminal has already."""
        if isinstance(renderable, ChopsUpdate):
            renderable = ChangedCells(renderable)
        elif isinstance(renderable, LayoutUpdate):
            renderable = WholeScreen(renderable)
        super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType] - Screen is generic

    def _driver_write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    async def _follow(self) -> None:
        async with aclosing(self.session.feed.events()) as messages:
            async for message in messages:
                self.session.builder.merge(message)

    def tick(self) -> None:
        """Draws what changed on the screens that are seen, and does what is due. Four times a second."""
        began = time.perf_counter()
        self._forget_message()
        self.bells.tick()
        self._paint()
        self._watch_hands()
        if not self.session.desk.waits:
            for channel_id in self.session.thumbnails.due():
                self.start_work("picture", self.session.thumbnails.fetch(channel_id))
        took = time.perf_counter() - began
        if took > SLOW_TICK_S and began - self._slow_logged > 10:
            self._slow_logged = began
            log.warning("a tick took %.0f ms", took * 1000)

    def _paint(self) -> None:
        on_top = True
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ArmScreen) and screen.is_mounted:
                screen.tick()
            if isinstance(screen, OperatorScreen):
                if not screen.is_mounted:
                    break
                screen.tick()
                if on_top:
                    self.session.thumbnails.wanted = screen.pictures()
                break
            on_top = False

    def _watch_hands(self) -> None:
        hands, desk = self.session.hands, self.session.desk
        for channel_id, words in hands.watch(self.session.wall):
            desk.refuse(channel_id, "CONTROL", words)
        if hands.due:
            self.start_work("hands", partial(self._renew, hands.begin()))

    async def _renew(self, channel_ids: tuple[str, ...]) -> None:
        for channel_id in await self.session.hands.renew(channel_ids):
            self.session.desk.refuse(channel_id, "CONTROL", "it lapsed: the supervisor did not hear this console")

    # What its looks need

    def color_system(self) -> str | None:
        """Rich's word for what the terminal can."""
        return self.console.color_system

    def use(self, palette: Palette) -> None:
        """Draws everything in it, the dialogs too."""
        self.session.palette = palette
        theme = theme_of(palette)
        self.register_theme(theme)
        self.theme = theme.name

    def base(self) -> Base:
        """The screen below all others."""
        return "list" if any(isinstance(screen, ListScreen) for screen in self.screen_stack) else "wall"

    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Runs it beside the screen; what it raises is reported.

        Not yet a coroutine: on quit a worker may be cancelled before its first step, and would leave it unawaited.
        """
        self.run_worker(work, name=name, group=name, exit_on_error=False)

    # Faults

    def report_fault(self, where: str, error: Exception) -> None:
        """Writes it to the log, and says so on the screen until the console ends."""
        log.error("fault in %s", where, exc_info=error)
        self.faults.append((where, error))
        self.session.fault = f"{where}: {type(error).__name__}: {error}"
        if len(self.faults) >= TOO_MANY:
            self.exit(return_code=70, message=f"mcr: {len(self.faults)} faults, the last in {self.session.fault}")

    def _handle_exception(self, error: Exception) -> None:
        self.report_fault("Textual", error)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed is a fault; the link is taken up again."""
        worker = cast("Worker[object]", event.worker)  # pyright: ignore[reportUnknownMemberType] - Worker is generic
        error = worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            self.report_fault(f"worker {worker.name}", error)
            if worker.name == "link":
                self.set_timer(1.0, self._follow_again)

    def _follow_again(self) -> None:
        self.run_worker(self._follow, name="link", group="link", exit_on_error=False)

    def _changed(self) -> None:
        if self.is_running and not self._is_drawing_asked:
            self._is_drawing_asked = True
            self.call_later(self._draw_what_changed)

    def _draw_what_changed(self) -> None:
        if self._is_drawing_asked:
            self._draw_now()

    def _draw_now(self) -> None:
        """What a key did, and what became of it."""
        self._is_drawing_asked = False
        self._paint()
        screen = self.screen
        draw_at_once(screen, screen.strip_views() if isinstance(screen, OperatorScreen) else ())

    # Keys

    async def action_act(self, action_id: str) -> None:
        """One entry of the table, by its key."""
        self.act(action_id)
        for _ in range(SENDING):
            await asyncio.sleep(0)
        self._draw_now()

    def act(self, action_id: str) -> None:
        """One entry of the table."""
        if action_id in WAYS_OUT:
            self._editing.never_mind()
        elif self._editing.is_opening():
            self.session.message = f"{BY_ID[action_id].word}: nothing done, an edit was asked for and is not open yet"
            self._changed()
            return
        self.session.message = ""
        self._doing[action_id]()
        self._changed()

    @property
    def handled(self) -> frozenset[str]:
        """Ids of the table's entries that do something here."""
        return frozenset(self._doing)

    def action_digit(self, digit: int) -> None:
        """A digit of a channel number."""
        self.session.digit(digit)
        self._ways.show_choice()
        self._draw_now()

    def run_command(self, text: str) -> None:
        """A ``:`` line: a number, or a word of the table and what follows it."""
        self._ways.run_command(text)

    def selected_row(self) -> RundownRow | None:
        """The rundown row under the cursor, where the screen has one."""
        screen = self.top
        return None if screen is None else screen.selected_row()

    def blind(self, action: Action) -> str:
        """Why the focus cannot be seen, or the action does not belong to the screen; empty where it can."""
        screen = self.top
        if self.session.read_only:
            return "this console is read-only"
        if self.size.width < LEAST[0] or self.size.height < LEAST[1]:
            return f"the terminal is smaller than {LEAST[0]}x{LEAST[1]}"
        if screen is not None and screen.PLACE not in action.places:
            return "this screen does not show what it would act on"
        return ""

    def aimed(self) -> ChannelState | None:
        """The channel that a key acts on: the focused one, or that of the row where a list is of many."""
        screen = self.top
        return self.session.focused if screen is None else screen.aimed()

    def ask(self, question: Question, state: ChannelState, then: Callable[[Outcome], None]) -> None:
        """Arms one channel: ``then`` gets the answer."""
        self.ask_of(ArmScreen(question, self.session.clock, partial(essence_of, self.session, state.channel.id)), then)

    def ask_of(self, screen: ArmScreen, then: Callable[[Outcome], None]) -> None:
        """Arms whatever ``screen`` is bound to: ``then`` gets the answer."""
        self.push_screen(screen, lambda answer: then("cancel" if answer is None else answer.outcome))

    def channel_desk(self) -> Desk | None:
        """The screen of a channel, when it is on top."""
        return self.screen if isinstance(self.screen, ChannelScreen) else None

    def open_edit(self, screen: EditScreen, then: Opened) -> None:
        """Asks for an edit; ``then`` gets the rundown as it is after it, or None."""
        self.push_screen(screen, then)

    def open_import(self, screen: ImportScreen, then: Callable[[Revision | None], None]) -> None:
        """Asks for a list."""
        self.push_screen(screen, then)

    def place(self) -> str:
        """Which screen is looked at."""
        screen = self.top
        return "" if screen is None else screen.PLACE

    def tell_marked(self, screen: ResultScreen) -> None:
        """What became of each."""
        self.push_screen(screen)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: the table has them all."""
        return ()

    def _handlers(self) -> dict[str, Callable[[], None]]:
        made: dict[str, Callable[[], None]] = {
            "acknowledge": self._acknowledge,
            "control": self._air.control,
            "note": self._notes.ask,
            "incident": IncidentKey(self.session, self).press,
            "open": self._open,
            "palette": self.action_command_palette,
            "quit": self.exit,
        }
        made.update(self._ways.handlers())
        made.update(self._editing.handlers())
        made.update(self._looks.handlers())
        made.update({action.id: partial(self._air.press, action.id) for action in ACTIONS if action.air})
        made["failover"] = self._failover.press
        made.update(self._desk_keys.handlers())
        made.update(self._marking.handlers())
        moves = ("up", "down", "left", "right", "page_up", "page_down", "first", "last")
        made.update({move: partial(self._navigate, move) for move in moves})
        return made

    @property
    def top(self) -> OperatorScreen | None:
        """The screen that is seen, whatever asks before it."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, OperatorScreen)), None)

    @property
    def is_asking(self) -> bool:
        """Something is before the screen: a question, a form, a line, help."""
        return self.screen is not self.top

    @property
    def hides_channels(self) -> bool:
        """Whether the screen that is seen shows no channel that a key could act on."""
        return self.top is not None and self.top.PLACE not in ON_CHANNELS

    def write_to_terminal(self, text: str) -> None:
        """What is no part of the picture: a notification."""
        if self._driver is not None:
            self._driver.write(text)

    def open_screen(self, screen: Screen[None]) -> None:
        """Over the one that is there."""
        self.push_screen(screen)

    def leave_screen(self) -> None:
        """Back to the one below."""
        self.pop_screen()

    def _navigate(self, move: str) -> None:
        screen = self.top
        if screen is not None:
            screen.navigate(move)

    def _acknowledge(self) -> None:
        if not self._desk_keys.acknowledged():
            self._air.acknowledge()

    def _open(self) -> None:
        if not self._desk_keys.go_to_channel():
            return
        if self.session.focused is not None:
            self.push_screen(ChannelScreen(self.session))

    def show_base(self, screen: type[WallScreen | ListScreen]) -> None:
        """That screen, and none above it."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if not isinstance(self.screen, screen):
            self.switch_screen(screen(self.session))  # pyright: ignore[reportUnknownMemberType] - Screen is generic
        self.call_after_refresh(self._ways.show_focus)
        self.call_after_refresh(self._looks.remember)

    def picture(self) -> str:
        """The screen as it is now, as SVG."""
        return self.export_screenshot(title="MCR Console")

    def ask_line(self, prompt: str, then: Callable[[str | None], None]) -> None:
        """One line of text at the foot of the screen; None where it was given up."""
        self.open_dialog(LineScreen(prompt), then)

    def open_dialog(self, screen: ModalScreen[str | None], then: Callable[[str | None], None]) -> None:
        """What asks before the screen; ``then`` gets what it says."""
        self.push_screen(screen, then)

    def remember_looks(self) -> None:
        """The filter may be another."""
        self._looks.remember()

    def _forget_message(self) -> None:
        now = self.session.clock.monotonic()
        if self._message_seen[0] != self.session.told:
            self._message_seen = (self.session.told, now)
        elif self.session.message and now - self._message_seen[1] > MESSAGE_S:
            self.session.message = ""
