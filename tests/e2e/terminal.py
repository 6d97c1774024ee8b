"""The real program in a pseudo-terminal: what it draws is read back as a screen, what is typed goes in as keys."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final

import pyte

from tests.fixtures.patience import patience

_AS_LEADER: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """``columns`` by ``rows``; entered it runs ``command``, left it closes the terminal as a lost SSH session would.

    Where it is ``controlling``, as a shell's is, the kernel itself sends the command a SIGHUP when it closes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        columns: int = 120,
        rows: int = 40,
        *,
        controlling: bool = False,
    ) -> None:
        self._command = [sys.executable, "-c", _AS_LEADER, *command] if controlling else command
        self._environment = dict(environment) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> "Terminal":
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, self._size)
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._is_there = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_away()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)

    @property
    def pid(self) -> int:
        return self._process.pid

    def go_away(self) -> None:
        """Closes the terminal, and tells nobody but by that."""
        if self._is_there:
            self._is_there = False
            os.close(self._master)

    def until_ended(self) -> int:
        """The exit code; raises TimeoutExpired. What it writes meanwhile is left unread."""
        return self._process.wait(patience(0))

    def until_written(self) -> None:
        """Waits for something to read, and leaves it; raises TimeoutError."""
        if not select.select([self._master], [], [], patience(0))[0]:
            raise TimeoutError("nothing was written")

    def has_ended(self) -> bool:
        self.text()  # what is not read would hold it up
        return self._process.poll() is not None

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)
        self._process.send_signal(signal.SIGWINCH)

    def text(self) -> str:
        """What the screen shows, all that came so far drawn."""
        while select.select([self._master], [], [], 0)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            self._stream.feed(data)
        return "\n".join(self._screen.display)

    def until(self, shows: str | Callable[[str], bool], timeout: float = 20.0) -> str:
        """The screen's text once it shows that; raises TimeoutError with the screen otherwise."""
        timeout = patience(timeout)
        deadline = time.monotonic() + timeout
        while True:
            text = self.text()
            if shows in text if isinstance(shows, str) else shows(text):
                return text
            if time.monotonic() > deadline:
                raise TimeoutError(f"the screen did not show {shows!r} in {timeout} s:\n{text}")
            select.select([self._master], [], [], 0.05)
