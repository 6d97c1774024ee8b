"""A supervisor that does nothing but lead, for a test to kill and freeze: ``python elector_process.py URL HOLDER TTL``.

It tries twenty times a second, and prints its term, or the term of the one who leads, whenever that changes.
"""

import asyncio
import sys

from db.elector import elector
from db.store import Store


async def main(url: str, holder: str, ttl: float) -> None:
    mine = elector(Store(url), timeout=3)
    said = ""
    while True:
        held = await mine.attempt(holder, f"http://{holder}", ttl)
        if held is not None:
            say = f"leads {held.term}"
        else:
            say = f"follows {mine.other.term}" if mine.other else "follows nobody"
        if say != said:
            said = say
            sys.stdout.write(f"{say}\n")
            sys.stdout.flush()
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
