"""A SQLite connection that a stuck disk cannot make wait for ever."""

import asyncio
import sqlite3
from typing import cast

import aiosqlite

CLOSING_TIMEOUT = 1.0
"""Seconds to close in good order. After them the thread is left alone: it ends by itself when its call returns."""


class Connection(aiosqlite.Connection):
    """Each has a thread of its own, in which SQLite may hang in the kernel; nobody waits for that one at the end."""

    def __init__(self, path: str) -> None:
        super().__init__(lambda: sqlite3.connect(path), iter_chunk_size=64)
        # Otherwise the interpreter would not exit while one hangs.
        self._thread.daemon = True

    async def close(self) -> None:
        """Raises ``TimeoutError`` when the thread hangs; what it was doing is undone or not when it returns."""
        if self._connection is None:
            return
        # aiosqlite does not say what its future is of.
        closed = cast("asyncio.Future[object] | None", self.stop())  # pyright: ignore[reportUnknownMemberType]
        if closed is not None:
            await asyncio.wait_for(closed, CLOSING_TIMEOUT)
