"""A supervisor of one's own in a process of its own; the home it lives in finds and ends whatever is left."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mcr_console.client import Client, ClientError
from tests.fixtures.homes import TestHome, plays
from tests.fixtures.patience import patience

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, deadline_s: float = 15.0) -> T:
    """The first true value of ``look``; a supervisor that is unreachable or not ready counts as not yet."""
    deadline_s = patience(deadline_s)
    end = time.monotonic() + deadline_s
    last: object = None
    while time.monotonic() < end:
        try:
            last = found = await look()
        except ClientError as error:
            last, found = error, None
        if found:
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{what}: not within {deadline_s} s; last seen: {last!r}")


class SupervisorProcess:
    """``python -m supervisor serve`` in ``home``, with ``arguments``, started when entered."""

    def __init__(self, home: TestHome, *arguments: str) -> None:
        self.home = home
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home.path / "supervisor.stderr"

    @property
    def media_root(self) -> Path:
        return self.home.path / "media"

    def client(self) -> Client:
        return Client.at(socket=self.home.path / "run" / "mcr.sock")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor", "serve", *self._arguments], env=self.home.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout: float = 15.0) -> int:
        assert self._process is not None
        return self._process.wait(patience(timeout))

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def sidecars(self) -> set[int]:
        """Process ids of what plays."""
        return {pid for pid, command in self.home.processes().items() if plays(command)}

    def __enter__(self) -> "SupervisorProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        if kind is not None and self.log.exists():
            sys.stderr.write(self.log.read_text()[-4000:])
