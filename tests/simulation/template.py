"""An empty database with the schema, made once a process by the real migrations."""

import asyncio
import functools
import tempfile
from pathlib import Path

from db.store import Store


@functools.cache
def migrated() -> bytes:
    """The file's content."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "mcr.db"

        async def make() -> None:
            store = Store(str(path))
            await store.migrate()
            await store.close()

        asyncio.run(make())
        return path.read_bytes()
