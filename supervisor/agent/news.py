"""The number that grows with everything new, and waiting for it."""

import asyncio


class News:
    """One agent's. Whoever waits is woken by everything new and looks for himself."""

    def __init__(self) -> None:
        self.number = 0
        self._came = asyncio.Event()

    def tell(self) -> None:
        self.number += 1
        self._came.set()
        self._came = asyncio.Event()

    async def wait(self, timeout: float) -> None:
        """Until the next piece of news, at most ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._came.wait()
        except TimeoutError:
            return
