"""``mcr up``, ``down``, ``serve`` and ``status``: the supervisor itself."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli import background
from mcr_console.cli.commands import AsJson, Sure, confirm, home, with_supervisor
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.places import SYSTEM_SOCKET, Home, socket_to_use
from mcr_console.cli.playing import playing
from mcr_console.cli.progress import poll, waiting
from mcr_console.cli.service import how_to_keep_it_down, owner
from mcr_console.cli.wording import channel_line, counted, is_on_air
from mcr_console.client import Client
from mcr_console.http import Silent, Unreachable
from mcr_console.safe_text import safe
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.base import Schema
from supervisor.schemas.channel import Channel
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.node import Node

SHUT_DOWN_S = 30.0


def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Listen on TCP here too, beyond loopback by TLS alone. Callers need a token: mcr token add."),
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port (6270); 0 takes a free one.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The TCP door's certificate with its chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    node: Annotated[bool, typer.Option(help="Whether channels may play on this machine itself.")] = True,
) -> None:
    """Run the supervisor in the foreground. Ctrl-C shuts it down; playout goes on."""
    arguments: list[str] = [] if node else ["--no-node"]
    if host is not None:
        arguments += ["--host", host]
    if port is not None:
        arguments += ["--port", str(port)]
    for option, path in (("--tls-cert", tls_cert), ("--tls-key", tls_key)):
        if path is not None:
            arguments += [option, str(path.expanduser().absolute())]
    command = background.supervisor_command(*arguments)
    sys.stdout.flush()
    os.execve(command[0], command, home().environment())  # noqa: S606 - our own interpreter, no shell


def up() -> None:
    """Start the supervisor in the background, unless it runs. It takes charge of every channel that plays on."""

    async def run() -> str:
        before = len(playing(home()))
        socket, started = await background.ensure_supervisor(home())
        if not started:
            return f"The supervisor runs already: {socket}"
        words = f"Supervisor started: {socket}"
        return words + (f"\n{counted(before, 'channel')} played on and stay on air." if before else "")

    print(asyncio.run(run()))


def down(
    off_air: Annotated[bool, typer.Option("--off-air", help="Stop every channel first. Asks before it does.")] = False,
    yes: Sure = False,
) -> None:
    """Shut the supervisor down. Playout goes on, unless --off-air."""

    async def run(client: Client) -> str:
        channels = await client.channels()
        on_air = sum(is_on_air(channel.live) for channel in channels)
        if off_air:
            wanted = sum(channel.desired == "on" for channel in channels)
            confirm(_off_air_question(on_air, wanted), yes=yes)
            kept = await _end_supervisor(client, "taking every channel off air", off_air=True)
            await _until_none_plays(home())
            return f"Every channel is off air and the supervisor is shut down.{kept}"
        kept = await _end_supervisor(client, "shutting the supervisor down", off_air=False)
        if not on_air:
            return f"Supervisor shut down. No channel was on air.{kept}"
        stay = "stays" if on_air == 1 else "stay"
        return f"Supervisor shut down. {counted(on_air, 'channel')} {stay} on air; mcr up takes charge again.{kept}"

    try:
        print(with_supervisor(run))
    except Silent as error:
        raise background.stands_still(home()) from error
    except Unreachable as error:
        alive = len(playing(home()))
        if not alive and not off_air:
            print("No supervisor runs, and no channel plays.")
            return
        if not alive:
            print("No supervisor runs, and no channel plays. Nothing is left to stop.")
            return
        if off_air:
            print(f"No supervisor runs; {counted(alive, 'channel')} on air without one.", file=sys.stderr)
            confirm(_off_air_question(alive, alive), yes=yes)
            print(asyncio.run(_take_charge_and_end()))
            return
        raise Failure(
            "No supervisor runs",
            f"{counted(alive, 'channel')} {'plays' if alive == 1 else 'play'} on without one. {error.detail}",
            "mcr up takes charge of them; mcr down --off-air takes them off air.",
            code=Exit.UNREACHABLE,
        ) from error


async def _take_charge_and_end() -> str:
    """What plays without a supervisor is stopped by one: it alone knows what was meant and writes down what aired."""
    socket, _ = await background.ensure_supervisor(home())
    async with Client.at(socket=socket) as client:
        await _end_supervisor(client, "taking every channel off air", off_air=True)
    await _until_none_plays(home())
    return "Every channel is off air and no supervisor runs."


def _off_air_question(on_air: int, wanted: int) -> str:
    if not wanted and not on_air:
        return "No channel is on air. Shut the supervisor down?"
    more = f" ({counted(wanted, 'channel')} should be)" if wanted != on_air else ""
    return f"Take {counted(on_air, 'channel')} OFF AIR{more} and shut the supervisor down?"


async def _end_supervisor(client: Client, waiting_for: str, *, off_air: bool) -> str:
    """Shuts it down and waits until its process is gone. Raises Failure when it stays.

    The answer is a line about the service that it was, if it was one.
    """
    address = socket_to_use(home())
    try:
        pid = background.listener_pid(address)
        whose = owner(pid)
        process = os.pidfd_open(pid)
    except OSError as error:
        raise Unreachable("No supervisor there", f"{address}: {error.strerror}", "mcr up starts one.") from error
    try:
        async with waiting(waiting_for):
            try:
                await client.shut_down(off_air=off_air)
            except Silent as error:
                raise Failure(
                    "The supervisor did not say that it ends", f"{error.detail}. It may still do it.", "mcr status"
                ) from error
            if not await background.until_ended(process, SHUT_DOWN_S):
                raise Failure(
                    "The supervisor is still there", f"It was asked to end {SHUT_DOWN_S:g} s ago.", "mcr status"
                )
    finally:
        os.close(process)
    return "" if whose is None else f"\n{how_to_keep_it_down(whose)}"


async def _until_none_plays(here: Home) -> None:
    async def none_left() -> bool | None:
        return None if playing(here) else True

    if await poll(none_left, deadline_s=10.0) is None:
        pids = " ".join(str(sidecar.pid) for sidecar in playing(here))
        raise Failure("Not every channel is off air", f"These sidecars are still there: {pids}.", f"kill {pids}")


class StatusOut(Schema):
    """What ``mcr status --json`` prints."""

    supervisor: SupervisorInfo
    channels: tuple[Channel, ...]
    nodes: tuple[Node, ...]
    alarms: tuple[Alarm, ...]


def status(as_json: AsJson = False) -> None:
    """Say what is on air: one line a channel."""

    async def run(client: Client) -> StatusOut:
        supervisor, channels, nodes, alarms = await asyncio.gather(
            client.supervisor(), client.channels(), client.nodes(), client.alarms()
        )
        ordered = tuple(sorted(channels, key=lambda channel: channel.number))
        return StatusOut(supervisor=supervisor, channels=ordered, nodes=nodes, alarms=alarms)

    try:
        seen = with_supervisor(run)
    except Silent as error:
        raise background.stands_still(home()) from error
    except Unreachable as error:
        alive = len(playing(home()))
        detail = f"{counted(alive, 'channel')} {'plays' if alive == 1 else 'play'} on without one." if alive else ""
        raise Failure(
            error.title, f"{error.detail}\n{detail}".rstrip(), "mcr up starts one.", code=Exit.UNREACHABLE
        ) from error
    if as_json:
        print(seen.model_dump_json(indent=2))
        return
    for line in status_lines(seen, str(socket_to_use(home()))):
        print(line)


def status_lines(seen: StatusOut, where: str) -> list[str]:
    on_air = sum(is_on_air(channel.live) for channel in seen.channels)
    kind = "this machine's" if where == str(SYSTEM_SOCKET) else "at " + where
    role = "leader" if seen.supervisor.leader else "follower"
    count = f"{on_air} of {counted(len(seen.channels), 'channel')} on air"
    lines = [f"Supervisor {safe(seen.supervisor.name)} {seen.supervisor.version}, {kind}, {role}, {count}"]
    lines += [channel_line(channel) for channel in seen.channels]
    if not seen.channels:
        lines.append("There are no channels yet; mcr channel add makes one.")
    names = {channel.id: f"{channel.number} {channel.name}: " for channel in seen.channels}
    for alarm in seen.alarms:
        acknowledged = f", acknowledged by {safe(alarm.acknowledged_by)}" if alarm.acknowledged_by else ""
        whose = safe(names.get(alarm.channel_id or "", ""))
        lines.append(f"Alarm, {alarm.severity}: {whose}{safe(alarm.text)}{acknowledged}")
        if alarm.instruction:
            lines.append(f"  {safe(alarm.instruction)}")
    return lines
