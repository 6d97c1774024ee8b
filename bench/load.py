"""Many consoles and many calls at once: 200 readers of events and 500 calls a second, while 100 channels beat.

One real supervisor at loopback, on SQLite or PostgreSQL, 100 simulated sidecars behind real agent services, a heartbeat
a second. All readers come at once, as after a restart, and ten of them take nothing: they are to be cut off. The
clients run in a process of their own, whose own lateness is in what they measure and is told beside it.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench.cost import cpu_seconds, memory_mib, waited_for_a_core
from bench.record import keep, percentile
from bench.simulated_station import Database, simulated_station
from tests.fixtures.machines import Api

CHANNELS, READERS, SLOW, RATE = 100, 200, 10, 500
SECONDS = 300.0
AGENTS, PROCESSES = 10, 1
SETTLE_S = 10.0
COMING_S = 10.0
"""The first seconds, in which the readers come, are told apart from the rest."""


def measure(_clips: list[Path], seconds: float = SECONDS, database: Database = "sqlite") -> None:
    """Keeps ``load.json``, or ``load_postgresql.json``."""
    with (
        simulated_station(CHANNELS, agents=AGENTS, processes=PROCESSES, database=database) as station,
        ExitStack() as stack,
    ):
        api, supervisor = station.api, station.supervisor
        channels = station.all_on_air()
        time.sleep(SETTLE_S)  # the start itself is not what is measured
        token, port = station.token_file.read_text().strip(), station.url.rpartition(":")[2]
        told = stack.enter_context((station.home / "seen").open("w+"))
        before, cpu, waited = _scraped(api), cpu_seconds(supervisor.pid), waited_for_a_core(supervisor.pid)
        began = time.monotonic()
        clients = subprocess.Popen(
            [sys.executable, "-m", "bench.load_clients", port, token, str(READERS), str(SLOW), str(RATE),
             str(seconds), *channels],
            stdout=told,
        )  # fmt: skip
        stack.callback(clients.kill)
        memory, ages, lag, most = [memory_mib(supervisor.pid)], list[float](), list[float](), 0.0
        while clients.poll() is None and time.monotonic() < began + seconds + 60:
            time.sleep(5.0)
            now = _scraped(api)
            memory.append(memory_mib(supervisor.pid))
            ages.append(max(value for (name, _), value in now.items() if name == "mcr_heartbeat_age_seconds"))
            lag.append(_sum(now, "mcr_loop_lag_seconds"))
            most = max(most, _sum(now, "mcr_event_streams"))
        cpu, passed, after = cpu_seconds(supervisor.pid) - cpu, time.monotonic() - began, _scraped(api)
        waited = waited_for_a_core(supervisor.pid) - waited
        told.seek(0)
        seen = json.load(told)
    coming = [1000 * took for due, took in seen["answers"] if due < COMING_S]
    rest = [1000 * took for due, took in seen["answers"] if due >= COMING_S]
    answers = coming + rest
    half = memory[len(memory) // 2 :]
    figures = {
        "channels": CHANNELS, "readers": READERS, "calls_per_second": RATE, "seconds": seconds,
        "answered_per_second": round(len(answers) / seconds, 1),
        "answer_p50_ms": percentile(answers, 0.5), "answer_p99_ms": percentile(answers, 0.99),
        "answer_worst_ms": percentile(answers, 1.0),
        "answer_p99_while_they_come_ms": percentile(coming, 0.99) if coming else None,
        "answer_p99_later_ms": percentile(rest, 0.99) if rest else None,
        "clients_late_p99_ms": percentile([1000 * it for it in seen["clients_late"]], 0.99),
        "failed": seen["failed"], "late": seen["late"],
        "unanswered": len(seen["clients_late"]) - len(answers) - seen["failed"],
        "events_per_second": round(seen["events"] / seconds),
        "longest_without_a_beat_s": round(max(seen["beats"], default=0.0), 2),
        "readers_at_most": most, "readers_cut_off": seen["ended"],
        "slow_readers": SLOW, "slow_readers_cut_off": seen["slow_ended"],
        "dropped": _grown(before, after, "mcr_event_streams_dropped_total"),
        "heartbeats_missed": _grown(before, after, "mcr_heartbeats_missed_total"),
        "heartbeat_age_latest_s": round(max(ages, default=0.0), 2),
        "loop_lag_worst_s": max(lag, default=0.0),
        "memory_before_mib": round(memory[0]), "memory_most_mib": round(max(memory)),
        "memory_grew_in_second_half_mib": round(half[-1] - half[0], 1),
        "cpu_cores": round(cpu / passed, 2), "waited_for_a_core": round(waited / passed, 2),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    name = "load" if database == "sqlite" else f"load_{database}"
    keep(name, figures=figures, samples={"memory_mib": [round(it, 1) for it in memory], "loop_lag_s": lag})


def _scraped(api: Api) -> dict[tuple[str, str], float]:
    status, content = api.request("GET", "/metrics")
    assert status == 200, content
    families = text_string_to_metric_families(content.decode())
    return {(it.name, json.dumps(it.labels)): it.value for family in families for it in family.samples}


def _sum(scraped: dict[tuple[str, str], float], name: str) -> float:
    return sum(value for (known, _), value in scraped.items() if known == name)


def _grown(before: dict[tuple[str, str], float], after: dict[tuple[str, str], float], name: str) -> float:
    return _sum(after, name) - _sum(before, name)
