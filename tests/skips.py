"""With CI=true a skip fails the run unless ``allowed_skips.txt`` lists it with its reason."""

import os
from pathlib import Path

import pytest

ALLOWED = Path(__file__).parent / "allowed_skips.txt"


def allowed() -> dict[str, str]:
    """Bare node id, to the reason it may be skipped for."""
    rows = (line.strip() for line in ALLOWED.read_text().splitlines())
    pairs = (row.partition(" | ") for row in rows if row and not row.startswith("#"))
    return {node: reason for node, _, reason in pairs if reason}


def bare(node: str) -> str:
    """A node id without its parameters and without the group that xdist adds to it behind an ``@``."""
    return node.partition("[")[0].partition("@")[0]


class SkipGuard:
    """Collects what was skipped, and turns a run with a skip nobody allowed into a failed one."""

    def __init__(self, allowed_nodes: dict[str, str]) -> None:
        self._allowed = allowed_nodes
        self.refused: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and bare(report.nodeid) not in self._allowed:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.refused.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.refused:
            terminalreporter.write_line(f"skipped, and not in {ALLOWED.name}: {line}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipGuard(allowed()), "skip-guard")
