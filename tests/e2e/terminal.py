"""The real program in a pseudo-terminal: what it draws is read back as a screen, what is typed goes in as keys."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

from tests.fixtures.patience import patience


class Terminal:
    """``columns`` by ``rows``; entered it runs ``command``, left it closes the terminal as a lost SSH session would."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._command = command
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
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._master)
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
