"""Whether a console grows: an hour of channels that all change every second, with keys pressed all the while.

Samples are kept each minute, and a run that was broken off goes on where it was, with a console that is new. What is
told is the slope of a straight line through the memory (PSS) of all minutes but the first ten of each console.
"""

import json
import random
import sys
import time
from pathlib import Path

from bench.console_load import loaded_desk, taken
from bench.cost import cpu_seconds, memory_mib
from bench.record import RESULTS, keep

MINUTES, CHANNELS, HZ = 60, 500, 1.0
WARM = 10
KEYS = (
    "\x1b[C",
    "\x1b[D",
    "\x1b[A",
    "\x1b[B",
    "n",
    "N",
    "l",
    "w",
    "\r",
    "\x1b",
    "r",
    "\x1b",
    "A",
    "\x1b",
    "g",
    "7",
    "2",
)
_PRESS_S = 1.0


def measure(_clips: list[Path], minutes: int = MINUTES, channels: int = CHANNELS, hz: float = HZ) -> None:
    path = RESULTS / "console_growth.json"
    runs: list[list[dict[str, float]]] = []
    if path.exists():
        known = json.loads(path.read_text())
        if known["figures"]["minutes"] < minutes and known["figures"]["channels"] == channels:
            runs = known["samples"]["runs"]
    runs.append([])
    chance = random.Random(1)
    with loaded_desk(channels, hz=hz, alarms=20) as desk:
        while sum(len(run) for run in runs) < minutes:
            cpu, began = cpu_seconds(desk.pid), time.monotonic()
            while time.monotonic() < began + 60:
                desk.press(chance.choice(KEYS))
                taken(desk, _PRESS_S)
            assert not desk.has_ended(), "the console ended"
            cores = (cpu_seconds(desk.pid) - cpu) / (time.monotonic() - began)
            runs[-1].append({"memory_mib": round(memory_mib(desk.pid), 2), "cpu_cores": round(cores, 3)})
            print(f"console_growth: {runs[-1][-1]}", file=sys.stderr)
            found = figures(runs)
            keep("console_growth", figures={**found, "channels": channels, "hz": hz}, samples={"runs": runs})


def figures(runs: list[list[dict[str, float]]]) -> dict[str, float]:
    points = [(float(minute), one["memory_mib"]) for run in runs for minute, one in enumerate(run) if minute >= WARM]
    return {
        "minutes": float(sum(len(run) for run in runs)),
        "slope_mib_an_hour": round(slope(points) * 60, 3),
        "memory_first_mib": points[0][1] if points else 0.0,
        "memory_last_mib": points[-1][1] if points else 0.0,
        "cpu_cores": round(sum(one["cpu_cores"] for run in runs for one in run) / max(1, sum(map(len, runs))), 3),
    }


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line with the least squares; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    x, y = (sum(point[axis] for point in points) / len(points) for axis in (0, 1))
    return sum((a - x) * (b - y) for a, b in points) / (sum((a - x) ** 2 for a, _ in points) or 1.0)
