"""Ends work in order when a signal asks for it."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_signal(work: Coroutine[Any, Any, T]) -> T | None:
    """Runs ``work``; Ctrl-C, SIGTERM and a closed terminal cancel it, and the answer then is None.

    Its ending takes as long as it takes: no second signal cuts that short. What was ignored when this began stays
    ignored: that is what nohup is for.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    asked = False

    def ask() -> None:
        nonlocal asked
        if not asked:
            asked = True
            task.cancel()

    for number in heeded:
        loop.add_signal_handler(number, ask)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return None
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
