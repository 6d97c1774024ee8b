"""Writing into the shift log: one line, of the selected alarm or event, of the focused channel, or of the station."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from mcr_console.drawing.footer import target
from mcr_console.http import ClientError
from mcr_console.safe_text import fit
from mcr_console.screens.asrun import AsRunScreen
from mcr_console.screens.attention import AttentionScreen
from mcr_console.screens.handover import HandoverScreen
from mcr_console.screens.operator_screen import OperatorScreen
from mcr_console.session import Session
from supervisor.schemas.handover import ShiftNoteIn

LONGEST: Final = 2000
WORDS: Final = 30
"""Cells for what a note is of."""


@dataclass(frozen=True, slots=True)
class About:
    """What a note is of; ``whose`` in words."""

    whose: str
    channel_id: str | None = None
    alarm_id: str | None = None
    run_id: str | None = None
    seq: int | None = None


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
        about = self._about()

        def typed(text: str | None) -> None:
            if text is not None:
                self._begin(text, about)

        self._host.ask_line(f"note on {about.whose}: ", typed)

    def write(self, text: str) -> None:
        """A note that was typed with its command."""
        self._begin(text, self._about())

    def _about(self) -> About:
        """The selected alarm or event of the log where the screen has one, else the focused channel."""
        top, state = self._host.top, self._session.focused
        if isinstance(top, AttentionScreen) and top.alarm is not None:
            alarm = top.alarm
            return About(f"the alarm {fit(alarm.text, WORDS).rstrip()}", alarm_id=alarm.id)
        if isinstance(top, AsRunScreen) and top.event is not None:
            event = top.event
            whose = f"{fit(event.title or event.kind, WORDS).rstrip()} at {event.start_at:%H:%M:%S} UTC"
            return About(whose, event.channel_id, run_id=event.run_id, seq=event.seq)
        if isinstance(top, AttentionScreen):
            state = top.aimed()
        if state is None or isinstance(top, HandoverScreen):
            return About("the station")
        return About(target(state), state.channel.id)

    def _begin(self, text: str, about: About) -> None:
        words = "".join(one if one.isprintable() else " " for one in text).strip()
        if not words:
            return
        if len(words) > LONGEST:
            self._session.message = f"not written: a note has at most {LONGEST} characters"
            return
        values = ShiftNoteIn(
            text=words, channel_id=about.channel_id, alarm_id=about.alarm_id, run_id=about.run_id, seq=about.seq
        )
        self._host.start_work("note", partial(self._write, values))

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
