"""Opens the console in this terminal."""

import asyncio
import sys

from mcr_console.client import Client


def has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


async def show_console(client: Client) -> None:
    """Runs the console until it is closed. Closing it, or cancelling this, takes nothing off air."""
    # Textual takes a third of a second to load, which no other command is to wait for.
    from mcr_console.app import ConsoleApp

    app = ConsoleApp(client)
    running = asyncio.create_task(app.run_async())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        # The terminal is given back as it was: Textual does that when it exits, and not when its task is cancelled.
        app.exit()
        async with asyncio.timeout(5.0):
            await running
        raise
