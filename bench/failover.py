"""How long air is interrupted: median and worst of many runs of each fault, on real processes in network namespaces.

``python -m bench failover --runs N``. Every run is kept as it ends in ``bench/work/failover.jsonl``, so that a long
measurement that was broken off goes on where it was; what another version of the code measured is not mixed in.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import failover_runs
from bench.failover_runs import Outcome
from bench.record import Json, keep, median
from db.store import Store
from tests.fixtures.lab import HOSTS, Lab, lab, make_lab_clips
from tests.fixtures.network import Namespaces, without_namespaces
from tests.fixtures.postgres import PostgresServer
from tests.instruments.double_air import Verdict

RUNS = 50
WORK = Path(__file__).parent / "work"
SCENARIOS: dict[str, Callable[[Lab, str], Outcome]] = {
    "sidecar_killed": failover_runs.sidecar_killed,
    "sidecar_killed_cold": failover_runs.sidecar_killed_cold,
    "node_killed": failover_runs.node_killed,
    "node_cut": failover_runs.node_cut,
    "leader_killed": failover_runs.leader_killed,
    "leader_frozen": failover_runs.leader_frozen,
    "supervisors_restarted": failover_runs.supervisors_restarted,
}
_WITHOUT_SPARE = frozenset({"sidecar_killed_cold"})
_FAILURES = 5
"""Runs in a row that may fail before a scenario is given up."""


class Kept:
    """What was measured of this version so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = _version()
        self.lines: list[dict[str, object]] = []
        if path.exists():
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            self.lines = [line for line in lines if line["version"] == self._version]

    def add(self, scenario: str, outcome: Outcome, fault: str = "") -> None:
        line: dict[str, object] = {
            "version": self._version, "scenario": scenario, "at": time.time(), "seconds": outcome.seconds,
            "verdicts": [json.loads(verdict.line()) for verdict in outcome.verdicts], "fault": fault,
        }  # fmt: skip
        self.lines.append(line)
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def done(self, scenario: str) -> int:
        return sum(line["scenario"] == scenario and bool(line["seconds"]) for line in self.lines)


def _version() -> str:
    """The commit, and a mark where the code differs from it."""
    where = Path(__file__).parent.parent

    def said(*argv: str) -> str:
        return subprocess.run(["git", *argv], capture_output=True, text=True, check=False, timeout=10, cwd=where).stdout

    dirty = said("status", "--porcelain", "--", "supervisor", "sidecar", "db").strip()
    return said("rev-parse", "--short", "HEAD:supervisor").strip() + ("+" if dirty else "")


def measure(_clips: list[Path], runs: int = RUNS, only: tuple[str, ...] = ()) -> None:
    reason = without_namespaces()
    if reason:
        print(f"failover: not measured: {reason}", file=sys.stderr)
        return
    kept = Kept(WORK / "failover.jsonl")
    for scenario, run in SCENARIOS.items():
        if (only and scenario not in only) or kept.done(scenario) >= runs:
            continue
        failures = 0
        while kept.done(scenario) < runs and failures < _FAILURES:
            # Another lab after a failure: nobody knows what state it left.
            with _new_lab(spare=scenario not in _WITHOUT_SPARE) as made:
                failures = _run_many(kept, made, scenario, runs, run, failures)
    publish(kept)


def _run_many(
    kept: Kept, made: Lab, scenario: str, runs: int, run: Callable[[Lab, str], Outcome], failures: int
) -> int:
    """Until all are done or one fails; how many have failed in a row."""
    while kept.done(scenario) < runs:
        name = f"{scenario} {kept.done(scenario) + 1} {time.time_ns() % 10**6}"
        try:
            outcome = run(made, name)
        except (AssertionError, ValueError, OSError) as error:
            kept.add(scenario, Outcome(), fault=str(error)[:2000] or type(error).__name__)
            print(f"{name}: failed: {str(error)[:3000]}", file=sys.stderr)
            return failures + 1
        failures = 0
        kept.add(scenario, outcome)
        unclean = [verdict for verdict in outcome.verdicts if not _sole(verdict)]
        print(f"{name}: {outcome.seconds}" + "".join(f"\n  {it}" for it in unclean), file=sys.stderr)
        publish(kept)
    return failures


def _sole(verdict: Verdict) -> bool:
    return not verdict.double_air_ms and not verdict.returns and not verdict.faults


def publish(kept: Kept) -> None:
    samples: dict[str, list[float]] = {}
    double_air = 0.0
    judged = unclean = failed = 0
    for line in kept.lines:
        failed += bool(line["fault"])
        for name, value in _pairs(line["seconds"]):
            samples.setdefault(name, []).append(value)
        verdicts = line["verdicts"]
        assert isinstance(verdicts, list)
        for verdict in verdicts:
            judged += 1
            double_air += verdict["double_air_ms"]
            unclean += bool(verdict["double_air_ms"] or verdict["returns"] or verdict["faults"])
    figures: dict[str, object] = {}
    for name, values in samples.items():
        if name == "frames_lost":
            figures["frames_lost"] = int(sum(values))
            continue
        figures[f"{name}_s"] = round(median(values), 2)
        figures[f"{name}_worst_s"] = round(max(values), 2)
        figures[f"{name}_runs"] = len(values)
    figures |= {
        "runs_failed": failed,
        "receivers": judged, "receivers_with_a_fault": unclean, "double_air_ms": round(double_air, 3),
    }  # fmt: skip
    document: Json = samples
    keep("failover", figures=figures, samples=document)


def _pairs(values: object) -> list[tuple[str, float]]:
    assert isinstance(values, dict)
    return [(str(name), float(value)) for name, value in values.items()]


@contextmanager
def _new_lab(*, spare: bool) -> Iterator[Lab]:
    """A lab of its own: network, database and all; nothing of it is left. ``spare``: whether its nodes keep a sidecar
    ready."""
    os.environ["MCR_SPARE"] = str(spare).lower()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcrlab", dir="/tmp")))
        folder.chmod(0o755)
        (folder / "pg").mkdir(mode=0o755)
        server = PostgresServer(folder / "pg")
        stack.callback(server.stop)
        url = asyncio.run(_database(server))
        network = Namespaces(HOSTS)
        stack.callback(network.remove)
        network.make()
        media = make_lab_clips(folder / "media")
        yield stack.enter_context(lab(network, folder / "machines", media, server, url))


async def _database(server: PostgresServer) -> str:
    await server.hurry()
    name = f"mcr_{os.getpid()}"
    await server.execute(f"CREATE DATABASE {name}")
    store = Store(server.url(name))
    await store.migrate()
    await store.close()
    return server.url(name)
