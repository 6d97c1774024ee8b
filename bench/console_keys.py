"""From a key to what the operator sees: the whole program in a terminal, a real supervisor, HTTP over TCP.

``simulated``: 64 channels whose sidecars are simulated ones on a clock of 25 frames a second, behind two real agents
over HTTP; a take is answered at the next frame of that clock, without a picture. ``real``: four real sidecars that
play, encode and write HLS on the same machine. ``link``: the first again, with every byte between console and
supervisor 100 ms later in each direction.

A focus move is drawn when frame and foot line both name the new channel. A take is answered when that channel's tile
says which frame the engine made of it. Both are seen by reading the terminal as an operator would; the instants are
those at which the bytes could be read.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from bench.cost import waited_for_a_core
from bench.desk_seen import Done, answer, focused_number
from bench.desk_terminal import DeskTerminal, connected_desk
from bench.record import keep, percentile
from bench.simulated_station import free_ports, simulated_station
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from tests.e2e.supervisor_process import SupervisorProcess
from tests.fixtures.homes import new_home
from tests.fixtures.machines import Api, ApiError

PRESSES = 240
CHANNELS, REAL, AGENTS = 64, 4, 2
LINK_MS = 100
GUARD_S = 1.2
"""Between two takes of one channel: a second one within a second is refused."""
_UP_S, _SEEN_S = 90.0, 10.0
_REST_S = 5.0
"""How long the console is only looked at, for the bytes it draws by itself."""


@dataclass
class Seen:
    """Milliseconds. ``said`` is what the console itself says of each take: from the supervisor's door to the frame."""

    echo: list[float] = field(default_factory=list[float])
    answered: list[float] = field(default_factory=list[float])
    said: list[int] = field(default_factory=list[int])
    refused: list[str] = field(default_factory=list[str])
    echo_bytes: list[int] = field(default_factory=list[int])


def measure(_clips: list[Path], presses: int = PRESSES) -> None:
    figures: dict[str, object] = {"presses": presses, "channels": CHANNELS, "link_ms": LINK_MS}
    samples: dict[str, object] = {}

    def note(name: str, found: tuple[dict[str, float], Seen]) -> None:
        nonlocal figures
        figures |= {f"{name}_{key}": value for key, value in found[0].items()}
        samples[name] = vars(found[1])
        print(f"console_keys {name}: {found[0]}", file=sys.stderr)
        keep("console_keys", figures=figures, samples=samples)

    with simulated_station(CHANNELS, agents=AGENTS, processes=1) as station:
        station.all_on_air()
        note("simulated", _at(station.url, station.token_file, CHANNELS, presses))
        with _slow_link(station.url) as url:
            note("link", _at(url, station.token_file, CHANNELS, presses))
    with _real() as (url, token_file):
        note("real", _at(url, token_file, REAL, presses))


def _at(url: str, token_file: Path, channels: int, presses: int) -> tuple[dict[str, float], Seen]:
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="mcrdesk", dir="/tmp"))
        desk = stack.enter_context(connected_desk(Path(home), url, token_file))
        desk.until(lambda text: f"{channels} on air" in text and " t  TAKE 1 " in text, _UP_S)
        quiet = _bytes_at_rest(desk)
        waited, began = waited_for_a_core(desk.pid), time.monotonic()
        seen = _pressed(desk, channels, presses)
        waited, passed = waited_for_a_core(desk.pid) - waited, time.monotonic() - began
    figures = {
        "takes": float(len(seen.answered)),
        "refused": float(len(seen.refused)),
        "echo_p50_ms": percentile(seen.echo, 0.5),
        "echo_p99_ms": percentile(seen.echo, 0.99),
        "echo_worst_ms": percentile(seen.echo, 1.0),
        "answer_p50_ms": percentile(seen.answered, 0.5),
        "answer_p99_ms": percentile(seen.answered, 0.99),
        "answer_worst_ms": percentile(seen.answered, 1.0),
        "said_p99_ms": percentile(seen.said, 0.99),
        "echo_bytes_p50": percentile(seen.echo_bytes, 0.5),
        "bytes_a_second": round(quiet),
        "waited_for_a_core": round(waited / passed, 3),
    }
    return figures, seen


def _bytes_at_rest(desk: DeskTerminal) -> float:
    """Bytes a second that the console draws while nobody touches it."""
    before, began = desk.bytes_read, time.monotonic()
    while time.monotonic() < began + _REST_S:
        desk.text()
        time.sleep(0.05)  # how often the terminal is read
    return (desk.bytes_read - before) / (time.monotonic() - began)


def _pressed(desk: DeskTerminal, channels: int, presses: int) -> Seen:
    """A focus move and a take, by turns over all channels."""
    seen = Seen()
    taken: dict[int, tuple[float, int]] = {}
    number = 1
    while len(seen.answered) + len(seen.refused) < presses:
        number = number % channels + 1
        _moved(desk, number, seen, first=number == 1)
        at, frame = taken.get(number, (0.0, -1))
        while time.monotonic() < at + GUARD_S:
            desk.text()
            time.sleep(0.02)  # the take guard passes; the terminal is read meanwhile
        pressed = desk.press_at("t")
        answered = desk.shown(lambda lines, frame=frame: _is_new(answer(lines), frame), _SEEN_S)
        said = answer(desk.lines)
        if isinstance(said, Done):
            seen.answered.append((answered - pressed) * 1000)
            seen.said.append(said.ms)
            taken[number] = (pressed, said.frame)
        else:
            seen.refused.append(str(said))
            taken[number] = (pressed, frame)
    return seen


def _moved(desk: DeskTerminal, number: int, seen: Seen, *, first: bool) -> None:
    """To the next channel, from the last one to the first."""
    desk.text()
    before = desk.bytes_read
    pressed = desk.press_at("g" if first else "\x1b[C")
    drawn = desk.shown(lambda lines: focused_number(lines) == number, _SEEN_S)
    seen.echo.append((drawn - pressed) * 1000)
    seen.echo_bytes.append(desk.bytes_read - before)


def _is_new(said: Done | str | None, frame: int) -> bool:
    return isinstance(said, str) or (said is not None and said.frame > frame)


@contextmanager
def _slow_link(url: str) -> Iterator[str]:
    host, _, port = url.removeprefix("http://").partition(":")
    here = free_ports(1)
    command = [sys.executable, "-m", "bench.slow_link", str(here), host, port, str(LINK_MS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{here}"
    finally:
        process.kill()
        process.wait(10)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def _real() -> Iterator[tuple[str, Path]]:
    """Four channels of 720p25 that play clips on this machine: the supervisor's address, and where its token is."""
    with ExitStack() as stack:
        media = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = stack.enter_context(new_home())
        for number in range(1, 5):
            make_clip(ClipSpecification(number, f"Take {number}", 1280, 720, Fraction(25), 1500), media)
        port = free_ports(1)
        stack.enter_context(SupervisorProcess(home, "--host", "127.0.0.1", "--port", str(port)))
        api = Api(home.path / "run" / "mcr.sock")
        _wait_ready(api)
        for number in range(1, REAL + 1):
            made = home.mcr(
                "channel", "add", f"Desk {number}", "--from", str(media), "--format", "720p25", "--output", "hls",
                "--start",
            )  # fmt: skip
            assert made.returncode == 0, made.stderr + home.log_end()
        yield f"http://127.0.0.1:{port}", home.path / "token"


def _wait_ready(api: Api) -> None:
    deadline = time.monotonic() + _UP_S
    while True:
        try:
            if api.get("/supervisor")["leader"]:
                return
        except (OSError, ApiError):
            pass
        assert time.monotonic() < deadline, "the supervisor is not ready"
        time.sleep(0.1)  # how often it is asked, up to the deadline
