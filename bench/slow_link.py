"""``python -m bench.slow_link PORT HOST TARGET_PORT DELAY_MS``: passes bytes on at 127.0.0.1, each so much later."""

import asyncio
import sys
from contextlib import suppress

PIECE = 65536
IN_FLIGHT = 4096
"""Pieces on their way; a sender that is faster waits."""


async def _later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    clock = asyncio.get_running_loop().time
    flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

    async def land() -> None:
        while True:
            due, data = await flying.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    landing = asyncio.create_task(land())
    with suppress(OSError):
        while data := await reader.read(PIECE):
            await flying.put((clock() + delay_s, data))
    await flying.put((clock() + delay_s, b""))
    with suppress(OSError):
        await landing


async def serve(port: int, host: str, target: int, delay_s: float) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, target)
        async with asyncio.TaskGroup() as both:
            both.create_task(_later(reader, back, delay_s))
            both.create_task(_later(there, writer, delay_s))

    async with await asyncio.start_server(pass_on, "127.0.0.1", port):
        await asyncio.to_thread(sys.stdin.read)  # until the parent is gone, or wants no more


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) / 1000))
