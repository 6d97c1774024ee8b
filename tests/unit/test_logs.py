"""What is logged is one JSON object a line for programs, and a line of words for a person before a terminal."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

SAYS = (
    "import structlog\n"
    "from supervisor.logs import logging_to_stderr\n"
    "with logging_to_stderr():\n"
    "    log = structlog.get_logger('supervisor.part')\n"
    "    log.info('a channel is gone', channel='News\\n\\x1b[2J', token='hidden', left=1)\n"
    "    try:\n"
    "        raise ValueError('broken')\n"
    "    except ValueError:\n"
    "        log.exception('a task failed', task='beat')\n"
)
SIDECAR = (
    "import logging\n"
    "from sidecar import logs\n"
    "logs.configure(channel_id='1', epoch=2)\n"
    "logging.getLogger('sidecar.part').warning('no %s', 'picture')\n"
)


def lines(program: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in (done.stderr or done.stdout).splitlines()]


def test_for_programs_each_line_is_an_object_without_secrets() -> None:
    gone, failed = lines(SAYS)
    assert gone.pop("at").endswith("Z")
    assert gone == {
        "level": "info", "logger": "supervisor.part", "event": "a channel is gone", "channel": "News\n\x1b[2J",
        "token": "***", "left": 1,
    }  # fmt: skip
    assert (failed["level"], failed["task"]) == ("error", "beat")
    assert failed["exception"][0]["exc_type"] == "ValueError"


def test_a_sidecar_names_its_fields_as_the_supervisor_does() -> None:
    (said,) = lines(SIDECAR)
    assert said.pop("at").endswith("+00:00")
    assert said == {
        "level": "warning", "logger": "sidecar.part", "event": "no picture", "channel_id": "1", "epoch": 2
    }  # fmt: skip


def test_on_a_terminal_they_are_words_that_cannot_move_its_cursor() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-P", "-c", SAYS], stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:
        pass  # Linux says so when the last writer is gone
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    text = said.decode()
    assert " info    a channel is gone  channel='News\\n\\x1b[2J' token='***' left=1" in text
    assert "\x1b" not in text
    assert "ValueError: broken" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text.splitlines()[0])
