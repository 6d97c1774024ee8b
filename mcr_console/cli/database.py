"""``mcr db …``: the supervisor's database, with no supervisor needed."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli.commands import Sure, confirm, group, home

app = group("The supervisor's database.")


@app.callback()
def database() -> None:
    """The supervisor's database."""


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. SQLite needs it never: every start of a supervisor does it."""
    _supervisor("db-upgrade")


@app.command()
def backup(path: Annotated[Path, typer.Argument(help="The file to write; must not be there.")]) -> None:
    """Write the whole database into one file, on air too, and check it: the file is read again and compared."""
    _supervisor("db-backup", "--", str(path))


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(help="A file that mcr db backup wrote.")],
    same_cluster: Annotated[
        bool, typer.Option("--same-cluster", help="It takes the place of what was backed up, and commands its nodes.")
    ] = False,
    yes: Sure = False,
) -> None:
    """Fill the database from a backup. The supervisor must be down; SQLite's file of before is kept beside.

    What is restored is a cluster of its own, which nodes of the other refuse, unless --same-cluster says otherwise.
    """
    confirm(f"Restore the database of {home().path} from {path}?", yes=yes)
    _supervisor("db-restore", *(("--same-cluster",) if same_cluster else ()), "--", str(path))


def _supervisor(*words: str) -> None:
    command = [sys.executable, "-P", "-m", "supervisor", *words]
    sys.stdout.flush()
    os.execve(command[0], command, home().environment())  # noqa: S606 - our own interpreter, no shell
