"""Keeps a measurement with the machine it was taken on, so that a figure can be judged and repeated."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
Json = Mapping[str, object]


@cache
def machine() -> dict[str, object]:
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")),
        platform.processor(),
    )  # fmt: skip
    return {
        "processor": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "av": version("av"),
        "ffmpeg": ffmpeg_version(),
    }


def ffmpeg_version() -> str | None:
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    first = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=10).stdout
    return first.split()[2]


def keep(name: str, *, figures: Json, samples: Json) -> Path:
    """Writes ``bench/results/<name>.json``; ``figures`` are what the README's table is made of."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, timeout=10,
        cwd=RESULTS.parent,
    ).stdout.strip()  # fmt: skip
    document = {
        "name": name,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": machine(),
        "figures": figures,
        "samples": samples,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()), file=sys.stderr)
    return path


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` (0 to 1) of them do not exceed, to a tenth."""
    ordered = sorted(values)
    return round(float(ordered[min(len(ordered) - 1, int(len(ordered) * part))]), 1)
