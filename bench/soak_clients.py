"""Clients of a soak: consoles that stay, come and go, one that does not read, and readers of everything."""

import asyncio
import contextlib
import random
import socket
from collections import Counter
from contextlib import aclosing

from bench.soak_station import LOCAL, STEADY, Station
from mcr_console.client import ApiProblem, Client, ClientError, Event, new_command_id
from supervisor.schemas.channel import CommandIn

_EXPECTED = frozenset({409, 502, 503, 504})
"""A take that is refused or not carried out, and a supervisor or a sidecar that is just away."""


class Clients:
    """``run`` until cancelled; ``counts`` is what became of their calls."""

    def __init__(self, station: Station, seed: int) -> None:
        self._station = station
        self._dice = random.Random(f"{seed} clients")
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._console(None))
            group.create_task(self._come_and_go())
            group.create_task(self._deaf())
            group.create_task(self._work())

    async def crowd(self, size: int) -> None:
        """So many consoles at once, for some seconds."""
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(self._console(self._dice.uniform(3, 12)))

    async def _console(self, seconds: float | None) -> None:
        """Follows the events as a console does, and goes without a word."""
        with contextlib.suppress(TimeoutError):
            async with (
                asyncio.timeout(seconds),
                self._station.client() as client,
                aclosing(client.events()) as messages,
            ):
                async for message in messages:
                    self.counts["events" if isinstance(message, Event) else type(message).__name__.lower()] += 1

    async def _come_and_go(self) -> None:
        while True:
            await self._console(self._dice.uniform(2, 20))
            await asyncio.sleep(self._dice.uniform(1, 10))

    async def _deaf(self) -> None:
        """Asks for events and reads none of them, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as link:
                link.setblocking(False)
                with contextlib.suppress(OSError):
                    await loop.sock_connect(link, str(self._station.supervisor.socket))
                    await loop.sock_sendall(link, b"GET /api/v1/events HTTP/1.1\r\nHost: mcr\r\n\r\n")
                await asyncio.sleep(self._dice.uniform(20, 90))

    async def _work(self) -> None:
        """A take or a hold now and then, and between them what screens ask for."""
        async with self._station.client() as client:
            while True:
                await asyncio.sleep(self._dice.uniform(1, 4))
                channel_id = self._station.channel_ids[self._dice.choice((STEADY, LOCAL))]
                await self._counted(client, channel_id, self._dice.randrange(12))

    async def _counted(self, client: Client, channel_id: str, what: int) -> None:
        try:
            match what:
                case 0 | 1:
                    await client.transport(channel_id, "take", CommandIn(command_id=new_command_id()))
                case 2 | 3:
                    await client.explain(channel_id)
                case 4 | 5:
                    await client.asrun_page(channel_id=channel_id, limit=50)
                case 6 | 7:
                    await client.thumbnail(channel_id)
                case 8:
                    await client.coming()
                case 9:
                    await client.nodes()
                case _:
                    await client.rundown(channel_id)
            self.counts["answered"] += 1
        except ApiProblem as error:
            self.counts["refused" if error.status in _EXPECTED else f"unexpected {error.status} {error.code}"] += 1
        except ClientError:
            self.counts["unreachable"] += 1
