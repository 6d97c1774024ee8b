"""``mcr console``: the console with all its choices, also of a supervisor on another machine."""

import asyncio
import ipaddress
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from mcr_console.cli import background
from mcr_console.cli.commands import home
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.screen import has_terminal, show_console
from mcr_console.cli.signals import run_until_signal
from mcr_console.client import Client

_TOKEN_BYTES: Final = 4096

Connect = Annotated[
    str | None,
    typer.Option("--connect", metavar="URL", help="A supervisor on TCP, as in https://mcr.example:8443."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", envvar="MCR_TOKEN_FILE", help="Holds the token: a copy of $MCR_HOME/token."),
]
Authority = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="Certificates (PEM) that vouch for the URL, beside this machine's own."),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")]


def console(
    connect: Connect = None, token_file: TokenFile = None, authority: Authority = None, read_only: ReadOnly = False
) -> None:
    """Open the console. --connect: of a supervisor elsewhere; else of this machine's, which is started if need be."""
    open_console(connect, token_file, authority, read_only=read_only)


def open_console(
    connect: str | None = None,
    token_file: Path | None = None,
    authority: Path | None = None,
    *,
    read_only: bool = False,
) -> None:
    """Raises Failure, and typer.Exit at the end."""
    if not has_terminal():
        raise Failure(
            "The console needs a terminal",
            "Input, output or standard error is not one; the console is drawn to the last.",
            "mcr status prints what is on air; mcr --help lists the commands.",
            code=Exit.USAGE,
        )

    async def run() -> int:
        if connect is not None:
            reached = connected(connect, token_file, authority, read_only=read_only)
        else:
            socket, _ = await background.ensure_supervisor(home())
            reached = Client.at(socket=socket, read_only=read_only)
        async with reached as client:
            return await show_console(client, home(), read_only=read_only)

    raise typer.Exit(asyncio.run(run_until_signal(run())) or Exit.OK)


def connected(url: str, token_file: Path | None, authority: Path | None = None, *, read_only: bool = False) -> Client:
    """A client of the supervisor at ``url``. Raises Failure where the token would go out in the clear or is missing."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise Failure("This is no address of a supervisor", url, "Write https://HOST:PORT.", code=Exit.USAGE)
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise Failure(
            "The token would go out in the clear",
            f"{url} is neither https nor this machine.",
            "Use https:// (docs/remote.md says how), or http://127.0.0.1 through an SSH tunnel.",
            code=Exit.USAGE,
        )
    if token_file is None:
        raise Failure(
            "Which token?",
            f"The supervisor at {url} asks for one.",
            "--token-file names a file that holds it: a copy of $MCR_HOME/token of that supervisor.",
            code=Exit.USAGE,
        )
    try:
        token = token_file.read_text(encoding="ascii")[:_TOKEN_BYTES].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure("The token cannot be read", f"{token_file}: {error}", code=Exit.USAGE) from error
    if not token or not token.isprintable() or " " in token:
        raise Failure("This is no token", f"{token_file} holds something else.", code=Exit.USAGE)
    try:
        return Client.at(url=url.rstrip("/"), token=token, authority=authority, read_only=read_only)
    except OSError as error:
        raise Failure(
            "The certificates cannot be read", f"{authority}: {error}", "--ca names a PEM file.", code=Exit.USAGE
        ) from error


def _is_this_machine(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
