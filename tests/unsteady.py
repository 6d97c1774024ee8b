"""With CI=true a few tests that failed among the others are run again alone, and named (decision 0024).

What passes alone is *unsteady*: a race in the test or in the product, which somebody has to find. It is told as a
failure among the others, with all that it printed; only the run's verdict is spared. What fails alone too, and more
than ``MOST``, fails the run.
"""

import os
import subprocess
import sys
from typing import Final

import pytest

MOST: Final = 3
DEADLINE_S: Final = 300.0
_ALONE: Final = "MCR_TESTS_ALONE"


class Unsteady:
    def __init__(self) -> None:
        self.failed: list[str] = []
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        node = without_group(report.nodeid)
        if report.failed and node not in self.failed:
            self.failed.append(node)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus != pytest.ExitCode.TESTS_FAILED or not 0 < len(self.failed) <= MOST:
            return
        self.lines = [f"unsteady, if it passes alone: {node}" for node in self.failed]
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *self.failed]
        # Options of the shell around are the whole run's: its report of all tests is not to be written over.
        environment = {**os.environ, _ALONE: "1", "PYTEST_ADDOPTS": ""}
        try:
            done = subprocess.run(
                argv, env=environment, cwd=session.config.invocation_params.dir,
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.lines.append(f"they did not end within {DEADLINE_S:.0f} s alone")
            return
        self.lines += done.stdout.splitlines()[-40:]
        if done.returncode == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.OK
            self.lines.append("passed alone: the run is not failed for it; find out why it failed among the others")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.lines:
            terminalreporter.write_line(line, yellow=True)


def without_group(node: str) -> str:
    """A node id without the group that xdist adds behind an ``@``; parameters may hold one too."""
    before, at, group = node.rpartition("@")
    return before if at and "]" not in group and "::" in before else node


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true" and _ALONE not in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Unsteady(), "unsteady")
