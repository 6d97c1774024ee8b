"""Opens the console in this terminal."""

import asyncio
import gc
import os
import sys
from typing import Final

from mcr_console.__main__ import log_to
from mcr_console.cli.places import Home
from mcr_console.client import Client, new_command_id
from mcr_console.hands import station

_GIVE_BACK_S: Final = 5.0


def has_terminal() -> bool:
    """Keys come from stdin and Textual draws to stderr; what is printed before and after belongs there too."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


async def show_console(client: Client, home: Home, *, read_only: bool = False) -> int:
    """Runs the console until it is closed; its exit code. Closing it, or cancelling this, takes nothing off air."""
    # Textual takes a third of a second to load, which no other command is to wait for.
    from mcr_console.app import McrApp
    from mcr_console.preferences import preferences

    # What was loaded stays: looked through by every full collection it would hold up keys for a twentieth of a second.
    gc.freeze()
    log_to(home.console_log)
    client.sit(new_command_id(), station())
    app = McrApp(client, preferences=preferences(os.environ), read_only=read_only)
    running = asyncio.create_task(app.run_async())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        # The terminal is given back as it was: Textual does that when it exits, and not when its task is cancelled.
        app.exit()
        async with asyncio.timeout(_GIVE_BACK_S):
            await running
        raise
    return app.return_code or 0
