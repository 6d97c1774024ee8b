"""What a soak's samples say: whether memory and descriptors stay, and the log accounts for every frame. Pure."""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bench.record import median

Line: TypeAlias = Mapping[str, Any]

FLAT_SHARE = 0.05
"""By how much of its mean a process's memory may grow over the second half.

Memory is what the process alone has written to (``Private_Dirty``), and of that the most in each window: a machine must
have room for that, and what a single sample finds depends on whether it fell into a seam, a proof or a call. A straight
line through these peaks says how much they grew while it was watched. What is bounded, but not full yet when the
judging begins, counts as growth: the ring of events and the database's caches are a few MiB, and fill within half an
hour of a soak's short clips.
"""
WINDOW_S = 300.0
DESCRIPTORS_MORE = 3
WARM_S = 120.0
"""A process that has just begun still fills its caches."""


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares, in units of the second value for one of the first; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def peaks(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The most in each window from the first of ``points`` on, by its middle in seconds. One that is not whole is
    left out: fewer samples find less. Where there is no whole one, the points themselves."""
    if not points or points[-1][0] - points[0][0] < WINDOW_S:
        return list(points)
    first = points[0][0]
    whole = int((points[-1][0] - first) / WINDOW_S)
    windows: list[list[float]] = [[] for _ in range(whole)]
    for at, value in points:
        number = int((at - first) / WINDOW_S)
        if number < whole:
            windows[number].append(value)
    return [(first + WINDOW_S * (number + 0.5), max(values)) for number, values in enumerate(windows) if values]


def figures(lines: Sequence[Line], hours: float) -> tuple[dict[str, object], list[str]]:
    """What is published, and what is wrong: each a sentence. ``hours`` is how long the whole soak is to take."""
    samples = [line for line in lines if line["what"] == "sample"]
    faults = [line for line in lines if line["what"] == "fault"]
    wrong: list[str] = []
    end = samples[-1]["s"] if samples else 0.0
    found: dict[str, object] = {"minutes": round(end / 60, 1), "of_minutes": round(hours * 60), "samples": len(samples)}
    found |= _faults(faults, wrong)
    late = [sample for sample in samples if sample["s"] >= end / 2]
    for process in ("supervisor", "agent", "steady"):
        found |= _process(process, samples, end / 2, wrong)
    if late:
        found["database_mib"] = round(late[-1]["database"] / 1024, 1)
        found["database_mib_per_hour"] = round(slope([(s["s"] / 3600, s["database"] / 1024) for s in late]), 1)
        found["loop_lag_ms"] = median([s["lag_ms"] for s in samples])
        found["cores_used"] = _cores(samples)
        found["machine_load"] = round(median([s["load"] for s in samples]), 1)
    found |= _proofs([line for line in lines if line["what"] == "proof"], wrong)
    found |= _clients(lines, wrong)
    return found, wrong


def _faults(faults: Sequence[Line], wrong: list[str]) -> dict[str, object]:
    back = [fault["back_s"] for fault in faults if fault["back_s"] is not None]
    wrong += [f"fault {f['number']} ({f['kind']}): {f['why']}" for f in faults if f["back_s"] is None]
    kinds = Counter(fault["kind"] for fault in faults)
    return {
        "faults": len(faults),
        **{f"faults_{kind}": count for kind, count in sorted(kinds.items())},
        "back_s": round(median(back), 2) if back else 0.0,
        "back_worst_s": round(max(back), 2) if back else 0.0,
        "never_back": len(faults) - len(back),
    }


def _process(name: str, samples: Sequence[Line], since: float, wrong: list[str]) -> dict[str, object]:
    """Of its longest life from ``since`` on, without its warm-up: another process begins anew."""
    lives: dict[int, list[tuple[float, Line]]] = {}
    born: dict[int, float] = {}
    for sample in samples:
        seen, at = sample["processes"].get(name), sample["s"]
        if seen is not None and at >= max(since, born.setdefault(seen["pid"], at) + WARM_S):
            lives.setdefault(seen["pid"], []).append((at, seen))
    if not lives:
        return {}
    life = max(lives.values(), key=len)
    points = peaks([(at, seen.get("dirty", seen["anon"]) / 1024) for at, seen in life])
    per_hour, watched = slope([(at / 3600, most) for at, most in points]), (life[-1][0] - life[0][0]) / 3600
    grown = per_hour * watched
    mean = sum(most for _, most in points) / len(points)
    quarter = max(1, len(life) // 4)
    first = median([seen["descriptors"] for _, seen in life[:quarter]])
    last = median([seen["descriptors"] for _, seen in life[-quarter:]])
    if grown > FLAT_SHARE * mean:
        said = ", ".join(f"{most:.0f}" for _, most in points)
        wrong.append(
            f"the memory of {name} grew by {grown:.1f} MiB of {mean:.0f} in {60 * watched:.0f} minutes; at most {said}"
        )
    if last > first + DESCRIPTORS_MORE:
        wrong.append(f"{name} has {last:.0f} descriptors open and had {first:.0f}")
    return {
        f"{name}_minutes_watched": round(60 * watched, 1),
        f"{name}_mib": round(mean, 1),
        f"{name}_peaks_mib": [round(most) for _, most in points],
        f"{name}_mib_per_hour": round(per_hour, 2),
        f"{name}_grown_mib": round(grown, 2),
        f"{name}_descriptors_first": first,
        f"{name}_descriptors_last": last,
        f"{name}_threads_worst": max(seen["threads"] for _, seen in life),
    }


def _cores(samples: Sequence[Line]) -> float:
    """All that the soak started, over the samples in which the same process was seen twice in a row."""
    used = passed = 0.0
    for before, after in itertools.pairwise(samples):
        passed += after["s"] - before["s"]
        used += sum(
            (seen["ticks"] - before["processes"][name]["ticks"]) / after["hz"]
            for name, seen in after["processes"].items()
            if before["processes"].get(name, {}).get("pid") == seen["pid"]
        )
    return round(used / passed, 2) if passed else 0.0


def _proofs(proofs: Sequence[Line], wrong: list[str]) -> dict[str, object]:
    newest = {proof["channel"]: proof for proof in proofs}
    for name, proof in newest.items():
        if not proof["holds"] or proof["unaccounted"] or proof["not_stored"]:
            wrong.append(f"the log of {name}: {json.dumps(proof)[:1500]}")
    total: Counter[str] = Counter()
    for proof in newest.values():
        total.update(
            {
                key: proof[key]
                for key in (
                    "span",
                    "aired",
                    "off_air",
                    "unaccounted",
                    "twice",
                    "inferred",
                    "faulty",
                    "not_stored",
                    "records",
                )
            }
        )
    return {f"frames_{key}" if key != "records" else key: value for key, value in total.items()}


def _clients(lines: Sequence[Line], wrong: list[str]) -> dict[str, object]:
    """Every life of the soak counts anew: the last line of each life is its sum."""
    total: Counter[str] = Counter()
    lives: dict[str, Mapping[str, int]] = {line["life"]: line["counts"] for line in lines if line["what"] == "clients"}
    for counts in lives.values():
        total.update(counts)
    wrong += [f"clients got {count} of {what}" for what, count in total.items() if what.startswith("unexpected")]
    return {
        f"calls_{what.replace(' ', '_')}" if what != "events" else what: count for what, count in sorted(total.items())
    }
