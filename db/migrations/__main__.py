"""``python -m db.migrations "why"`` writes the next revision: what the models say and the migrations do not make yet.

Read it over and put it in order: what it makes is compared, never what happens to the rows that are there.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from db import schema
from db.engines import migration_engine
from db.urls import database_url


async def write_revision(why: str) -> None:
    """Compares with a new SQLite database, so that no running one is looked at."""
    with tempfile.TemporaryDirectory() as directory:
        url = database_url(str(Path(directory) / "compared.db"))
        await schema.upgrade(url)
        engine = migration_engine(url)
        async with engine.connect() as connection:
            await connection.run_sync(
                lambda sync: command.revision(
                    schema.configuration(sync), why, autogenerate=True, rev_id=f"{int(schema.newest()) + 1:04}"
                )
            )
        await engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('say why: python -m db.migrations "Channels have a colour"')
    asyncio.run(write_revision(sys.argv[1]))
