"""What must not bring the console down or make it lie: each is done to the real program in a terminal, and judged.

A stand-in speaks for the supervisor, so that it can be silent, slow and speak garbage; it is stopped, killed and
started again as a process. Judged are: the console lives and has no fault of its own, it shows what is so again once it
can, and no channel is shown as on air once nothing was heard for longer than a link may be silent.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.desk_terminal import DeskTerminal
from bench.record import keep
from tests.doubles.scripted_supervisor import GARBAGE

CHANNELS = 9
SILENT_S = 3.0
"""So long the console believes a silent link; a second more for a tick and a busy machine."""
GRACE_S = 1.5
_UP_S, _BACK_S = 60.0, 120.0
LOOKS_S = 6.0
PASTE = 1_000_000


@dataclass
class Desk:
    """One console before one stand-in."""

    terminal: DeskTerminal
    folder: Path
    stand_in: subprocess.Popen[bytes]
    looks_s: float = LOOKS_S
    """How long what is old is watched."""
    grace_s: float = GRACE_S
    """How much longer than a link may be silent the console may take: more where others use the machine."""

    def manners(self, **manners: object) -> None:
        """From now on: waits until the stand-in has read it."""
        text = json.dumps({"channels": CHANNELS, **manners})
        fresh = self.folder / "manners.new"
        fresh.write_text(text)
        fresh.replace(self.folder / "manners")
        deadline = time.monotonic() + _UP_S
        while (self.folder / "manners.read").read_text() != text:
            if time.monotonic() > deadline:
                raise TimeoutError("the stand-in did not read its manners")
            self.terminal.text()
            time.sleep(0.02)  # how often the terminal is read

    def start_again(self) -> None:
        """The stand-in, after it was killed, with good manners."""
        (self.folder / "manners").write_text(json.dumps({"channels": CHANNELS}))
        self.stand_in = _stand_in(self.folder)


def live_tallies(text: str) -> int:
    """How many channels the screen shows as on air now: a tally that only says what was is not one."""
    return text.count("ON AIR") - text.count("was ON AIR")


def shows_all(text: str) -> bool:
    """The wall as it is, with nothing old on it."""
    return f"{CHANNELS} channels" in text and live_tallies(text) > 0 and "STALE" not in text and "LOST" not in text


def never_lies(desk: Desk, since: float, seconds: float) -> str:
    """Watches from when nothing was heard any more: what it showed as live though it was old; empty if nothing."""
    while time.monotonic() < since + seconds:
        at = time.monotonic()  # before the picture: it is at least as new as this
        text = desk.terminal.text()
        if at > since + SILENT_S + desk.grace_s and live_tallies(text):
            return f"{live_tallies(text)} live tallies {at - since:.1f} s after the last word"
        time.sleep(0.05)  # how finely a lie is looked for
    return "" if "STALE" in desk.terminal.text() else "nothing says that it is old"


def stopped(desk: Desk) -> str:
    """SIGSTOP: connections stay, nothing comes."""
    since = time.monotonic()
    desk.stand_in.send_signal(signal.SIGSTOP)
    try:
        lied = never_lies(desk, since, SILENT_S + desk.grace_s + desk.looks_s)
    finally:
        desk.stand_in.send_signal(signal.SIGCONT)
    return lied or _back(desk)


def killed(desk: Desk) -> str:
    """SIGKILL, and a new one after a while."""
    since = time.monotonic()
    desk.stand_in.kill()
    desk.stand_in.wait(10)
    lied = never_lies(desk, since, SILENT_S + desk.grace_s + desk.looks_s)
    desk.start_again()
    return lied or _back(desk)


def slow(desk: Desk) -> str:
    """Every piece of the stream comes 20 s late, and so do answers: as good as nothing. Keys go on meanwhile."""
    desk.manners(slow_s=20)
    since = time.monotonic()
    desk.terminal.press("t")
    desk.terminal.press("\x1b[C")
    lied = never_lies(desk, since, SILENT_S + desk.grace_s + desk.looks_s)
    desk.stand_in.kill()
    desk.stand_in.wait(10)
    desk.start_again()
    return lied or _back(desk)


def garbage(kind: str) -> Callable[[Desk], str]:
    """Everything that is answered and told is that; beats are unreadable, too, so nothing is known any more."""

    def done(desk: Desk) -> str:
        desk.manners(garbage=kind)
        since = time.monotonic()
        for key in ("\r", "r", "\x1b", "\x1b", "t", "A", "\x1b"):
            desk.terminal.press(key)
            _look(desk, 0.3)
        lied = never_lies(desk, since, SILENT_S + desk.grace_s + desk.looks_s)
        desk.stand_in.kill()
        desk.stand_in.wait(10)
        desk.start_again()
        return lied or _back(desk)

    return done


def resized(desk: Desk) -> str:
    """To sizes that no screen has, and back."""
    for columns, rows in ((1, 1), (2, 60), (200, 2), (79, 23), (1, 1), (300, 90), (10, 10)):
        desk.terminal.resize(columns, rows)
        desk.terminal.press("t")  # an air key on a screen that shows no channel
        _look(desk, 0.3)
    desk.terminal.resize(160, 50)
    return _back(desk)


def pasted(desk: Desk) -> str:
    """A megabyte into the wall, which takes no text, and into a field; as a terminal pastes, and as one types."""
    for opens, closes in (("", ""), (":", "\x1b"), ("/", "\x1b"), ("c", "\x1b")):
        desk.terminal.press(opens)
        _look(desk, 0.5)
        _paste(desk, "\x1b[200~" + "x[/]y\x07" * (PASTE // 6) + "\x1b[201~")
        desk.terminal.press(closes)
        _look(desk, 0.5)
    _paste(desk, "z" * 20_000)
    desk.terminal.press("\x1b")
    return _back(desk)


FAULTS: dict[str, Callable[[Desk], str]] = {
    "stopped": stopped,
    "killed": killed,
    "slow": slow,
    **{f"garbage_{kind}": garbage(kind) for kind in GARBAGE},
    "resized": resized,
    "pasted": pasted,
}


def measure(_clips: list[Path]) -> None:
    verdicts: dict[str, str] = {}
    for name, done in FAULTS.items():
        verdicts[name] = judged(done, hostile=False)
        print(f"console_hostile {name}: {verdicts[name] or 'held'}", file=sys.stderr)
    verdicts["names"] = judged(_all_screens, hostile=True)
    print(f"console_hostile names: {verdicts['names'] or 'held'}", file=sys.stderr)
    figures = {"faults": len(verdicts), "failed": sum(bool(one) for one in verdicts.values())}
    keep("console_hostile", figures=figures, samples={"verdicts": verdicts})


def judged(done: Callable[[Desk], str], *, hostile: bool) -> str:
    """What did not hold; empty where all did."""
    with desk_of(hostile=hostile) as desk:
        try:
            fault = done(desk)
        except (TimeoutError, AssertionError, OSError) as error:
            fault = f"{type(error).__name__}: {error}"
        if desk.terminal.has_ended():
            return f"the console ended. {fault}"
        if "has a fault" in desk.terminal.text():
            line = next(line for line in desk.terminal.lines if "has a fault" in line)
            return f"{line.strip()} {fault}"
        return fault


@contextmanager
def desk_of(*, hostile: bool = False) -> Iterator[Desk]:
    """Ended at the end, whatever was done to it."""
    with tempfile.TemporaryDirectory(prefix="mcrhost", dir="/tmp") as name:
        folder = Path(name)
        (folder / "manners").write_text(json.dumps({"channels": CHANNELS, "hostile": hostile}))
        stand_in = _stand_in(folder)
        desk: Desk | None = None
        try:
            command = [sys.executable, "-m", "mcr_console", "--socket", str(folder / "sock")]
            with DeskTerminal(command, {**os.environ, "MCR_HOME": str(folder)}) as terminal:
                desk = Desk(terminal, folder, stand_in)
                terminal.until(lambda text: f"{CHANNELS} channels" in text, _UP_S)
                yield desk
        finally:
            last = stand_in if desk is None else desk.stand_in
            for one in {stand_in, last}:
                one.kill()
                one.wait(10)


def _all_screens(desk: Desk) -> str:
    """Every screen with such names, and every command to such channels; the columns must still stand."""
    for key in (
        "l",
        "w",
        "\r",
        "e",
        "\x1b",
        "\x1b",
        "r",
        "\x1b",
        "A",
        "\x1b",
        "M",
        "\x1b",
        "V",
        "\x1b",
        "3",
        "t",
        "H",
        "?",
        "\x1b",
    ):
        desk.terminal.press(key)
        _look(desk, 0.6)
    desk.terminal.press("/")
    desk.terminal.press("[bold]")
    _look(desk, 0.5)
    desk.terminal.press("\x1b")
    _look(desk, 0.7)
    _back(desk, lambda text: " MCR wall " in text and live_tallies(text) > 0)
    shown = "".join(desk.terminal.lines)
    return "" if shown.isprintable() else "a control character is on the screen"


def _stand_in(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "sock").unlink(missing_ok=True)
    command = ["-m", "tests.doubles.scripted_supervisor", str(folder / "sock"), str(folder / "manners")]
    return subprocess.Popen([sys.executable, *command])


def _back(desk: Desk, so: Callable[[str], bool] = shows_all) -> str:
    """To the wall, however deep in dialogs; raises TimeoutError with the screen when it is not ``so`` in time."""
    deadline = time.monotonic() + _BACK_S
    while not so(desk.terminal.text()):
        if time.monotonic() > deadline:
            raise TimeoutError("not as it was:\n" + "\n".join(desk.terminal.lines))
        for key in ("\x1b", "w"):
            desk.terminal.press(key)
            _look(desk, 0.7)  # together they would be another key
    return ""


def _look(desk: Desk, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        desk.terminal.text()
        time.sleep(0.02)  # how often the terminal is read


def _paste(desk: Desk, text: str) -> None:
    """In pieces as large as the terminal takes; what is drawn meanwhile is read."""
    for first in range(0, len(text), 1024):
        desk.terminal.press(text[first : first + 1024])
        if first % 65536 == 0:
            desk.terminal.text()
