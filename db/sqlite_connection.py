"""A SQLite connection that a stuck disk cannot make wait for ever."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from functools import partial
from typing import cast

import aiosqlite
from aiosqlite.core import _STOP_RUNNING_SENTINEL  # pyright: ignore[reportPrivateUsage] - how its threads end

CLOSING_TIMEOUT = 1.0
"""Seconds to close in good order. After them the thread is left alone: it ends by itself when its call returns."""


class Connection(aiosqlite.Connection):
    """Each has a thread of its own, in which SQLite may hang in the kernel; nobody waits for that one at the end."""

    def __init__(self, path: str) -> None:
        super().__init__(partial(_open, path), iter_chunk_size=64)
        # Otherwise the interpreter would not exit while one hangs.
        self._thread.daemon = True

    def __del__(self) -> None:
        """Dropped by a cancellation in the middle of being opened: the thread closes the file and ends.

        aiosqlite would warn, and have the thread answer a loop that may be gone.
        """
        if self._connection is not None:
            # aiosqlite does not say what its queue's futures are of.
            self._tx.put_nowait((None, partial(_close_and_end, self._connection)))  # pyright: ignore[reportUnknownMemberType]

    async def close(self) -> None:
        """Raises ``TimeoutError`` when the thread hangs; what it was doing is undone or not when it returns."""
        if self._connection is None:
            return
        # aiosqlite does not say what its future is of.
        closed = cast("asyncio.Future[object] | None", self.stop())  # pyright: ignore[reportUnknownMemberType]
        if closed is not None:
            await asyncio.wait_for(closed, CLOSING_TIMEOUT)


def _close_and_end(connection: sqlite3.Connection) -> object:
    connection.close()
    return _STOP_RUNNING_SENTINEL


_creating = threading.Lock()


def _open(path: str) -> sqlite3.Connection:
    _create(path)
    return sqlite3.connect(path)


def _create(path: str) -> None:
    """Makes an absent file for its owner alone: URLs of outputs may carry secrets. SQLite gives its others that mode.

    A file that is there must not be opened here: closing any descriptor of it drops every POSIX lock this process has
    on it ("How To Corrupt An SQLite Database File", 2.2), and the next program that closes the database takes itself
    for the last one and deletes the log that our commits go to. Hence O_EXCL, and nobody else's connection before
    the new file's descriptor is closed.
    """
    with _creating, contextlib.suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
