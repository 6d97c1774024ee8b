"""``mcr bench`` on real channels: it says what it measured, and nothing of it is left."""

import json
from pathlib import Path

import pytest

from tests.fixtures.homes import TestHome
from tests.fixtures.small_clips import make_small_clip

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(420)]


MARK = "BENCH_OF_TEST"
"""In the environment of all that this test's own bench starts: others may measure on this machine, too."""


def started(mark: str) -> list[str]:
    """Command lines of whatever lives in a home of a bench with ``mark``."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            if b"MCR_HOME=/tmp/mcrbench" in environment and f"{MARK}={mark}".encode() in environment.split(b"\0"):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def test_it_measures_channels_one_by_one_and_leaves_nothing(
    home: TestHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, str(home.path))
    make_small_clip(tmp_path / "one.mp4", frames=100)
    done = home.mcr("bench", "--channels", "1", "--seconds", "2", "--media", str(tmp_path), "--json", timeout_s=360)
    told = json.loads(done.stdout)
    (step,) = told["steps"]
    assert step["on_air"], done.stderr
    assert step["frames"] > 0
    assert step["cores"] > 0
    assert step["memory_mib"] > 20
    assert done.returncode == (0 if told["carried"] else 1)
    assert started(str(home.path)) == []
