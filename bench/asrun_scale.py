"""The as-run log at a million rows on SQLite and ten million on PostgreSQL: pages, a day, and what an insert costs.

The bulk is made by the database itself, event for event and record for record; what is measured goes through the
repository, as the supervisor does it. A run that was broken off goes on with the rows that are there; what inserts
cost at a size that is past is kept as it was measured then.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.record import RESULTS, keep, median
from db.repositories.as_run import AsRunEventRow, AsRunRow, EventCursor, EventFilters, RunKey
from db.repositories.leader import LONGEST_LEASE, Fence
from db.store import Store
from db.urls import database_url

SIZES: Final = {"sqlite": 1_000_000, "postgresql": 10_000_000}
CHANNELS: Final = 20
STEPS: Final = (0.1, 0.5, 1.0)
"""Shares of the whole at which inserts are measured."""
APPENDS: Final = 100
ROWS: Final = 10
"""Records of one append, as a channel of short clips makes them in some seconds; half as many events."""
QUERIES: Final = 20
PAGE: Final = 100
CHUNK: Final = 200_000
SPACING_S: Final = 10
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
NODE: Final = "f" * 32
RUN: Final = "a" * 32


def measure(_clips: object) -> None:
    """Both databases, one after the other; keeps what it has after each."""
    path = RESULTS / "asrun_scale.json"
    figures: dict[str, float] = {}
    samples: dict[str, dict[str, list[float]]] = {}
    if path.exists():
        known = json.loads(path.read_text())
        figures, samples = known["figures"], known["samples"]
    wanted = os.environ.get("MCR_BENCH_DATABASES", "sqlite,postgresql").split(",")
    for kind in wanted:
        place = user_cache_path("mcr-console-bench") / "asrun_scale" / kind
        place.mkdir(parents=True, exist_ok=True)
        with _server(kind, place) as url:
            found, raw = asyncio.run(_measure(kind, url, samples.get(f"{kind}_inserts_ms", {})))
        figures |= found
        samples |= raw
        keep("asrun_scale", figures=figures, samples=samples)


@contextmanager
def _server(kind: str, place: Path) -> Generator[str, None, None]:
    if kind == "sqlite":
        yield f"sqlite:///{place / 'mcr.db'}"
        return
    from tests.fixtures.postgres import PostgresServer

    server = PostgresServer(place)
    yield server.url()
    server.stop()


async def _measure(
    kind: str, url: str, inserts: dict[str, list[float]]
) -> tuple[dict[str, float], dict[str, dict[str, list[float]]]]:
    """``inserts``: what is known of their cost, by the share at which it was measured."""
    store = Store(url)
    await store.migrate()
    engine = create_async_engine(database_url(url))
    size = SIZES[kind]
    try:
        for share in STEPS:
            there = await _fill(engine, kind, int(size * share))
            await _settle(engine, kind)
            if there < int(size * share) or f"{share:.0%}" not in inserts:
                inserts[f"{share:.0%}"] = await _insert(store, await _lead(store), share)
        queries = await _query(store, size)
    finally:
        await engine.dispose()
        await store.close()
    figures = {f"{kind}_rows": float(size)}
    figures |= {f"{kind}_{name}_ms": round(median(values), 1) for name, values in queries.items()}
    figures |= {f"{kind}_{name}_worst_ms": round(max(values), 1) for name, values in queries.items()}
    first, last = median(inserts[f"{STEPS[0]:.0%}"]), median(inserts[f"{STEPS[-1]:.0%}"])
    figures |= {f"{kind}_insert_first_ms": round(first, 1), f"{kind}_insert_last_ms": round(last, 1)}
    return figures, {f"{kind}_inserts_ms": inserts, f"{kind}_queries_ms": queries}


async def _lead(store: Store) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("bench", "", LONGEST_LEASE, seize=True)
    assert leadership is not None
    return leadership.fence


async def _fill(engine: AsyncEngine, kind: str, upto: int) -> int:
    """Events and as many records, numbered from 0: event n is of channel n % CHANNELS, ten seconds after its last.

    How many there were before.
    """
    async with engine.connect() as connection:
        there = await connection.scalar(text("SELECT count(*) FROM as_run_event WHERE run_id = :run"), {"run": RUN})
    assert there is not None
    before = there
    while there < upto:
        first, last = there, min(there + CHUNK, upto) - 1
        async with engine.begin() as connection:
            for statement in _BULK[kind]:
                await connection.execute(text(statement), {"first": first, "last": last})
        there = last + 1
        print(f"{kind}: {there:,} of {upto:,} rows", file=sys.stderr)
    return before


def _bulk(numbers: str, channel: str, at: str, end: str) -> tuple[str, str]:
    seq = f"(n / {CHANNELS}) * 2 + 1"
    events = (
        "INSERT INTO as_run_event (channel_id, run_id, seq, epoch, kind, item_id, house_id, title, start_at, end_at, "
        "start_frame, frames, planned_frames, rate, start_cause, end_cause, by, status, detail, late, traffic_id) "
        f"{numbers} SELECT {channel}, '{RUN}', {seq}, 1, 'item', '{'1' * 32}', 'HOUSE' || (n % 5000), "
        f"'Title of clip ' || (n % 5000), {at}, {end}, (n / {CHANNELS}) * 250, 250, 250, '25', 'follow', 'ended', '', "
        "'aired', '', 0, 'TRAFFIC-' || n FROM numbers"
    )
    records = (
        f"INSERT INTO as_run (channel_id, run_id, seq, epoch, kind, frame, at, line) {numbers} "
        f"SELECT {channel}, '{RUN}', n / {CHANNELS} + 1, 1, 'item_start', (n / {CHANNELS}) * 250, {at}, "
        f"'0123abcd ' || n || '{'x' * 200}' FROM numbers"
    )
    return events, records


_BULK: Final = {
    "sqlite": _bulk(
        "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
        f"printf('%032d', n % {CHANNELS})",
        f"datetime('2026-01-01', '+' || (n / {CHANNELS} * {SPACING_S}) || ' seconds') || '.000000'",
        f"datetime('2026-01-01', '+' || (n / {CHANNELS} * {SPACING_S} + {SPACING_S}) || ' seconds') || '.000000'",
    ),
    "postgresql": _bulk(
        "WITH numbers AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n)",
        f"lpad((n % {CHANNELS})::text, 32, '0')",
        f"timestamptz '2026-01-01 00:00:00Z' + (n / {CHANNELS} * {SPACING_S}) * interval '1 second'",
        f"timestamptz '2026-01-01 00:00:00Z' + (n / {CHANNELS} * {SPACING_S} + {SPACING_S}) * interval '1 second'",
    ),
}


async def _insert(store: Store, fence: Fence, share: float) -> list[float]:
    """Milliseconds of each append: a transaction of its own, durable, as the collection writes."""
    run = RunKey("0" * 31 + "1", f"{int(share * 100):032d}")
    async with store.read() as tx:
        begun = await tx.as_run.collected_seq(*run)
    took: list[float] = []
    for number in range(APPENDS):
        first = begun + number * ROWS + 1
        at = EPOCH + timedelta(days=4000, seconds=first)
        rows = [AsRunRow(first + i, "item_start", i, at, f"0123abcd {'x' * 350}") for i in range(ROWS)]
        events = [
            AsRunEventRow(first + i, "item", "Title", at, i, "25", "follow", "aired", end_at=at, frames=25)
            for i in range(0, ROWS, 2)
        ]
        begin = time.perf_counter()
        async with store.write() as tx:
            await tx.as_run.append(fence, run, NODE, 1, rows, events)
        took.append((time.perf_counter() - begin) * 1000)
    return took


async def _settle(engine: AsyncEngine, kind: str) -> None:
    """What the database does by itself now and then, and would do about the bulk in the middle of a measurement."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in _SETTLING[kind]:
            await connection.execute(text(statement))


_SETTLING: Final = {
    "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "postgresql": ("VACUUM ANALYZE as_run_event", "VACUUM ANALYZE as_run", "CHECKPOINT"),
}


async def _query(store: Store, size: int) -> dict[str, list[float]]:
    channel = "0" * 31 + "7"
    length = timedelta(seconds=size // CHANNELS * SPACING_S)
    middle = EPOCH + timedelta(days=(length / 2).days)
    day = EventFilters(channel, middle, middle + timedelta(days=1), newest_first=False)
    oldest = EventCursor(EPOCH + timedelta(seconds=5 * SPACING_S), channel, RUN, 11)

    async def page(filters: EventFilters, cursor: EventCursor | None = None, limit: int = PAGE) -> int:
        async with store.read() as tx:
            return len(await tx.as_run.events(filters, cursor, limit))

    async def whole_day() -> int:
        count, cursor = 0, None
        while True:
            async with store.read() as tx:
                rows = await tx.as_run.events(day, cursor, 1000)
            count += len(rows)
            if len(rows) < 1000:
                return count
            cursor = EventCursor(rows[-1].start_at, rows[-1].channel_id, rows[-1].run_id, rows[-1].seq)

    async def reaching() -> int:
        async with store.read() as tx:
            return len(await tx.as_run.reaching(channel, middle + timedelta(seconds=5)))

    asked: dict[str, Callable[[], Awaitable[int]]] = {
        "newest_page": lambda: page(EventFilters()),
        "newest_page_of_channel": lambda: page(EventFilters(channel)),
        "last_page_of_channel": lambda: page(EventFilters(channel), oldest),
        "page_of_day": lambda: page(day),
        "reaching_into_day": reaching,
        "whole_day": whole_day,
    }
    return {name: await _timed(ask) for name, ask in asked.items()}


async def _timed(ask: Callable[[], Awaitable[int]]) -> list[float]:
    took: list[float] = []
    for _ in range(QUERIES):
        begin = time.perf_counter()
        found = await ask()
        took.append((time.perf_counter() - begin) * 1000)
        assert found, "the query found nothing"
    return took
