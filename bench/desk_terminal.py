"""The console in a pseudo-terminal, with the instant at which each of its bytes could be read."""

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from unicodedata import east_asian_width

from pyte.screens import Char

from tests.e2e.terminal import Terminal

SIZE = (160, 50)
LOOK_S = 0.2
"""How often the reading thread looks whether it is to end."""
HANDED_OVER_S = 0.0001
"""How soon the reading thread has the interpreter. A pseudo-terminal holds 4 KB: with Python's own 5 ms the console
would wait for its reader a dozen times a screen, which no terminal makes it do."""


class DeskTerminal(Terminal):
    """``shown`` says when the screen first was so: a thread notes when bytes came, whatever is being drawn meanwhile.

    Drawing them costs this process more than the console; an instant is of the piece (4 KB at most) after which the
    screen was so.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = SIZE[0], rows: int = SIZE[1]
    ) -> None:
        super().__init__(command, environment, columns, rows)
        self.bytes_read = 0
        self._came: deque[tuple[float, bytes]] = deque()
        self._news = threading.Event()
        self._drawn: list[str] = []
        self._ended = False
        self._handed_over = 0.0
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "DeskTerminal":
        super().__enter__()
        self._handed_over = sys.getswitchinterval()
        sys.setswitchinterval(HANDED_OVER_S)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._reader.join(10 * LOOK_S)
        sys.setswitchinterval(self._handed_over)
        super().__exit__(kind, error, trace)

    @property
    def lines(self) -> list[str]:
        """The screen as it is drawn so far. Only what changed is read anew: all of it after each piece would
        cost more than the console that is measured."""
        screen = self._screen
        if len(self._drawn) != screen.lines:
            self._drawn = [""] * screen.lines
            screen.dirty.update(range(screen.lines))
        for row in screen.dirty:
            if row < screen.lines:
                self._drawn[row] = _text(screen.buffer[row], screen.columns)
        screen.dirty.clear()
        return self._drawn

    def text(self) -> str:
        while self._came:
            self._stream.feed(self._came.popleft()[1])
        return "\n".join(self.lines)

    def press_at(self, keys: str) -> float:
        """The instant just before the keys were typed, in seconds of the monotonic clock."""
        at = time.monotonic()
        os.write(self._master, keys.encode())
        return at

    def shown(self, so: Callable[[list[str]], bool], timeout: float) -> float:
        """When the screen was first ``so``, looked at after each piece that came. Raises TimeoutError with it."""
        deadline = time.monotonic() + timeout
        while True:
            self._news.clear()
            while self._came:
                at, data = self._came.popleft()
                self._stream.feed(data)
                if so(self.lines):
                    return at
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {timeout} s on the screen:\n" + "\n".join(self.lines))
            self._news.wait(left)

    def _read(self) -> None:
        while not self._ended:
            if not select.select([self._master], [], [], LOOK_S)[0]:
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            at = time.monotonic()
            if not data:
                return
            self.bytes_read += len(data)
            self._came.append((at, data))
            self._news.set()


def _text(row: Mapping[int, Char], columns: int) -> str:
    """As ``pyte.Screen.display`` has it: the cell after a wide character is its second half."""
    made: list[str] = []
    wide = False
    for column in range(columns):
        if wide:
            wide = False
            continue
        data = row[column].data
        made.append(data)
        wide = data > "\u10ff" and east_asian_width(data[0]) in {"F", "W"}
    return "".join(made)


def connected_desk(home: Path, url: str, token_file: Path, size: tuple[int, int] = SIZE) -> DeskTerminal:
    """``mcr console --connect``, at home in a folder of its own."""
    command = ["-m", "mcr_console.cli.main", "console", "--connect", url, "--token-file", str(token_file)]
    environment = {**os.environ, "MCR_HOME": str(home)}
    return DeskTerminal([sys.executable, *command], environment, *size)
