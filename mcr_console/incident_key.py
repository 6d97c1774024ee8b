"""The key that writes the incident bundle, with the screen as it was when it was pressed."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final, Protocol

from mcr_console import incident
from mcr_console.cli.places import Home
from mcr_console.session import Session

HOURS: Final = 2


class Host(Protocol):
    """The app, as far as a bundle needs it."""

    def picture(self) -> str: ...
    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...


class IncidentKey:
    """Bundles go to ``$MCR_HOME/incidents`` of this machine, wherever the supervisor is."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session = session
        self._host = host

    def press(self) -> None:
        """Takes the picture now and does the rest beside the screen."""
        picture = self._host.picture()
        self._session.message = "writing the incident bundle"
        self._host.start_work("incident", partial(self._write, picture))

    async def _write(self, picture: str) -> None:
        session, here = self._session, Home.of(os.environ)
        now = session.clock.now()
        logs = (here.log, here.console_log)
        more = {"screen.svg": picture.encode()}
        parts = await incident.collect(session.feed, now, hours=HOURS, logs=logs, more=more)
        path = here.path / "incidents" / incident.file_name(now)
        try:
            await asyncio.to_thread(incident.write, path, parts)
        except OSError as error:
            session.message = f"no bundle: {path}: {error.strerror}"
        else:
            session.message = f"incident bundle: {path}"
