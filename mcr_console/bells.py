"""Rings in this terminal and on this desk for what nobody acknowledged."""

import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol

from mcr_console.ringing import Means, Ringing, run_command, sequence
from mcr_console.session import Session


class Host(Protocol):
    """The app, as far as ringing needs it."""

    def bell(self) -> None: ...
    def write_to_terminal(self, text: str) -> None: ...
    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...


class Bells:
    """``means`` may be put in place of what the environment says."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session, self._host = session, host
        self._ringing = Ringing()
        self._at_work = False
        self.means = Means.of(os.environ)
        self._told = False

    def tick(self) -> None:
        """Rings when it is time to."""
        session = self._session
        at = session.clock.monotonic()
        if self.means.fault and not self._told:
            self._told, session.message = True, self.means.fault
        now = session.wall.supervisor_now(at) or session.clock.now()
        text = self._ringing.due(session.wall, now, at)
        if not text:
            return
        if self.means.bell:
            self._host.bell()
        notice = sequence(self.means.notify, text)
        if notice:
            self._host.write_to_terminal(notice)
        if self.means.command and not self._at_work:
            self._at_work = True
            self._host.start_work("ring", partial(self._run, text))

    async def _run(self, text: str) -> None:
        try:
            trouble = await run_command(self.means.command, text)
        finally:
            self._at_work = False
        if trouble:
            self._session.message = trouble
