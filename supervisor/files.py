"""Small files that must be whole: the lock that says there is a supervisor, the note that says where, the node's id."""

import contextlib
import fcntl
import json
import os
import re
import sqlite3
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from db.models import new_id
from supervisor.errors import Conflict, Invalid


@contextlib.contextmanager
def only_supervisor(lock_path: Path) -> Generator[None]:
    """Holds the lock while the block runs: of a supervisor, or of a node's agent, which each has one memory to itself.

    Raises Conflict, naming the process, when another has it.

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
                f"a supervisor or an agent already runs here: process {owner} holds {lock_path}",
                conflict="already_running",
                hint="Use that one, or set MCR_HOME to run another beside it.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def swap_database(database: Path, new: Path) -> str:
    """Puts the SQLite database ``new`` in the place of another, which is kept under another name, whole: under which.

    Empty when there was none. The caller holds the lock. Raises Invalid, and nothing was changed, while somebody reads
    the old one: what is in its log would be lost.
    """
    _settle(new)
    aside = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    there = database.exists()
    if there:
        _settle(database)
        database.rename(aside)
    new.rename(database)
    _flush_directory(database.parent)
    return str(aside) if there else ""


def remove(path: Path) -> None:
    """What may be left of an earlier try."""
    path.unlink(missing_ok=True)


def _settle(database: Path) -> None:
    """All of it into its one file."""
    with contextlib.closing(sqlite3.connect(database, timeout=5.0)) as connection:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise Invalid(f"{database} is being read", hint="Wait until the backup, or whatever reads it, is done.")
    for leftover in (f"{database}-wal", f"{database}-shm"):
        Path(leftover).unlink(missing_ok=True)


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_note(path: Path, note: Mapping[str, object]) -> None:
    """Atomically, for programs that look for the supervisor."""
    write_whole(path, f"{json.dumps(note)}\n".encode())


def read_or_make_id(path: Path) -> str:
    """The id in ``path``: 32 hex digits, made once, for the one that holds the lock. Raises Invalid for anything else.

    On the disk before it is told: what it names is found by it ever after.
    """
    if not path.exists():
        write_whole(path, f"{new_id()}\n".encode())
    text = path.read_text("ascii", "replace").strip()
    if re.fullmatch("[0-9a-f]{32}", text) is None:
        raise Invalid(f"{path} holds no id", hint="Restore it. If you delete it, this is a new node.")
    return text


def write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by this user alone, and on the disk when this returns."""
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError:
        new.unlink(missing_ok=True)
        raise
