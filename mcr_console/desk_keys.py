"""The keys of the screens beside the wall: which screen opens, and what it then does."""

from collections.abc import Callable
from typing import Final, Protocol

from textual.screen import Screen

from mcr_console.keys import BY_ID
from mcr_console.screens.attention import AttentionScreen
from mcr_console.screens.explain import ExplainScreen
from mcr_console.screens.handover import HandoverScreen
from mcr_console.screens.nodes import NodesScreen
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.screens.recorders import RecordersScreen
from mcr_console.session import Session

BESIDE: Final = (AttentionScreen, NodesScreen, RecordersScreen, HandoverScreen)
"""Screens that Esc leaves for where one came from."""


class Host(Protocol):
    """The app, as far as these keys need it."""

    @property
    def top(self) -> OperatorScreen | None: ...
    def open_screen(self, screen: Screen[None]) -> None: ...
    def leave_screen(self) -> None: ...


class DeskKeys:
    """Belongs to the app."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session = session
        self._host = host

    def handlers(self) -> dict[str, Callable[[], None]]:
        """By the id of the table's entry."""
        return {
            "attention": lambda: self._open(AttentionScreen),
            "shelve": self._shelve,
            "nodes": lambda: self._open(NodesScreen),
            "handover": lambda: self._open(HandoverScreen),
            "drain": lambda: self._on_nodes("drain", NodesScreen.drain),
            "maintenance": lambda: self._on_nodes("maintenance", NodesScreen.maintenance),
            "declare_dead": lambda: self._on_nodes("declare_dead", NodesScreen.declare_dead),
            "recorders": lambda: self._open(RecordersScreen),
            "record": lambda: self._on_recorders("record", RecordersScreen.record),
            "end_recording": lambda: self._on_recorders("end_recording", RecordersScreen.end_recording),
            "explain": self._explain,
            "free_port": lambda: self._on_nodes("free_port", NodesScreen.free_port),
        }

    def acknowledged(self) -> bool:
        """Whether the screen that is seen has an alarm of its own to acknowledge, and did it."""
        top = self._host.top
        if not isinstance(top, AttentionScreen):
            return False
        if self._may("acknowledge"):
            top.acknowledge()
        return True

    def go_to_channel(self) -> bool:
        """Puts the focus on the selected row's channel; False where the screen has none."""
        top = self._host.top
        if not isinstance(top, AttentionScreen):
            return True
        if top.channel_id not in self._session.wall.channels:
            self._session.message = "this row is of no channel"
            return False
        self._session.focus = top.channel_id
        return True

    def _shelve(self) -> None:
        top = self._host.top
        if not isinstance(top, AttentionScreen):
            self._session.message = "shelve: open the attention list first, F6"
        elif self._may("shelve"):
            top.shelve()

    def _open(self, screen: type[AttentionScreen | NodesScreen | HandoverScreen | RecordersScreen]) -> None:
        """Opened twice it is still one: Esc goes back to where one was before."""
        top = self._host.top
        if isinstance(top, screen):
            return
        if isinstance(top, BESIDE):
            self._host.leave_screen()
        self._host.open_screen(screen(self._session))

    def _on_nodes(self, action_id: str, do: Callable[[NodesScreen], None]) -> None:
        top = self._host.top
        if not isinstance(top, NodesScreen):
            self._session.message = f"{BY_ID[action_id].word}: open the nodes first, F7"
        elif self._may(action_id):
            do(top)

    def _on_recorders(self, action_id: str, do: Callable[[RecordersScreen], None]) -> None:
        top = self._host.top
        if not isinstance(top, RecordersScreen):
            self._session.message = f"{BY_ID[action_id].word}: open the recorders first, F8"
        elif self._may(action_id):
            do(top)

    def _explain(self) -> None:
        """What is selected at this moment, whatever is selected later."""
        top = self._host.top
        subject = None if top is None or isinstance(top, ExplainScreen) else top.subject()
        if subject is not None:
            self._host.open_screen(ExplainScreen(self._session, subject))
        elif not isinstance(top, ExplainScreen):
            self._session.message = "nothing is selected to be explained"

    def _may(self, action_id: str) -> bool:
        """Not on a console that only looks."""
        if self._session.read_only:
            self._session.message = f"{BY_ID[action_id].word}: nothing sent, this console is read-only"
        return not self._session.read_only
