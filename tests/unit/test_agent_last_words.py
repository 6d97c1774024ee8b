"""What an ended sidecar said last, as the supervisor's sentences show it."""

import json
from pathlib import Path

import pytest

from supervisor.agent.watched import last_words

RAISED = "Traceback (most recent call last):\n  File x\nOSError: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", ""),
        ("Killed\n\n", "Killed"),
        (json.dumps({"at": "2026-01-01", "level": "info", "event": "armed by ann", "epoch": 3}), "armed by ann"),
        (
            json.dumps({"event": "playout ends", "exception": RAISED}),
            "playout ends: OSError: [Errno 28] No space left on device",
        ),
        ('{"event": "cut of', '{"event": "cut of'),
        ('{"event": 7}', '{"event": 7}'),
        ("a \x1b[31mred\x00 line", "a ·[31mred· line"),
    ],
)
def test_it_is_one_line_in_words(tmp_path: Path, said: str, words: str) -> None:
    log = tmp_path / "sidecar.log"
    log.write_text(f"before\n{said}" if said else "")
    assert last_words(log) == words


def test_of_a_log_that_is_not_there_nothing_is_known(tmp_path: Path) -> None:
    assert last_words(tmp_path / "none.log") == ""
