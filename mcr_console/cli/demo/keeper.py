"""Keeps the demo's supervisor: on the leash, started again when it dies, ended with everything it started."""

import asyncio
import contextlib
import math
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Final

from mcr_console.cli import background
from mcr_console.cli.demo.leash import Leash
from mcr_console.cli.failures import Failure
from mcr_console.cli.places import Home
from mcr_console.cli.playing import is_locked, playing
from mcr_console.cli.progress import poll
from mcr_console.client import Client
from mcr_console.http import ClientError

_RESTART_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses before a supervisor is started again; the last one has no end."""
_SETTLED_S: Final = 60.0
"""A supervisor that lived so long sets the pauses back."""
_EARLIER_DEMO_S: Final = 8.0
_WELL: Final = 10
"""Answers in a row, a tenth of a second apart, that say a supervisor means to stay."""
_SHUT_DOWN_S: Final = 15.0


class Keeper:
    """Owns the supervisor child. ``report`` gets a sentence for every death and every new start."""

    def __init__(self, home: Home, leash: Leash, report: Callable[[str], None]) -> None:
        self._home = home
        self._leash = leash
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts it and returns at once. Raises Failure when somebody else is at work in this home."""
        await self._nobody_else()
        self._spawn()

    async def until_ready(self, client: Client) -> None:
        if self._child is None:
            raise RuntimeError("start() comes first")
        await background.until_ready(self._home, client, self._child, background.START_S)

    async def keep(self) -> None:
        """Watches the child for ever. One that was shut down on purpose (exit code 0) is left alone."""
        deaths = 0
        loop = asyncio.get_running_loop()
        while self._child is not None:
            born = loop.time()
            code = await background.until_gone(self._child, math.inf) or 0
            if code == 0:
                self._report("the supervisor was shut down; playout goes on until the demo ends")
                return
            deaths = 0 if loop.time() - born > _SETTLED_S else deaths
            self._report(f"the supervisor died ({_how(code)}); starting it again, playout goes on")
            deaths = await self._start_again(deaths)

    async def _start_again(self, deaths: int) -> int:
        """How many deaths and failed starts there were by then."""
        while True:
            await asyncio.sleep(_RESTART_S[min(deaths, len(_RESTART_S) - 1)])
            deaths += 1
            try:
                self._spawn()
            except Failure as failure:
                self._report(f"{failure.title}: {failure.detail}")
            else:
                return deaths

    async def end(self) -> None:
        """Everything off air and gone. Never raises; what does not go by itself is killed.

        Where ``start`` never came to a child, whatever lives there is somebody else's and stays.
        """
        child = self._child
        if child is None:
            self._leash.let_go()
            return
        async with Client.at(socket=self._home.socket) as client:
            with contextlib.suppress(ClientError):  # the leash below reaches what a silent supervisor does not
                async with asyncio.timeout(_SHUT_DOWN_S):
                    await client.shut_down(off_air=True)
                await background.until_gone(child, _SHUT_DOWN_S)
        self._leash.let_go()
        if await background.until_gone(child, 5.0) is None:
            child.kill()
            await background.until_gone(child, 5.0)
        await poll(self._all_gone, deadline_s=5.0)
        for sidecar in playing(self._home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(sidecar.pid, signal.SIGKILL)
        await poll(self._all_gone, deadline_s=2.0)

    async def _all_gone(self) -> bool | None:
        return None if playing(self._home) else True

    def _spawn(self) -> None:
        fd = self._leash.read_fd
        self._child = background.spawn(self._home, "--leash-fd", str(fd), pass_fds=(fd,))

    async def _nobody_else(self) -> None:
        """What an earlier demo left is on its way out: it gets a moment. Raises Failure when it stays."""

        well = 0
        async with Client.at(socket=self._home.socket) as client:

            async def alone() -> bool | None:
                nonlocal well
                if not is_locked(self._home) and not playing(self._home):
                    return True
                # One that takes commands is not on its way out; right after a kill -9 it may not know yet that it is.
                well = well + 1 if await background.is_ready(client) else 0
                return False if well >= _WELL else None

            if await poll(alone, deadline_s=_EARLIER_DEMO_S):
                return
        raise Failure(
            "Another supervisor is at work there",
            f"{self._home.path} is in use, by another demo perhaps.",
            f"End it, or: export MCR_HOME={self._home.path}; mcr up; mcr down --off-air. "
            "Or let this demo have a home of its own: MCR_HOME=/tmp/another mcr demo",
        )


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
