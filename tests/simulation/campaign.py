"""Many seeds in a few processes: results written as they come, resumed where they were left, held against floors."""

import gc
import hashlib
import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.simulation.run import Result, run_seed
from tests.simulation.world import warm_up

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / ".simulation"
_CODE: Final = ("supervisor", "db", "sidecar/protocol", "sidecar/rundown", "sidecar/control", "tests/simulation")
FLOORS: Final = {
    "virtual hours": 5.4,
    "faults": 1300.0,
    "failovers": 75.0,
    "fences": 105.0,
    "refusals": 95.0,
    "leases": 4000.0,
    "leaders": 220.0,
    "world: several supervisors": 17.0,
    "world: three nodes": 11.0,
    "world: hls": 20.0,
    "world: udp": 20.0,
    "world: rtmp": 6.0,
    "world: hold": 6.0,
    "world: both": 6.0,
    "world: sdi": 9.0,
}
"""For 100 seeds; fewer would mean that the simulation does not try hard enough any more."""


_SEEDS_A_LIFE: Final = 25
"""Seeds after which a process makes room for another. What is left of their worlds goes with it, unlooked at: to find
and free it one by one took a twentieth of the time."""
_SILENT_S: Final = 300
"""Seconds without any result after which something is wrong: a seed has a minute of processor."""


def code_version() -> str:
    """A hash of all code that a result depends on."""
    digest = hashlib.sha256()
    for folder in _CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def run_all(seeds: Iterable[int], processes: int = 2) -> Iterator[dict[str, Any]]:
    """Results in no order: first those that are there from before, then the new ones as they come."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{code_version()}.jsonl"
    wanted = list(seeds)
    known: dict[int, dict[str, Any]] = {}
    if path.exists():
        known = {it["seed"]: it for it in map(json.loads, path.read_text().splitlines())}
    for seed in wanted:
        if seed in known:
            yield known[seed]
    left = [seed for seed in wanted if seed not in known]
    warm_up()
    with multiprocessing.get_context("fork").Pool(processes, gc.disable, (), _SEEDS_A_LIFE) as pool:
        coming = pool.imap_unordered(_one, left)
        with path.open("a") as file:
            for _ in left:
                result = coming.next(timeout=_SILENT_S)
                file.write(json.dumps(result) + "\n")
                file.flush()
                yield result


def _one(seed: int) -> dict[str, Any]:
    return asdict(run_seed(seed))


def floors_missed(results: list[dict[str, Any]]) -> list[str]:
    """What there was too little of."""
    there = totals(results)
    share = len(results) / 100
    return [
        f"{name}: {there[name]:.0f}, the floor for {len(results)} seeds is {floor * share:.0f}"
        for name, floor in FLOORS.items()
        if there[name] < floor * share
    ]


def totals(results: list[dict[str, Any]]) -> Counter[str]:
    """Summed over all seeds, faults by kind."""
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result["counts"])
    there: Counter[str] = Counter(
        {
            "failovers": counts["failover"],
            "fences": counts["fence"],
            "refusals": sum(count for name, count in counts.items() if name.startswith("refused")),
            "leases": counts["lease"],
            "leaders": counts["leader"],
            "faults": sum(count for name, count in counts.items() if name.startswith("fault: ")),
        }
    )
    there["virtual hours"] = sum(result["virtual_s"] for result in results) / 3600  # type: ignore[assignment]
    for name, count in counts.items():
        if name.startswith(("fault: ", "refused: ", "world: ")):
            there[name] = count
    return there


def report(results: list[dict[str, Any]]) -> str:
    """For people."""
    there = totals(results)
    lines = [
        f"{len(results)} seeds, {sum(it['cpu_s'] for it in results) / max(1, len(results)):.2f} s of processor each"
    ]
    lines += [f"  {there[name]:10.1f} {name}" for name in FLOORS]
    lines += [f"  {there[name]:10.0f} {name}" for name in sorted(there) if ": " in name and name not in FLOORS]
    return "\n".join(lines)


def said(result: dict[str, Any]) -> str:
    return str(Result(**{**result, "faults": tuple(result["faults"]), "last": tuple(result["last"])}))


def main(seeds: int, first: int = 0, processes: int = 2) -> int:
    """The exit code: 1 for a violation or a floor that was missed."""
    results: list[dict[str, Any]] = []
    wrong = 0
    for result in run_all(range(first, first + seeds), processes):
        results.append(result)
        if result["faults"]:
            wrong += 1
            sys.stdout.write(said(result) + "\n")
        if len(results) % 50 == 0:
            sys.stdout.write(f"{len(results)} of {seeds} seeds, {wrong} with a violation\n")
        sys.stdout.flush()
    missed = floors_missed(results)
    sys.stdout.write(report(results) + "\n" + "".join(f"too little of {it}\n" for it in missed))
    return 1 if wrong or missed else 0
