"""The keys of the screens beside the wall: which screen opens, and what it then does."""

from collections.abc import Callable
from typing import Final, Protocol

from textual.screen import Screen

from mcr_console.keys import BY_ID
from mcr_console.screens.handover import HandoverScreen
from mcr_console.screens.nodes import NodesScreen
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session

BESIDE: Final = (NodesScreen, HandoverScreen)
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
            "nodes": lambda: self._open(NodesScreen),
            "handover": lambda: self._open(HandoverScreen),
            "drain": lambda: self._on_nodes("drain", NodesScreen.drain),
            "maintenance": lambda: self._on_nodes("maintenance", NodesScreen.maintenance),
            "declare_dead": lambda: self._on_nodes("declare_dead", NodesScreen.declare_dead),
            "free_port": lambda: self._on_nodes("free_port", NodesScreen.free_port),
        }

    def _open(self, screen: type[NodesScreen | HandoverScreen]) -> None:
        """Opened twice it is still one: Esc goes back to where one was before."""
        top = self._host.top
        if isinstance(top, screen):
            return
        if isinstance(top, BESIDE):
            self._host.leave_screen()
        self._host.open_screen(screen(self._session))

    def _on_nodes(self, action_id: str, do: Callable[[NodesScreen], None]) -> None:
        top = self._host.top
        if isinstance(top, NodesScreen):
            do(top)
        else:
            self._session.message = f"{BY_ID[action_id].word}: open the nodes first, F7"
