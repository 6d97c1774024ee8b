"""Who is at work in a home, seen without asking: a supervisor by its lock, sidecars by the pid each left behind."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from mcr_console.cli.places import Home


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar's process that lives."""

    pid: int
    channel_id: str
    state_dir: Path


def playing(home: Home, proc: Path = Path("/proc")) -> list[Sidecar]:
    """Live sidecars, oldest epoch first. Needs Linux's /proc; elsewhere it finds none."""
    found: list[Sidecar] = []
    for door in sorted(home.sidecars.glob("*/*/door.json")):
        try:
            pid = json.loads(door.read_bytes()).get("pid")
            environment = (proc / str(int(pid)) / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError, TypeError, AttributeError):
            continue  # half written, another user's, or gone: not a sidecar of ours that lives
        # A pid is given out again; the state directory in its environment says that it is still the same process.
        if f"MCR_STATE_DIR={door.parent}".encode() in environment:
            found.append(Sidecar(int(pid), door.parent.parent.name, door.parent))
    return found


def is_locked(home: Home) -> bool:
    """Whether a supervisor holds this home's lock."""
    try:
        lock = os.open(home.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
