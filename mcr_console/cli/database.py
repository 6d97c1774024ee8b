"""``mcr db …``: the supervisor's database, with no supervisor needed."""

import os
import sys

from mcr_console.cli.commands import group, home

app = group("The supervisor's database.")


@app.callback()
def database() -> None:
    """The supervisor's database."""


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. SQLite needs it never: every start of a supervisor does it."""
    command = [sys.executable, "-P", "-m", "supervisor", "db-upgrade"]
    sys.stdout.flush()
    os.execve(command[0], command, home().environment())  # noqa: S606 - our own interpreter, no shell
