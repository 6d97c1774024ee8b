"""The supervisor's own files under ``run/``: the lock that says there is one, and the note that says where it is."""

import contextlib
import fcntl
import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path

from supervisor.errors import Conflict


@contextlib.contextmanager
def only_supervisor(lock_path: Path) -> Generator[None]:
    """Holds the lock while the block runs. Raises Conflict, naming the process, when another has it.

    The kernel gives it back when the process ends, however it ends. The file itself stays: one that is deleted while
    somebody waits for it would be two locks.
    """
    descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise Conflict(
                f"a supervisor already runs here: process {owner} holds {lock_path}",
                conflict="already_running",
                hint="Use that one, or set MCR_HOME to run another beside it.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def write_note(path: Path, note: Mapping[str, object]) -> None:
    """Atomically, for programs that look for the supervisor."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(note) + "\n", encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)
