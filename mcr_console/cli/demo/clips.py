"""Makes the demo's own clips, once, by running their generator."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

from mcr_console.cli.demo.leash import Leash
from mcr_console.cli.failures import Failure
from mcr_console.cli.progress import Progress

_PROGRESS = re.compile(r"clip (\d+)/(\d+)")
_SAID_AT_LAST = 20  # lines kept for the report of a failure


async def make_clips(folder: Path, leash: Leash, progress: Progress) -> None:
    """Makes what is missing in ``folder``; clips that are there are kept. Raises Failure."""
    said: list[str] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "mcr_console.cli.demo.leashed", str(leash.read_fd),
        sys.executable, "-P", "-m", "sidecar.clips", "--out", str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(leash.read_fd,),
    )  # fmt: skip
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for and not made")
    try:
        async for raw in process.stdout:
            text = raw.decode("utf-8", "replace").strip()
            found = _PROGRESS.search(text)
            if found:
                progress.step(f"making clips {found[1]}/{found[2]}")
            elif text:
                said = [*said[-_SAID_AT_LAST:], text]
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a generator that was cut short, with its workers
    if code:
        detail = "\n".join([f"The generator ended with code {code}.", *said[-6:]])
        raise Failure("No clips were made", detail, "mcr doctor says what this machine lacks; --media plays your own.")
