"""``python -m tests.campaigns races`` and ``kills``: what ``make races`` and ``make kills`` run."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import typer

from db.store import Store
from tests.campaigns.results import Results
from tests.fixtures.port_race import PortRace
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.recordings import kill_one, opens

app = typer.Typer(add_completion=False)
_SHOWN_EVERY = 100


@app.command()
def races(count: int = 1_000, *, anew: bool = False) -> None:
    """Two channels and a recorder race ``count`` times for one port, on SQLite and on PostgreSQL, every commit flushed
    to the disk."""
    results = Results("races", ("db", "tests/campaigns"), anew=anew)
    asyncio.run(_races_on("sqlite", f"sqlite:///{results.folder}/{{}}.db", count, results))
    directory = Path(tempfile.mkdtemp(prefix="mcr-postgres-"))
    server = PostgresServer(directory)
    try:
        asyncio.run(_on_postgresql(server, count, results))
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    for database in ("sqlite", "postgresql"):
        mine = [it for it in results.all() if it["database"] == database]
        wins = Counter(it["winner"] for it in mine)
        seconds = sum(it["seconds"] for it in mine)
        _say(
            f"{database}: {len(mine)} races, one winner each, {dict(wins)}, {1000 * seconds / len(mine):.0f} ms a race"
        )


async def _on_postgresql(server: PostgresServer, count: int, results: Results) -> None:
    async with server.database() as url:
        await _races_on("postgresql", url, count, results)


async def _races_on(database: str, url: str, count: int, results: Results) -> None:
    """A store of its own each time: what was there before is in the results alone."""
    done = sum(it["database"] == database for it in results.all())
    store = Store(url.format(datetime.now(UTC).strftime("%H%M%S%f")))
    try:
        await store.migrate()
        race = await PortRace.prepared(store, datetime.now(UTC))
        for number in range(done, count):
            began = time.monotonic()
            winner = await race.run(number)
            seconds = round(time.monotonic() - began, 4)
            results.add({"database": database, "number": number, "winner": winner, "seconds": seconds})
            if (number + 1) % _SHOWN_EVERY == 0:
                _say(f"{database}: {number + 1} of {count}")
    finally:
        await store.close()


@app.command()
def kills(count: int = 50, *, anew: bool = False) -> None:
    """A recording is killed ``count`` times at any moment: every file opens, and how much of it is missing."""
    results = Results("kills", ("sidecar", "tests/campaigns"), anew=anew)
    home = results.folder / "home"
    done = max((it["kill"] for it in results.all()), default=0)
    for number in range(done + 1, count + 1):
        # Another attempt at one that was ended in the middle begins anew.
        shutil.rmtree(home / "state" / str(number), ignore_errors=True)
        killed = kill_one(home, number, Random(number))
        results.add({"kill": number, "file": str(killed.path), "missing_s": killed.missing_s, "frames": killed.frames})
        _say(f"{number} of {count}: {killed.frames} pictures in {killed.path.name}, {killed.missing_s:.2f} s missing")
    there = results.all()
    shut = [it["file"] for it in there if not opens(Path(it["file"]))]
    most = max(it["missing_s"] for it in there)
    mean = sum(it["missing_s"] for it in there) / len(there)
    _say(f"{len(there)} kills: {len(shut)} files do not open, {most:.2f} s missing at most, {mean:.2f} s in the mean")
    sys.exit(bool(shut) or most > 1.0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


app()
