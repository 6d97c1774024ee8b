"""``mcr demo``: what it does from the first word to the last process."""

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from mcr_console.cli.demo import headless
from mcr_console.cli.demo.clips import make_clips
from mcr_console.cli.demo.keeper import Keeper
from mcr_console.cli.demo.leash import Leash
from mcr_console.cli.demo.lineup import MOST, Lineup, is_unchanged
from mcr_console.cli.failures import Exit
from mcr_console.cli.places import Home
from mcr_console.cli.progress import Progress
from mcr_console.cli.screen import has_terminal, show_console
from mcr_console.cli.signals import run_until_signal
from mcr_console.cli.wording import is_settled_on_air
from mcr_console.client import Client
from mcr_console.http import Unreachable
from supervisor.schemas.channel import Channel

ON_AIR_S: Final = 30.0
"""After this the demo goes on with the channels that are there; the supervisor keeps at the others."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was asked for. ``seconds``: how long on air; None has no end."""

    media: Path | None
    headless: bool
    seconds: float | None
    channels: int


def demo_home(environment: dict[str, str]) -> Home:
    """The folder ``demo`` below the data directory, unless ``MCR_HOME`` names another."""
    home = Home.of(environment)
    chosen = bool(environment.get("MCR_HOME"))
    return Home(home.path if chosen else home.path / "demo", chosen=True)


def demo(
    media: Annotated[Path | None, typer.Option(help="Play this folder's files instead of clips made here.")] = None,
    without_screen: Annotated[
        bool, typer.Option("--headless", help="No console: print a JSON object a channel and second.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, metavar="SECONDS", help="End by itself after so long on air.")
    ] = None,
    channels: Annotated[int, typer.Option(min=1, max=MOST, help="How many channels.")] = 4,
) -> None:
    """Put four channels on air and open the console. Nothing is left behind when it ends, however it ends."""
    if media is not None and not media.is_dir():
        raise typer.BadParameter(f"{media} is no folder", param_hint="--media")
    if not without_screen and not has_terminal():
        print("mcr demo: no terminal here; going on as with --headless", file=sys.stderr)
        without_screen = True
    # What belongs to a real installation is no playground: the demo has a database of its own.
    os.environ.pop("MCR_DATABASE_URL", None)
    work = _demo(demo_home(dict(os.environ)), DemoOptions(media, without_screen, seconds, channels))
    raise typer.Exit(asyncio.run(run_until_signal(work)) or Exit.OK)


async def _demo(home: Home, options: DemoOptions) -> int:
    progress = Progress()
    leash = Leash()

    def say(sentence: str) -> None:
        # The console has the screen to itself; it shows a lost supervisor as a banner.
        if options.headless:
            print(f"mcr demo: {sentence}", file=sys.stderr, flush=True)

    keeper = Keeper(home, leash, say)
    try:
        progress.step("starting supervisor")
        await keeper.start()
        if options.media is None and not is_unchanged(home, home.clips):
            await make_clips(home.clips, leash, progress)
        progress.step("starting supervisor")
        async with Client.at(socket=home.socket) as client:
            await keeper.until_ready(client)
            keeping = asyncio.create_task(keeper.keep())
            try:
                return await _on_air(client, home, options, progress)
            finally:
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping
    finally:
        with contextlib.suppress(OSError):  # the terminal may be what was closed
            progress.step("ending the demo")
        await keeper.end()
        with contextlib.suppress(OSError):
            progress.done()


async def _on_air(client: Client, home: Home, options: DemoOptions, progress: Progress) -> int:
    """The exit code of what showed it; 0 when time or a signal ended it."""
    folder = (options.media or home.clips).absolute()
    lineup = Lineup(client, home, folder, options.channels, mixed=options.media is None)
    wanted = await lineup.prepare(progress)
    await lineup.start(wanted)
    await _until_on_air(client, wanted, progress)
    progress.done()
    ids = [channel.id for channel in wanted]
    shown = asyncio.create_task(
        headless.report(client, ids, lambda: datetime.now(UTC)) if options.headless else show_console(client, home)
    )
    try:
        done, _ = await asyncio.wait((shown,), timeout=options.seconds)
        return shown.result() if done else Exit.OK
    finally:
        shown.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shown


async def _until_on_air(client: Client, wanted: list[Channel], progress: Progress) -> None:
    """Returns when all are on air, or after a while with what there is, saying which are not."""
    ids = {channel.id for channel in wanted}
    loop = asyncio.get_running_loop()
    until = loop.time() + ON_AIR_S
    seen = list(wanted)
    while True:
        with contextlib.suppress(Unreachable):  # its keeper is starting it again; what was seen last still stands
            seen = [channel for channel in await client.channels() if channel.id in ids]
        waiting = [channel for channel in seen if not is_settled_on_air(channel.live)]
        progress.step(f"on air {len(seen) - len(waiting)}/{len(wanted)}")
        if not waiting or loop.time() >= until:
            break
        await asyncio.sleep(0.2)
    for channel in waiting:
        progress.done()
        print(f"mcr demo: {channel.number} {channel.name} is not on air yet: {channel.live.decision}", file=sys.stderr)
