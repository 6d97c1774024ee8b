"""A hundred takes by a script that looks at the screen and nowhere else; the as-run then tells which channel took.

Twelve channels of a real supervisor with simulated sidecars. Before each take the focus is moved by one to four random
keys: arrows, numbers, the list and back, next and previous, first and last. What the script takes is the channel that
foot line and frame (or cursor) name. The console is a real program in a terminal.
"""

import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.console_keys import GUARD_S
from bench.desk_seen import Done, answer, focused_number
from bench.desk_terminal import DeskTerminal, connected_desk
from bench.record import keep
from bench.simulated_station import SimulatedStation, simulated_station
from tests.fixtures.machines import ApiError, Json

TAKES, AGENTS = 100, 3
NAMES = (
    "News 24", "Sport", "Sport 2", "Kids", "Movies", "Movies +1", "Music", "Regional N", "Regional S", "Pop-up",
    "Test", "Sport 3",
)  # fmt: skip
MOVES = ("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "j", "k", "n", "N", "g", "G", "l", "w")
SIZES = ((80, 24), (120, 40))
_UP_S, _SEEN_S, _TOLD_S = 90.0, 10.0, 90.0
_STILL_S = 1.5
"""A key that moved nothing within this time is at an edge."""


@dataclass(frozen=True)
class Take:
    """``shown`` is the channel that the screen named, ``took`` the one that did, by number; 0: none."""

    keys: str
    shown: int
    took: int
    said: str


def measure(_clips: list[Path], takes: int = TAKES, seed: int = 1) -> None:
    chance, found = random.Random(seed), list[Take]()
    with ExitStack() as stack:
        station = stack.enter_context(simulated_station(len(NAMES), agents=AGENTS, processes=1, names=NAMES))
        numbers = {id_: number for number, id_ in enumerate(station.all_on_air(), 1)}
        for size in SIZES:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcrdesk", dir="/tmp")))
            with connected_desk(home, station.url, station.token_file, size) as desk:
                desk.until(lambda text: f"{len(NAMES)} on air" in text and " t  TAKE 1 " in text, _UP_S)
                while len(found) < takes * (SIZES.index(size) + 1) // len(SIZES):
                    found.append(_one(desk, station, numbers, chance))
                    print(f"console_takes {len(found)}: {found[-1]}", file=sys.stderr)
    figures = {
        "takes": len(found),
        "wrong_channel": sum(one.took not in {0, one.shown} for one in found),
        "not_done": sum(one.took == 0 for one in found),
        "channels": len({one.took for one in found}),
    }
    keep("console_takes", figures=figures, samples={"seed": seed, "takes": [asdict(one) for one in found]})


def _one(desk: DeskTerminal, station: SimulatedStation, numbers: dict[str, int], chance: random.Random) -> Take:
    keys: list[str] = []
    for _ in range(chance.randint(1, 4)):
        number = str(chance.randint(1, len(NAMES)))
        key = number if chance.random() < 0.3 else chance.choice(MOVES)
        for typed in key if key == number else [key]:
            _typed(desk, typed)
        keys.append(key)
    time.sleep(GUARD_S)  # a second take within a second is refused
    before = {_name(event) for event in _takes(station)}
    shown = _focus(desk)
    said_before = answer(desk.lines)
    desk.press("t")
    desk.shown(lambda lines: (said := answer(lines)) is not None and said != said_before, _SEEN_S)
    said = answer(desk.lines)
    took = _took(station, before, said.frame) if isinstance(said, Done) else None
    return Take(" ".join(keys), shown, 0 if took is None else numbers[took], str(said))


def _typed(desk: DeskTerminal, key: str) -> None:
    """One key, and the wait of somebody who watches what it does."""
    desk.text()
    before = list(desk.lines)
    desk.press(key)
    try:
        desk.shown(lambda lines: _focus_of(lines) not in {None, _focus_of(before)}, _STILL_S)
    except TimeoutError:
        return


def _focus_of(lines: list[str]) -> tuple[str, int] | None:
    number = focused_number(lines)
    return None if number is None else (lines[0][:10], number)


def _focus(desk: DeskTerminal) -> int:
    """What the screen names now; waits until foot line and frame agree."""
    desk.until(lambda text: focused_number(text.split("\n")) is not None, _SEEN_S)
    number = focused_number(desk.lines)
    assert number is not None
    return number


def _takes(station: SimulatedStation) -> list[Json]:
    """The newest takes that the log has, of all channels."""
    deadline = time.monotonic() + _TOLD_S
    while True:
        try:
            events = station.api.get("/asrun", limit=200)["items"]
        except (OSError, ApiError):  # a machine that does other work may keep its database waiting
            if time.monotonic() > deadline:
                raise
        else:
            return [event for event in events if event["start_cause"] == "take"]


def _name(event: Json) -> str:
    return f"{event['run_id']} {event['seq']}"


def _took(station: SimulatedStation, before: set[str], frame: int) -> str | None:
    """The id of the channel of which the log says that a take since ``before`` began at that frame of its engine; None
    when it says so of none. The takes of a machine that is behind may come late, and out of order."""
    deadline = time.monotonic() + _TOLD_S
    while time.monotonic() < deadline:
        for event in _takes(station):
            if event["start_frame"] == frame and _name(event) not in before:
                return str(event["channel_id"])
        time.sleep(0.2)  # how often the log is asked, up to the deadline
    return None
