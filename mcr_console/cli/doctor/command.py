"""``mcr doctor``: looks at everything and says what it found."""

import asyncio
import json
import os
from collections.abc import Callable

import typer

from mcr_console.cli.commands import AsJson
from mcr_console.cli.doctor import machine, media, storage, surroundings
from mcr_console.cli.doctor.finding import Finding
from mcr_console.cli.failures import Exit
from mcr_console.cli.places import Home, socket_to_use
from mcr_console.cli.progress import Progress
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.http import ClientError, Silent
from supervisor.schemas.node import Node


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can and cannot do, and what to do about it."""
    found = examine(Home.of(os.environ))
    if as_json:
        print(json.dumps([finding.as_json() for finding in found], indent=2))
    else:
        for finding in found:
            print("\n".join(finding.lines()))
        print(verdict(found))
    if any(finding.verdict == "missing" for finding in found):
        raise typer.Exit(Exit.FAILED)


def examine(home: Home) -> list[Finding]:
    progress = Progress(on_terminal_only=True)
    version, wanted, keeps, nodes = asyncio.run(_ask_supervisor(home))
    checks: list[tuple[str, Callable[[], Finding | list[Finding]]]] = [
        ("Python", machine.python),
        ("media libraries", media.media),
        ("file system", lambda: storage.file_system(home)),
        ("disk space", lambda: storage.space(home)),
        ("disk speed", lambda: storage.speed(home)),
        ("processors", lambda: machine.processors(wanted)),
        ("memory", machine.memory),
        ("clock", machine.clock),
        ("open files", machine.open_files),
        ("ports", surroundings.ports),
        ("API port", surroundings.tcp_port),
        ("terminal", surroundings.terminal),
        ("systemd", surroundings.systemd),
        ("Docker", surroundings.docker),
        ("DeckLink", surroundings.decklink),
        ("DeckLink capture", surroundings.decklink_capture),
        ("agents", lambda: surroundings.agents(nodes)),
        ("supervisor", lambda: surroundings.supervisor(home, version)),
        ("what is kept", lambda: surroundings.retention(keeps)),
    ]
    found: list[Finding] = []
    for number, (name, check) in enumerate(checks, 1):
        progress.step(f"looking at {name} ({number}/{len(checks)})")
        answer = check()
        found += answer if isinstance(answer, list) else [answer]
    progress.clear()
    return found


async def _ask_supervisor(home: Home) -> tuple[str | None, int | None, str, tuple[Node, ...]]:
    """Its version, how many channels should be on air, what it keeps how long, and its nodes; None and empty when none
    is there. A version that is empty: one listens and does not answer."""
    try:
        async with Client.at(socket=socket_to_use(home)) as client:
            info = await client.supervisor()
            channels = await client.channels()
            nodes = await client.nodes()
    except Silent:
        return "", None, "", ()
    except ClientError:
        return None, None, "", ()
    return info.version, sum(channel.desired == "on" for channel in channels), info.keeps, nodes


def verdict(found: list[Finding]) -> str:
    missing = sum(finding.verdict == "missing" for finding in found)
    warnings = sum(finding.verdict == "warning" for finding in found)
    if missing:
        return f"Channels cannot play here yet: {counted(missing, 'thing')} missing."
    if warnings:
        return f"Channels can play here. {counted(warnings, 'warning')}."
    return "Channels can play here."
