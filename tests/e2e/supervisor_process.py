"""A supervisor of one's own in a process of its own, with every process of its home found and ended at the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mcr_console.client import Client, ClientError

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, timeout: float = 15.0) -> T:
    """The first true value of ``look``, asked every 50 ms; an unreachable supervisor counts as not yet."""
    deadline = time.monotonic() + timeout
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = found = await look()
        except ClientError as error:
            last, found = error, None
        if found:
            return found
        time.sleep(0.05)  # noqa: ASYNC251 — nothing else runs on this loop, and what is waited for is in other processes
    raise TimeoutError(f"{what}: not within {timeout} s; last seen: {last!r}")


def processes_of(home: Path, module: str) -> dict[int, str]:
    """Processes of ``python -m <module>`` whose environment names ``home``, with their command line."""
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (folder / "environ").read_bytes()
            zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if f"-m {module}" in command and str(home).encode() in environment and not zombie:
            found[int(folder.name)] = command
    return found


class SupervisorProcess:
    """``python -m supervisor serve`` with ``home`` as MCR_HOME, started when entered."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home / "supervisor.stderr"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"MCR_HOME": str(self.home)}

    @property
    def media_root(self) -> Path:
        return self.home / "media"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> Client:
        return Client.at(socket=self.home / "run" / "mcr.sock")

    def start(self) -> None:
        self.home.mkdir(exist_ok=True, parents=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor", "serve", *self._arguments],
                env=self.environment, cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout: float = 15.0) -> int:
        assert self._process is not None
        return self._process.wait(timeout)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def sidecars(self) -> set[int]:
        return set(processes_of(self.home, "sidecar"))

    def __enter__(self) -> "SupervisorProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module in ("supervisor", "sidecar"):
            for pid in processes_of(self.home, module):
                try:
                    os.kill(pid, signal.SIGCONT)
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        if self._process is not None:
            self._process.wait(10)
        if kind is not None and self.log.exists():
            sys.stderr.write(self.log.read_text()[-4000:])
