"""A look at the store's rows that is begun anew as soon as the store is known to answer again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Look:
    """One at a time; belongs to one event loop.

    What was asked while the way to the store was cut is answered late or never, and its deadline is long, as a slow
    store is not an absent one. A lease that was just taken proves that the store answers now.
    """

    def __init__(self) -> None:
        self._scope: asyncio.Timeout | None = None

    async def take(self, once: Callable[[], Awaitable[T]]) -> T:
        """What ``once`` comes to when it is not asked for ``anew`` meanwhile. It must bear being cancelled."""
        while True:
            scope = asyncio.timeout(None)
            try:
                async with scope:
                    self._scope = scope
                    return await once()
            except TimeoutError:
                if not scope.expired():
                    raise
            finally:
                self._scope = None

    def anew(self) -> None:
        """The look that is under way is given up and begun again; without one nothing happens."""
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())
