"""Starts this user's supervisor in the background, as tmux does with its server."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.places import Home, socket_to_use
from mcr_console.cli.progress import poll, waiting
from mcr_console.client import Client
from mcr_console.http import ApiProblem, Silent, Unreachable

START_S: Final = 120.0
"""A first start migrates the database and makes its directories: about two seconds, and a hundred where the machine is
far too busy. One that has ended is not waited for."""

SILENT_S: Final = 10.0
"""Patience with a supervisor that listens and does not answer, before it is said."""

_CONNECT_S: Final = 2.0
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)
_LARGEST_LOG: Final = 16 * 1024 * 1024  # bytes; a longer one is put aside at the next start


def supervisor_command(*arguments: str) -> list[str]:
    """``-P``: what lies in the current directory is never imported in place of the program."""
    return [sys.executable, "-P", "-m", "supervisor", "serve", *arguments]


def spawn(home: Home, *arguments: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """A supervisor with a session of its own: no key press, closed terminal or log-out reaches it."""
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.log.parent.mkdir(mode=0o700, exist_ok=True)
        if home.log.exists() and home.log.stat().st_size > _LARGEST_LOG:
            home.log.replace(home.log.with_suffix(".log.1"))
        log = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(
            "No supervisor was started",
            f"{error.filename}: {error.strerror}",
            "Set MCR_HOME to a directory that you may write to.",
        ) from error
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            supervisor_command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=home.environment(),
            start_new_session=True,
            pass_fds=pass_fds,
        )
    finally:
        os.close(log)


async def is_ready(client: Client) -> bool:
    """False while nobody answers and while a supervisor is still getting ready. One that follows a leader is ready."""
    try:
        await client.ready()
    except Unreachable:
        return False
    except ApiProblem as problem:
        return problem.code == "follows" and bool(problem.extra.get("leader"))
    return True


async def is_alive(client: Client) -> bool | None:
    """Whether a supervisor answers there at all: also one that has lost its database, or that follows another.

    None where one listens and says nothing.
    """
    try:
        await client.alive()
    except Silent:
        return None
    except (Unreachable, ApiProblem):
        return False
    return True


async def ensure_supervisor(home: Home) -> tuple[Path, bool]:
    """The socket of a supervisor, and whether it was started here. Raises Failure when there is none.

    One that lives is enough: what it lacks it says itself, and its channels can be seen and taken all the same (P6).
    Beside one that stands still none is started: it holds the home.
    """
    address = socket_to_use(home)
    async with Client.at(socket=address) as client:
        alive = await is_alive(client)
        if alive is None:
            async with waiting("the supervisor does not answer, asking again"):
                alive = await poll(lambda: is_alive(client), deadline_s=SILENT_S)
        if alive is None:
            raise stands_still(home)
        if alive:
            return address, False
        if address != home.socket:
            raise Failure(
                "This machine's supervisor does not answer",
                f"{address} is there, but nobody answers.",
                "See what it says: systemctl status mcr. Or use one of your own: MCR_HOME=~/mcr mcr",
                code=Exit.UNREACHABLE,
            )
        async with waiting("starting supervisor"):
            process = spawn(home)
            await until_ready(home, client, process, START_S, stays=True)
    return address, True


def stands_still(home: Home) -> Failure:
    """What is said of a supervisor that listens and does not answer: who it is, and how to be rid of it."""
    address = socket_to_use(home)
    try:
        pid = listener_pid(address)
    except OSError:
        pid = None
    who, ends = (f"Process {pid}", f"kill -9 {pid}; mcr up") if pid is not None else ("Something", "end it; mcr up")
    log, ends = ("journalctl -u mcr", "systemctl restart mcr") if address != home.socket else (str(home.log), ends)
    return Failure(
        "The supervisor does not answer",
        f"{who} listens at {address} and says nothing. Playout goes on without it.",
        f"Its log: {log}. Where it stays so: {ends}",
        code=Exit.UNREACHABLE,
    )


async def until_ready(
    home: Home, client: Client, process: subprocess.Popen[bytes], deadline_s: float, *, stays: bool = False
) -> None:
    """Returns once a supervisor answers there. Raises Failure with the log's end when ``process`` ended before.

    ``stays``: whether a process that is not ready at the deadline goes on by itself.
    """

    async def ready_or_ended() -> bool | None:
        ended = process.poll() is not None
        if await is_ready(client):
            return True
        return False if ended else None

    answer = await poll(ready_or_ended, deadline_s=deadline_s)
    if answer:
        return
    if answer is None:
        raise Failure(
            "The supervisor is still starting",
            f"Process {process.pid} is at work, but not ready after {deadline_s:g} s.\n{log_end(home.log)}".rstrip(),
            f"{'It goes on by itself: see again with `mcr up`. ' if stays else ''}Its log: {home.log}",
            code=Exit.UNREACHABLE,
        )
    what = f"It ended with code {process.returncode}."
    raise Failure("The supervisor did not start", f"{what}\n{log_end(home.log)}", f"Its log: {home.log}")


def log_end(path: Path, lines: int = 6) -> str:
    """The last lines of a log, for people."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 8192))
            return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError as error:
        return f"(no log: {error.strerror})"


async def until_gone(process: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """Its exit code; None when it is still there after the deadline."""

    async def ended() -> int | None:
        return process.poll()

    return await poll(ended, deadline_s=deadline_s, every_s=0.05)


def listener_pid(address: Path) -> int:
    """The process that listens at a unix socket. Raises OSError when there is none."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECT_S)
        probe.connect(str(address))
        pid, _, _ = _UCRED.unpack(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return int(pid)


async def until_ended(pidfd: int, deadline_s: float) -> bool:
    """Whether the process ended before the deadline."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)  # a pidfd is readable once its process is gone: pidfd_open(2)
    try:
        async with asyncio.timeout(deadline_s):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pidfd)
    return True
