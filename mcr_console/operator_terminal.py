"""The terminal that the console is drawn to. It may go away, or stand still, and neither may hold the console.

Textual's writer dies of the first error (EIO, once the terminal's other end is closed), and its queue, which nobody
empties then, holds up the event loop for ever: no signal but SIGKILL is heeded. So does a terminal that takes nothing,
as behind a connection that stands. Its reader turns round and round at the end of input. And to the SIGCONT that comes
with a hangup's SIGHUP it answers by starting on the dead terminal once more. This leans on insides of Textual 8.2.8.
"""

import logging
import os
import queue
import select
import threading
from contextlib import suppress
from typing import Any, Final, TextIO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

PATIENCE_S: Final = 2.0
"""How long the console stands still for a terminal that takes nothing."""
_WATCH_S: Final = 0.25

log = logging.getLogger("mcr_console")


class Outlet:
    """What Textual's writer writes to. It raises nothing: where the terminal is gone, what is written goes nowhere.

    Not through Python's own stderr: its lock, held by a writer that stands still, would abort the program as it ends.
    """

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        self._pending: list[str] = []

    def write(self, text: str) -> None:
        """Keeps it for ``flush``, which the writer calls when it has nothing more."""
        self._pending.append(text)

    def flush(self) -> None:
        """Writes all of it; blocks while the terminal takes nothing."""
        data = memoryview("".join(self._pending).encode("utf-8", "replace"))
        self._pending.clear()
        with suppress(OSError):
            while data:
                data = data[os.write(self._fileno, data) :]


class OperatorTerminal(LinuxDriver):
    """Ends the console when the terminal is gone, and lets what is drawn go rather than the loop stand still."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType] - App is generic
        self._outlet = self._file.fileno()
        self._file = cast("TextIO", Outlet(self._outlet))
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        self._is_behind = False

    def start_application_mode(self) -> None:
        """As in Textual; of a terminal that is gone it only says so."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._until_gone, name="terminal-watch", daemon=True)
            self._watch.start()
        if not self._is_gone():
            super().start_application_mode()

    def write(self, data: str) -> None:
        """Hands it to the writer. What finds no place within two seconds is dropped, and what follows it until there is
        room again; then all is drawn anew."""
        waiting = self._waiting()
        if waiting is None:
            return
        if self._is_behind:
            if not waiting.empty():
                return
            self._is_behind = False
            self._app.call_later(self._app.refresh, layout=True)  # pyright: ignore[reportUnknownMemberType] - App is generic
        try:
            waiting.put(data, timeout=PATIENCE_S)
        except queue.Full:
            log.warning("the terminal takes nothing")
            self._is_behind = True

    def close(self) -> None:
        """The writer is waited for as long as for a terminal that takes nothing, and left behind then."""
        self._closing.set()
        waiting, writer = self._waiting(), self._writer_thread
        if waiting is not None and writer is not None:
            with suppress(queue.Full):
                waiting.put(None, timeout=PATIENCE_S)
                writer.join(PATIENCE_S)

    def _waiting(self) -> "queue.Queue[str | None] | None":
        """None where Textual has not begun, for the terminal was gone already."""
        return None if self._writer_thread is None else self._writer_thread._queue  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    def _is_gone(self) -> bool:
        """Of a terminal whose other end is closed poll says so, asked for nothing."""
        return bool(self._poll(0.0))

    def _poll(self, seconds: float) -> list[tuple[int, int]]:
        asked = select.poll()
        for fileno in {self.fileno, self._outlet}:
            asked.register(fileno, 0)
        return asked.poll(seconds * 1000)

    def _until_gone(self) -> None:
        """A thread, for the loop may be busy or stand still when it happens."""
        while not self._poll(_WATCH_S):
            if self._closing.is_set():
                return
        log.warning("the terminal is gone: the console ends")
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._app.exit)

    def _sigcont_application(self, *_: object) -> None:
        if not self._is_gone():
            super()._sigcont_application()  # pyright: ignore[reportUnknownMemberType] - Textual names no types here
