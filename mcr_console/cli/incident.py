"""``mcr incident``: one file to send when something went wrong."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcr_console import incident as bundle
from mcr_console.cli.commands import home, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.client import Client


def incident(
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; else into this folder.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=168, help="Events of the last so many hours.")] = 2,
) -> None:
    """Write state, events, as-run and logs into one file to send. It is written also while no supervisor answers."""
    now = datetime.now(UTC)
    path = (to or Path(bundle.file_name(now))).expanduser()
    here = home()

    async def run(client: Client) -> dict[str, bytes]:
        return await bundle.collect(client, now, hours=hours, logs=(here.log, here.console_log))

    parts = with_supervisor(run)
    try:
        bundle.write(path, parts)
    except OSError as error:
        raise Failure("The bundle is not written", f"{path}: {error.strerror}", "--to names another file.") from error
    print(f"{path}: {len(parts)} files. Read it before you send it.")
