"""What a console costs by the number of channels, each of which changes every second; on a terminal of 160x50.

The supervisor is a stand-in that speaks the API's words (snapshot, events, beats) in a process of its own: a real one
of a thousand channels and its thousand sidecars would take the processor that is measured here. There are no pictures.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cost import cpu_seconds, memory_mib
from bench.desk_terminal import DeskTerminal
from bench.record import keep

SIZES = (4, 64, 500, 1000)
SECONDS, SETTLE_S = 40.0, 8.0
_UP_S = 60.0
_STEP_S = 0.05
"""How often what came is taken out of the terminal."""


def measure(_clips: list[Path], sizes: tuple[int, ...] = SIZES, seconds: float = SECONDS) -> None:
    figures: dict[str, object] = {"seconds": seconds}
    samples: dict[str, object] = {}
    for size in sizes:
        for screen, key in (("wall", "w"), ("list", "l")):
            with loaded_desk(size) as desk:
                desk.press(key)
                taken(desk, SETTLE_S)
                cpu, began, drawn = cpu_seconds(desk.pid), time.monotonic(), desk.bytes_read
                memory: list[float] = []
                while time.monotonic() < began + seconds:
                    taken(desk, seconds / 10)
                    memory.append(round(memory_mib(desk.pid), 1))
                passed = time.monotonic() - began
                figures |= {
                    f"{screen}_cpu_cores_{size}": round((cpu_seconds(desk.pid) - cpu) / passed, 3),
                    f"{screen}_memory_mib_{size}": memory[-1],
                    f"{screen}_bytes_a_second_{size}": round((desk.bytes_read - drawn) / passed),
                }
                samples[f"{screen}_{size}"] = {"memory_mib": memory, "screen": desk.lines}
            keep("console_load", figures=figures, samples=samples)


def taken(desk: DeskTerminal, seconds: float) -> None:
    """Reads the terminal for so long, as a terminal would: what is not read would hold the console up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        desk.text()
        time.sleep(_STEP_S)  # how often the terminal is read


@contextmanager
def loaded_desk(size: int, **manners: object) -> Iterator[DeskTerminal]:
    """A console of a stand-in of ``size`` channels, once it shows them."""
    with tempfile.TemporaryDirectory(prefix="mcrload", dir="/tmp") as folder:
        home = Path(folder)
        (home / "manners").write_text(json.dumps({"channels": size, **manners}))
        command = ["-m", "tests.doubles.scripted_supervisor", str(home / "sock"), str(home / "manners")]
        stand_in = subprocess.Popen([sys.executable, *command])
        try:
            command = [sys.executable, "-m", "mcr_console", "--socket", str(home / "sock")]
            with DeskTerminal(command, {**os.environ, "MCR_HOME": str(home)}) as desk:
                desk.until(lambda text: f"{size} channels" in text and " t  TAKE 1 " in text, _UP_S)
                yield desk
        finally:
            stand_in.kill()
            stand_in.wait(10)
