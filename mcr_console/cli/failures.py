"""How a command fails: a title, what happened to what, what to do, and the exit code."""

import sys
from enum import IntEnum

from mcr_console.safe_text import safe


class Exit(IntEnum):
    """Exit codes of every command. 69 is EX_UNAVAILABLE of sysexits.h, 75 is EX_TEMPFAIL."""

    OK = 0
    FAILED = 1
    """It was refused, or it broke."""
    USAGE = 2
    FOLLOWS = 75
    """The supervisor that was asked follows another, which takes commands. Ask the leader."""
    UNREACHABLE = 69
    """No supervisor answered; what was asked may still have been done if it was asked before it fell silent."""


class Failure(Exception):
    """Ends a command. It is shown on stderr as title, detail and hint; never a traceback."""

    def __init__(self, title: str, detail: str = "", hint: str = "", *, code: Exit = Exit.FAILED) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint
        self.code = code


def show(failure: Failure) -> None:
    print(f"mcr: {safe(failure.title)}", file=sys.stderr)
    for line in (failure.detail, failure.hint):
        for part in line.splitlines():
            print(f"  {safe(part)}", file=sys.stderr)
