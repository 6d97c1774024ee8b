"""Processes that this one starts, and that may outlive it."""

import contextlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from supervisor.agent.launcher import ProcessIdentity

PROC: Final = Path("/proc")


class _Child(subprocess.Popen[bytes]):
    """A process that may outlive this one (P5): ``Popen`` would warn of that at the end."""

    def __del__(self) -> None:
        """Leaves it running."""


_children: dict[int, _Child] = {}
"""Every process that this one started and has not reaped; kept so that none stays a zombie."""


def start(
    argv: Sequence[str], environment: Mapping[str, str], directory: str | None, log: str, pass_fds: Sequence[int]
) -> ProcessIdentity:
    """In a session of its own; stdin is empty, output is appended to ``log``. Blocks; raises OSError."""
    with Path(log).open("ab") as output:
        child = _Child(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    _children[child.pid] = child
    started = stat(child.pid)
    # Our own child that is not reaped yet always has an entry, however short its life was.
    assert started is not None
    return ProcessIdentity(boot_id(), child.pid, started[1])


def reap(pid: int) -> int | None:
    """The exit code of a child that is gone; None for one that is not, or is none of ours."""
    child = _children.get(pid)
    if child is None:
        return None
    code = child.poll()
    if code is not None:
        del _children[pid]
    return code


def kill(pid: int, timeout: float = 1.0) -> None:
    """Ends a child and reaps it, in at most ``timeout`` seconds; does nothing to a process that is none of ours."""
    child = _children.get(pid)
    if child is not None:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout)
        reap(pid)


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (field 22) of a process; None when there is none."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in field 2 may hold anything, brackets and spaces too.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
