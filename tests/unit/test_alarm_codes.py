"""Whatever is alarmed has a code that a station can say something of."""

import re
from pathlib import Path

from supervisor.alarm_codes import ALARM_CODES
from supervisor.decisions.alarms import FACTS

ROOT = Path(__file__).parents[2] / "supervisor"
RAISED = re.compile(r"""wanted\[f?["']([a-z_]+)(?:\{\w+\})?["']\]""")


def test_every_code_that_is_raised_is_known() -> None:
    raised = {code for path in ROOT.rglob("*.py") for code in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert {"channel_dark", "schedule_late", "clock_offset"} <= raised
    assert {code for code in raised if not any(known.startswith(code) for known in ALARM_CODES)} == set()
    assert FACTS <= ALARM_CODES


def test_the_runbook_tells_of_every_code_and_of_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == ALARM_CODES
