"""Says on stderr what is being waited for, so that a wait is never silent and stdout stays data."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from mcr_console.safe_text import safe

T = TypeVar("T")


class Progress:
    """One line that is written over on a terminal, a line a step elsewhere."""

    def __init__(self, *, on_terminal_only: bool = False) -> None:
        self._silent = on_terminal_only and not sys.stderr.isatty()
        self._terminal = sys.stderr.isatty()
        self._shown = ""

    def step(self, text: str) -> None:
        text = safe(text)
        if text == self._shown or self._silent:
            return
        if self._terminal:
            print(f"\r{text:<{len(self._shown)}}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
        self._shown = text

    def done(self) -> None:
        """Leaves the last step standing and goes to the next line."""
        if self._terminal and self._shown:
            print(file=sys.stderr, flush=True)
        self._shown = ""

    def clear(self) -> None:
        """Takes the line away again."""
        if self._terminal and self._shown:
            print(f"\r{'':<{len(self._shown)}}\r", end="", file=sys.stderr, flush=True)
        self._shown = ""

    @property
    def counts_seconds(self) -> bool:
        return self._terminal


@contextlib.asynccontextmanager
async def waiting(text: str) -> AsyncGenerator[None]:
    """Shows ``text`` with the seconds that have passed, for as long as the block takes."""
    progress = Progress()
    began = time.monotonic()

    async def count() -> None:
        while True:
            await asyncio.sleep(1)
            progress.step(f"{text} {time.monotonic() - began:.0f} s")

    progress.step(text)
    counter = asyncio.create_task(count()) if progress.counts_seconds else None
    try:
        yield
    finally:
        if counter is not None:
            counter.cancel()
        progress.done()


async def poll(ask: Callable[[], Awaitable[T | None]], *, deadline_s: float, every_s: float = 0.1) -> T | None:
    """Asks until the answer is not None; None when the deadline has passed."""
    until = time.monotonic() + deadline_s
    while True:
        answer = await ask()
        if answer is not None or time.monotonic() >= until:
            return answer
        await asyncio.sleep(every_s)
