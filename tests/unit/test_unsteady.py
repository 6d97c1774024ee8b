"""CI's second look at a few tests that failed: alone, named, and never for one that is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unsteady import MOST, without_group

ROOT = Path(__file__).parent.parent.parent
ONCE = """
from pathlib import Path
def test_once():
    mark = Path(__file__).with_name("been")
    there = mark.exists()
    mark.touch()
    assert there
"""
WRONG = "def test_{0}():\n    assert False\n"


def run(where: Path, text: str, **environment: str) -> tuple[int, str]:
    (where / "test_it.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.unsteady", "-p", "no:cacheprovider", "-q", "test_it.py"],
        cwd=where, capture_output=True, text=True, timeout=60, check=False,
        # None of the plugins that are installed is needed here, and to load them takes longer than all else.
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "--junitxml=report.xml",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment,
        },
    )  # fmt: skip
    return done.returncode, done.stdout


def test_what_passes_alone_is_named_and_does_not_fail_ci(tmp_path: Path) -> None:
    code, said = run(tmp_path, ONCE, CI="true")
    assert code == 0, said
    assert "unsteady, if it passes alone: test_it.py::test_once" in said
    assert "1 failed" in said
    assert "passed alone" in said
    assert 'failures="1"' in (tmp_path / "report.xml").read_text(), "the report of all is written over"


def test_without_ci_a_failure_is_a_failure(tmp_path: Path) -> None:
    assert run(tmp_path, ONCE, CI="")[0] == 1


@pytest.mark.parametrize("text", [ONCE + WRONG.format("wrong"), ONCE + "".join(map(WRONG.format, range(MOST)))])
def test_what_fails_alone_too_and_more_than_a_few_fail(tmp_path: Path, text: str) -> None:
    code, said = run(tmp_path, text, CI="true")
    assert code == 1, said


def test_a_group_of_xdist_is_no_part_of_a_name() -> None:
    assert without_group("tests/a.py::test_x@tests/a.py") == "tests/a.py::test_x"
    assert without_group("tests/a.py::test_x[a@b]@docker") == "tests/a.py::test_x[a@b]"
    assert without_group("tests/a.py::test_x[a@b]") == "tests/a.py::test_x[a@b]"
