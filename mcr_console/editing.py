"""The keys that edit a rundown: the channel, its list and the row are fixed at the press, by id and revision."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Final, Protocol

from mcr_console.client import ClientError
from mcr_console.edit_feed import EditFeed
from mcr_console.keys import BY_ID, Action
from mcr_console.screens.edit_base import EditScreen, Opened
from mcr_console.screens.edit_import import ImportScreen
from mcr_console.screens.edit_insert import InsertScreen
from mcr_console.screens.edit_item import ChangeScreen, CopyScreen, MoveScreen, RemoveScreen
from mcr_console.session import Session
from supervisor.schemas.channel import Rundown, RundownRow
from supervisor.schemas.playlist import Revision

DONE: Final[Mapping[type[EditScreen], str]] = {
    InsertScreen: "inserted",
    ChangeScreen: "changed",
    MoveScreen: "moved",
    CopyScreen: "copied",
    RemoveScreen: "deleted, ^z takes it back",
}


class Desk(Protocol):
    """The screen of a channel, as far as an edit needs it."""

    @property
    def rundown(self) -> Rundown | None: ...
    def selected_row(self) -> RundownRow | None: ...
    def take(self, rundown: Rundown, item_id: str | None = None) -> None: ...


class Host(Protocol):
    """The app, as far as an edit needs it."""

    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...
    def channel_desk(self) -> Desk | None: ...
    def open_edit(self, screen: EditScreen, then: Opened) -> None: ...
    def open_import(self, screen: ImportScreen, then: Callable[[Revision | None], None]) -> None: ...
    def blind(self, action: Action) -> str: ...


QUIET_S: Final = 0.7
"""Seconds without a key after which keys are meant for the screen again, where a form did not open."""
QUIET_AT_MOST_S: Final = 3.0
"""Somebody who presses an air key again and again is not typing."""


class Editing:
    """One dialog at a time, over the screen of its channel."""

    def __init__(self, session: Session, feed: EditFeed, host: Host) -> None:
        self._session = session
        self._feed = feed
        self._host = host
        self._fetching: object | None = None
        """The edit whose item is on its way; None: nobody waits for one."""
        self._quiet = (0.0, 0.0)
        """Until when keys are not meant for the screen; each puts it off, up to the second figure."""

    def is_opening(self) -> bool:
        """An edit was asked for and its form is not there, not yet or not at all: what is typed is no air key."""
        now, (until, at_most) = self._session.clock.monotonic(), self._quiet
        if self._fetching is not None:
            return True
        if now >= until:
            return False
        self._quiet = (min(now + QUIET_S, at_most), at_most)
        return True

    def never_mind(self) -> None:
        """Keys are meant for the screen again: no form opens any more that was asked for."""
        self._fetching, self._quiet = None, (0.0, 0.0)

    def _failed_to_open(self) -> None:
        now = self._session.clock.monotonic()
        self._quiet = (now + QUIET_S, now + QUIET_AT_MOST_S)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """By the ids of the table."""
        return {
            "insert": partial(self._press, "insert", self._insert),
            "insert_below": partial(self._press, "insert_below", partial(self._insert, below=True)),
            "edit": partial(self._on_row, "edit", self._change),
            "move": partial(self._on_row, "move", self._open_row(MoveScreen)),
            "copy": partial(self._on_row, "copy", self._open_row(CopyScreen)),
            "delete": partial(self._on_row, "delete", self._open_row(RemoveScreen)),
            "undo_edit": partial(self._press, "undo_edit", self._undo),
            "import": self.load,
        }

    def load(self, path: str = "") -> None:
        """A list over this one; compared at once where ``path`` is given."""

        def ask(desk: Desk, rundown: Rundown) -> None:
            def done(found: Revision | None) -> None:
                if found is not None:
                    self._session.message = f"list changed, revision {found.playlist.revision}; ^z takes it back"

            self._host.open_import(ImportScreen(self._session, rundown, path), done)

        self._press("import", ask)

    def _press(self, action_id: str, then: Callable[[Desk, Rundown], None]) -> None:
        why = self._host.blind(BY_ID[action_id])
        desk = self._host.channel_desk()
        rundown = None if desk is None else desk.rundown
        if why or desk is None:
            self._session.message = f"{BY_ID[action_id].word}: {why or 'open the channel first'}"
        elif rundown is None:
            self._session.message = f"{BY_ID[action_id].word}: the rundown is not here yet"
            self._failed_to_open()
        elif rundown.playlist_id is None:
            self._session.message = "this channel has no list; mcr playlist play gives it one"
        else:
            then(desk, rundown)

    def _on_row(self, action_id: str, then: Callable[[Desk, Rundown, RundownRow], None]) -> None:
        def on_row(desk: Desk, rundown: Rundown) -> None:
            row = desk.selected_row()
            if row is None:
                self._session.message = "the list is empty; i inserts"
            else:
                then(desk, rundown, row)

        self._press(action_id, on_row)

    def _open(self, desk: Desk, screen: EditScreen) -> None:
        before, at = {row.item_id for row in screen.rundown.rows}, desk.selected_row()

        def done(rundown: Rundown | None) -> None:
            if rundown is None:
                return
            after = [row.item_id for row in rundown.rows]
            new = next((item_id for item_id in after if item_id not in before), None)
            if new is None and at is not None and after and at.item_id not in after:
                new = after[min(at.position, len(after) - 1)]  # what came to stand where one was deleted
            desk.take(rundown, new)
            self._session.message = f"{DONE[type(screen)]}, revision {rundown.revision}"

        self._host.open_edit(screen, done)

    def _insert(self, desk: Desk, rundown: Rundown, *, below: bool = False) -> None:
        self._open(desk, InsertScreen(self._session, rundown, desk.selected_row(), below=below))

    def _open_row(
        self, screen: Callable[[Session, Rundown, RundownRow], EditScreen]
    ) -> Callable[[Desk, Rundown, RundownRow], None]:
        return lambda desk, rundown, row: self._open(desk, screen(self._session, rundown, row))

    def _change(self, desk: Desk, rundown: Rundown, row: RundownRow) -> None:
        mine = object()

        async def fetch() -> None:
            try:
                item = await self._feed.item(rundown.playlist_id or "", row.item_id)
            except ClientError as error:
                if self._fetching is mine:
                    self._session.message = f"{error.title}: {error.detail}"
                    self._failed_to_open()
                return
            finally:
                is_meant = self._fetching is mine
                if is_meant:
                    self._fetching = None
            if is_meant and self._host.channel_desk() is desk:
                self._open(desk, ChangeScreen(self._session, rundown, item))

        self._fetching = mine
        self._host.start_work("edit", fetch)

    def _undo(self, desk: Desk, rundown: Rundown) -> None:
        async def undo() -> None:
            try:
                done = await self._feed.undo_edit(rundown.playlist_id or "", rundown.revision)
                desk.take(await self._feed.rundown(rundown.channel_id or ""))
            except ClientError as error:
                self._session.message = f"{error.title}: {error.detail} {error.hint}".strip()
            else:
                self._session.message = f"taken back: {done.what}; ^z again does it again"

        self._host.start_work("undo edit", undo)
