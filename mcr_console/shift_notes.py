"""Writing into the shift log: one line, of the focused channel or of the station."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final, Protocol

from mcr_console.drawing.footer import target
from mcr_console.http import ClientError
from mcr_console.screens.handover import HandoverScreen
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from supervisor.schemas.handover import ShiftNoteIn

LONGEST: Final = 2000


class Host(Protocol):
    """The app, as far as a note needs it."""

    @property
    def top(self) -> OperatorScreen | None: ...
    def ask_line(self, prompt: str, then: Callable[[str | None], None]) -> None: ...
    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...


class ShiftNotes:
    """What a note is of is fixed when its key is pressed."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session = session
        self._host = host

    def ask(self) -> None:
        """Asks for the text, below the screen."""
        channel_id, whose = self._about()

        def typed(text: str | None) -> None:
            if text is not None:
                self._begin(text, channel_id)

        self._host.ask_line(f"note on {whose}: ", typed)

    def write(self, text: str) -> None:
        """A note that was typed with its command."""
        self._begin(text, self._about()[0])

    def _about(self) -> tuple[str | None, str]:
        state = self._session.focused
        if state is None or isinstance(self._host.top, HandoverScreen):
            return None, "the station"
        return state.channel.id, target(state)

    def _begin(self, text: str, channel_id: str | None) -> None:
        words = "".join(one if one.isprintable() else " " for one in text).strip()
        if not words:
            return
        if len(words) > LONGEST:
            self._session.message = f"not written: a note has at most {LONGEST} characters"
            return
        self._host.start_work("note", partial(self._write, ShiftNoteIn(text=words, channel_id=channel_id)))

    async def _write(self, values: ShiftNoteIn) -> None:
        try:
            await self._session.feed.add_shift_note(values)
        except ClientError as error:
            # With the text: nobody is to type it twice.
            self._session.message = f"not written ({error.title}): {values.text}"
            return
        self._session.message = "noted for the next shift, F9 shows it"
        top = self._host.top
        if isinstance(top, HandoverScreen):
            top.fetch_again()
