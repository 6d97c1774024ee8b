"""A process with a store open, for a test to kill: ``python store_writer.py PATH``.

It uses every connection of the store once, prints ``open``, and adds one project for each line it is given, printing
the line when it is committed.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from db.store import Store


async def main() -> None:
    store = Store(sys.argv[1])
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(store.read())
        async with store.write() as tx:
            await tx.projects.add("first", datetime.now(UTC))
    sys.stdout.write("open\n")
    sys.stdout.flush()
    while name := await asyncio.to_thread(sys.stdin.readline):
        async with store.write() as tx:
            await tx.projects.add(name.strip(), datetime.now(UTC))
        sys.stdout.write(name)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
