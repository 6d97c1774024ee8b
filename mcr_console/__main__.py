"""``python -m mcr_console --socket PATH`` (or ``--url`` and ``--token-file``): the console, starting nothing else."""

import gc
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli.places import Home
from mcr_console.client import Client, new_command_id
from mcr_console.hands import station


def run_console(client: Client, log_file: Path | None = None) -> int:
    """Runs the console until the operator leaves it; returns the exit code. Faults go to ``log_file``."""
    # Here, because the command line should not load Textual for ``mcr status``.
    from mcr_console.app import McrApp
    from mcr_console.preferences import preferences

    gc.freeze()  # as ``show_console`` does
    log_to(log_file or Home.of(os.environ).console_log)
    app = McrApp(client, preferences=preferences(os.environ))
    app.run()
    return app.return_code or 0


def log_to(file: Path) -> None:
    """Sends the console's own log to a file of at most 2 MB and one before it; standard error is the screen."""
    logger = logging.getLogger("mcr_console")
    logger.propagate = False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(file, maxBytes=2_000_000, backupCount=1, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)


def main(
    socket: Annotated[Path | None, typer.Option(help="The supervisor's unix socket.")] = None,
    url: Annotated[str | None, typer.Option(help="A supervisor on TCP, as in http://127.0.0.1:6270.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bearer token for --url.")] = None,
    log_file: Annotated[Path | None, typer.Option(help="Where faults of the console are written.")] = None,
) -> None:
    """The console of a supervisor that runs already."""
    if (socket is None) == (url is None):
        raise typer.BadParameter("name --socket or --url, and not both")
    token = token_file.read_text(encoding="utf-8").strip() if token_file is not None else None
    client = Client.at(socket=socket, url=url, token=token).sit(new_command_id(), station())
    sys.exit(run_console(client, log_file))


if __name__ == "__main__":
    typer.run(main)
