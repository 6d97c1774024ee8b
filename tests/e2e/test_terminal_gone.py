"""The real console on a terminal that goes away or stands still: it ends by itself, or when it is told to."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.fixtures.patience import patience

pytestmark = [pytest.mark.short, pytest.mark.timeout(240)]


def console(tmp_path: Path, *, controlling: bool = False) -> Terminal:
    """Of a supervisor that is not there: it opens all the same, and says so."""
    token = tmp_path / "token"
    token.write_text("x" * 40)
    environment = dict(os.environ) | {"MCR_HOME": str(tmp_path / "home")}
    there = ["--connect", "http://127.0.0.1:9", "--token-file", str(token)]
    command = [sys.executable, "-m", "mcr_console.cli.main", "console", *there]
    return Terminal(command, environment, controlling=controlling)


@pytest.mark.parametrize("controlling", [True, False], ids=["a hangup's signals", "no signal"])
@pytest.mark.parametrize("drawn", [False, True], ids=["as it begins", "once it is drawn"])
def test_the_console_ends_when_its_terminal_goes_away(tmp_path: Path, *, controlling: bool, drawn: bool) -> None:
    with console(tmp_path, controlling=controlling) as terminal:
        if drawn:
            terminal.until("nothing listens at")
        else:
            terminal.until_written()
        terminal.go_away()
        assert terminal.until_ended() == 0


def test_a_terminal_that_takes_nothing_keeps_no_signal_from_the_console(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        terminal.until("nothing listens at")
        stand_still(terminal, tmp_path)
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.until_ended() == 0


def test_a_terminal_that_takes_something_again_is_drawn_anew(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        terminal.until("nothing listens at")
        stand_still(terminal, tmp_path)
        terminal.press("l")
        until_written(tmp_path / "home" / "console-state.json", '"list"')
        terminal.until(lambda text: "MCR list" in text and "nothing listens at" in text)


def stand_still(terminal: Terminal, tmp_path: Path) -> None:
    """Has the whole screen drawn, which nobody reads, until the console has noticed."""

    def draw() -> None:
        terminal.resize(119, 40)
        terminal.resize(120, 40)

    until_written(tmp_path / "home" / "logs" / "console.log", "takes nothing", draw)


def until_written(file: Path, words: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Waits for the words in a file of the console's."""
    deadline = time.monotonic() + patience(0)
    while not (file.exists() and words in file.read_text()):
        assert time.monotonic() < deadline, f"{file.name} does not say {words!r}"
        meanwhile()
        time.sleep(0.1)
