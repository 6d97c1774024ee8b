"""What a supervisor costs by the number of its channels: simulated sidecars behind real agent services over HTTP.

One real supervisor on SQLite, 20 agents in four processes, a heartbeat a second. The simulated side runs in processes
of its own, so that the supervisor's cost is its own; on a small machine it takes what the supervisor may not have.
One channel in five has a UDP output with a lease.
"""

import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.cost import cpu_seconds, memory_mib, waited_for_a_core
from bench.record import keep, percentile
from bench.simulated_station import simulated_station
from tests.fixtures.machines import Api, Json

SIZES = (10, 100, 1000)
AGENTS, PROCESSES = 20, 4
SECONDS = 60.0
SETTLE_S = 15.0


@dataclass
class Samples:
    """Milliseconds, but for ``cpu`` in cores."""

    heartbeat_age: list[int] = field(default_factory=list[int])
    channel: list[float] = field(default_factory=list[float])
    supervisor: list[float] = field(default_factory=list[float])
    lag: list[float] = field(default_factory=list[float])


def measure(_clips: list[Path], sizes: tuple[int, ...] = SIZES, seconds: float = SECONDS) -> None:
    figures: dict[str, object] = {"agents": AGENTS, "seconds": seconds}
    samples: dict[str, object] = {}
    for size in sizes:
        found, raw = one(size, seconds)
        figures |= {f"{name}_{size}": value for name, value in found.items()}
        samples[str(size)] = raw
        print(f"scale {size}: {found}", file=sys.stderr)
        keep("scale", figures=figures, samples=samples)


def one(size: int, seconds: float) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The figures at ``size`` channels, and what they are made of."""
    with simulated_station(size, agents=AGENTS, processes=PROCESSES) as station:
        home, api, supervisor, simulated = station.home, station.api, station.supervisor, station.simulated
        began = time.monotonic()
        channels = station.all_on_air()
        up = time.monotonic() - began
        time.sleep(SETTLE_S)  # the start itself is not what is measured
        held_before = _held_up(home)
        waited = waited_for_a_core(supervisor.pid)
        cpu, others = cpu_seconds(supervisor.pid), sum(cpu_seconds(process.pid) for process in simulated)
        began = time.monotonic()
        taken = _watched(api, channels, began + seconds)
        passed = time.monotonic() - began
        cpu, others = cpu_seconds(supervisor.pid) - cpu, sum(cpu_seconds(it.pid) for it in simulated) - others
        waited = waited_for_a_core(supervisor.pid) - waited
        held = _held_up(home)[len(held_before) :]
        figures = {
            "cpu_cores": round(cpu / passed, 3),
            "simulated_cpu_cores": round(others / passed, 3),
            "waited_for_a_core": round(waited / passed, 3),
            "memory_mib": round(memory_mib(supervisor.pid)),
            "heartbeat_age_p99_ms": percentile(taken.heartbeat_age, 0.99),
            "heartbeat_age_latest_ms": max(taken.heartbeat_age),
            "api_channel_p50_ms": percentile(taken.channel, 0.5),
            "api_channel_p99_ms": percentile(taken.channel, 0.99),
            "api_supervisor_p99_ms": percentile(taken.supervisor, 0.99),
            "loop_lag_worst_ms": max([*held, *taken.lag], default=0.0),
            "loop_held_up": float(len(held)),
            "to_air_s": round(up, 1),
        }
        raw = {
            "api_channel_ms": [round(it, 2) for it in taken.channel],
            "api_supervisor_ms": [round(it, 2) for it in taken.supervisor], "loop_held_up_ms": held,
        }  # fmt: skip
        return figures, raw


def _watched(api: Api, channels: list[str], until: float) -> Samples:
    """Ten reads a second by turns, and every second the age of every heartbeat."""
    taken = Samples()
    number = 0
    while time.monotonic() < until:
        began = time.monotonic()
        if number % 10 == 0:
            taken.lag.append(float(_timed(api, "/supervisor", taken.supervisor)["loop_lag_ms"]))
        if number % 100 == 50:
            for channel in api.everything("/channels"):
                age = channel["live"]["heartbeat_age_ms"]
                taken.heartbeat_age.append(-1 if age is None else int(age))
        _timed(api, f"/channels/{channels[number * 7 % len(channels)]}", taken.channel)
        number += 1
        time.sleep(max(0.0, began + 0.1 - time.monotonic()))  # ten rounds a second
    return taken


def _timed(api: Api, path: str, into: list[float]) -> Json:
    began = time.perf_counter()
    answer = api.get(path)
    into.append((time.perf_counter() - began) * 1000)
    return answer


def _held_up(home: Path) -> list[float]:
    """Every hold-up of the loop that the supervisor has logged, in milliseconds."""
    lines = (home / "log").read_text(errors="replace").splitlines()
    found = (re.search(r'"ms": ([0-9.]+)', line) for line in lines if "the loop was held up" in line)
    return [float(match.group(1)) for match in found if match]
