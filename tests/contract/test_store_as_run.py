"""The as-run log: records once and without a hole (P4), events by page."""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.errors import JournalGap, Missing, NotLeader, StoreError
from db.models import AsRunEvent
from db.repositories.as_run import AsRunEventRow, AsRunRow, EventCursor, EventFilters, RunKey
from db.repositories.leader import Fence
from db.store import Store

CHANNEL, OTHER, RUN, NODE = "c" * 32, "d" * 32, "a" * 32, "f" * 32
KEY = RunKey(CHANNEL, RUN)
START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def record(seq: int) -> AsRunRow:
    return AsRunRow(seq=seq, kind="item_start", frame=seq * 25, at=START + timedelta(seconds=seq), line=f"line {seq} é")


def event(seq: int, *, at: datetime | None = None, **values: object) -> AsRunEventRow:
    known = {
        "seq": seq,
        "kind": "item",
        "title": f"title {seq}",
        "start_at": at or START + timedelta(seconds=seq),
        "start_frame": seq * 25,
        "rate": "25",
        "start_cause": "follow",
        "status": "on air",
    }
    return AsRunEventRow(**{**known, **values})  # type: ignore[arg-type]  # built by name


async def lead(store: Store, holder: str = "me", *, seize: bool = False) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire(holder, "", 60, seize=seize)
    assert leadership is not None
    return leadership.fence


async def append(
    store: Store, seqs: range, *events: AsRunEventRow, run: RunKey = KEY, fence: Fence | None = None
) -> int:
    fence = fence or await lead(store)
    async with store.write() as tx:
        return await tx.as_run.append(fence, run, NODE, 1, [record(seq) for seq in seqs], events)


async def collected(store: Store) -> list[int]:
    async with store.read() as tx:
        rows = await tx.as_run.records(CHANNEL, RUN)
        assert await tx.as_run.collected_seq(CHANNEL, RUN) == (rows[-1].seq if rows else 0)
    return [row.seq for row in rows]


async def test_records_come_once_whatever_is_handed_over_twice(store: Store) -> None:
    async with store.read() as tx:
        assert await tx.as_run.collected_seq(CHANNEL, RUN) == 0
    assert await append(store, range(1, 4)) == 3
    assert await append(store, range(1, 4)) == 3
    assert await append(store, range(2, 7)) == 6
    assert await append(store, range(0)) == 6
    assert await collected(store) == [1, 2, 3, 4, 5, 6]
    async with store.read() as tx:
        page = await tx.as_run.records(CHANNEL, RUN, after=2, limit=2)
        assert [(row.seq, row.line, row.at) for row in page] == [
            (3, "line 3 é", START + timedelta(seconds=3)),
            (4, "line 4 é", START + timedelta(seconds=4)),
        ]


async def test_a_hole_is_refused_whole(store: Store) -> None:
    await append(store, range(1, 3))
    with pytest.raises(JournalGap, match="collected up to 2, the next record came as 4"):
        await append(store, range(4, 6))
    fence = await lead(store)
    with pytest.raises(JournalGap):
        async with store.write() as tx:
            await tx.as_run.append(fence, KEY, NODE, 1, [record(3), record(5)])
    assert await collected(store) == [1, 2]


async def test_collectors_at_once_lose_nothing_and_double_nothing(store: Store) -> None:
    """P4: an old and a new leader may both collect for a while."""

    async def collect() -> None:
        for _ in range(100):
            async with store.read() as tx:
                seen = await tx.as_run.collected_seq(CHANNEL, RUN)
            if seen >= 40:
                return
            await append(store, range(seen + 1, min(seen + 4, 41)), event(seen + 1))

    await asyncio.gather(*(collect() for _ in range(4)))
    assert await collected(store) == list(range(1, 41))


async def test_an_old_leader_that_wakes_adds_nothing(store: Store) -> None:
    """P2, P4: it may have read a journal before it froze."""
    old = await lead(store)
    await append(store, range(1, 3), event(1), fence=old)
    new = await lead(store, "rival", seize=True)
    for fence in (old, Fence("me", new.term), Fence("rival", old.term)):
        for seqs in (range(3, 5), range(1, 2), range(0)):
            with pytest.raises(NotLeader):
                await append(store, seqs, event(1, title="changed"), fence=fence)
        with pytest.raises(NotLeader):
            async with store.write() as tx:
                await tx.as_run.mark_complete(fence, KEY)
    assert await collected(store) == [1, 2]
    async with store.read() as tx:
        assert [row.complete for row in await tx.as_run.runs()] == [False]
        assert [row.title for row in await tx.as_run.open_events(KEY)] == ["title 1"]
    assert await append(store, range(3, 5), fence=new) == 4


async def test_a_term_that_ends_in_the_middle_of_an_append_undoes_it(real_store: Store) -> None:
    """P2: frozen between the look at its lease and its last statement."""
    from sqlalchemy import event as listening

    frozen: list[str] = []

    def freeze(_c: object, _k: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO as_run "):
            frozen.append(statement)
            time.sleep(0.6)

    async def append_slowly() -> None:
        async with real_store.write() as tx:
            leadership = await tx.leader.acquire("me", "", 0.5)
            assert leadership is not None
            await tx.as_run.append(leadership.fence, KEY, NODE, 1, [record(1)])

    listening.listen(real_store._engines.writer.sync_engine, "before_cursor_execute", freeze)
    with pytest.raises(NotLeader):
        await append_slowly()
    assert frozen, "it was let in, and its term ended then"
    assert await collected(real_store) == []


APPEND_FOR_EVER = """
import asyncio, sys
from datetime import UTC, datetime
from db.repositories.as_run import AsRunEventRow, AsRunRow, RunKey
from db.store import Store

async def main(url, channel, run, seq):
    store, now = Store(url), datetime.now(UTC)
    async with store.write() as tx:
        fence = (await tx.leader.acquire("collector", "", 60, seize=True)).fence
    while True:
        rows = [AsRunRow(seq + n, "item_start", 0, now, "line") for n in (1, 2, 3)]
        event = AsRunEventRow(seq + 1, "item", "title", now, 0, "25", "follow", "on air")
        async with store.write() as tx:
            seq = await tx.as_run.append(fence, RunKey(channel, run), "node", 1, rows, [event])
        print(seq, flush=True)

asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
"""


async def test_a_collector_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    real_store: Store, store_url: str
) -> None:
    """P4: what was answered is there after kill -9, and the next collector goes on without a double."""
    seq = 0
    for after in (1, 5):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            APPEND_FOR_EVER,
            store_url,
            *KEY,
            str(seq),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        answered = seq
        async with asyncio.timeout(30):
            while answered < seq + after * 3:
                answered = int(await process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
        answered = int(rest.split()[-1]) if rest.split() else answered
        there = await collected(real_store)
        assert there == list(range(1, len(there) + 1))
        assert answered <= len(there) <= answered + 3
        async with real_store.read() as tx:
            events = await tx.as_run.events(EventFilters(channel_id=CHANNEL), limit=10_000)
        assert len(events) * 3 == len(there), "records and what they make of events come together"
        seq = len(there)


async def test_events_are_written_over_by_number(store: Store) -> None:
    await append(store, range(1, 3), event(2))
    async with store.read() as tx:
        (opened,) = await tx.as_run.open_events(KEY)
        assert (opened.seq, opened.end_at, opened.channel_id, opened.epoch) == (2, None, CHANNEL, 1)
    ended = event(2, status="aired", end_at=START + timedelta(seconds=9), frames=200, end_cause="ended")
    await append(store, range(3, 4), ended)
    async with store.read() as tx:
        assert await tx.as_run.open_events(KEY) == []
        (closed,) = await tx.as_run.events(EventFilters())
        assert (closed.status, closed.frames, closed.end_cause) == ("aired", 200, "ended")
    await append(store, range(2, 3), event(2))
    async with store.read() as tx:
        assert await tx.as_run.open_events(KEY) == [], "a collector that is behind does not open it again"
    await append(store, range(0), event(2, status="unknown end"))
    async with store.read() as tx:
        assert [row.status for row in await tx.as_run.open_events(KEY)] == ["unknown end"]


async def test_runs_tell_how_far_they_are_collected(store: Store) -> None:
    await append(store, range(1, 3))
    await append(store, range(1, 2), run=RunKey(OTHER, RUN))
    fence = await lead(store)
    async with store.write() as tx:
        await tx.as_run.mark_complete(fence, KEY)
        with pytest.raises(Missing, match="no run"):
            await tx.as_run.mark_complete(fence, RunKey(CHANNEL, "none"))
    async with store.read() as tx:
        assert [(row.channel_id, row.collected_seq, row.complete) for row in await tx.as_run.runs()] == [
            (CHANNEL, 2, True),
            (OTHER, 1, False),
        ]
        assert len(await tx.as_run.runs(CHANNEL)) == 1


async def test_the_log_outlives_what_it_tells_of(store: Store, now: datetime) -> None:
    """P4: deleting a channel, a playlist or an asset changes no row."""
    fence = await lead(store)
    async with store.write() as tx:
        channel = await tx.channels.add({"name": "One", "width": 64, "height": 64, "rate": "25"}, [], now)
        await tx.as_run.append(fence, RunKey(channel.id, RUN), NODE, 1, [record(1)], [event(1)])
        await tx.channels.delete(channel.id, 1)
    async with store.read() as tx:
        assert len(await tx.as_run.events(EventFilters(channel_id=channel.id))) == 1
        assert len(await tx.as_run.records(channel.id, RUN)) == 1


def key(row: AsRunEvent) -> EventCursor:
    return EventCursor(row.start_at, row.channel_id, row.run_id, row.seq)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("channel_id", [None, CHANNEL])
async def test_pages_of_events_join_without_a_gap_or_a_double(
    store: Store, newest_first: bool, channel_id: str | None
) -> None:
    """Many begin at the same instant, on several channels and runs."""
    for run in (RunKey(CHANNEL, RUN), RunKey(CHANNEL, "b" * 32), RunKey(OTHER, RUN)):
        events = [event(seq, at=START + timedelta(seconds=seq // 4)) for seq in range(1, 12)]
        await append(store, range(1, 12), *events, run=run)
    filters = EventFilters(channel_id=channel_id, newest_first=newest_first)
    seen: list[EventCursor] = []
    async with store.read() as tx:
        everything = [key(row) for row in await tx.as_run.events(filters, limit=1000)]
        while page := await tx.as_run.events(filters, seen[-1] if seen else None, limit=5):
            seen += [key(row) for row in page]
    assert seen == everything
    assert len(seen) == (33 if channel_id is None else 22)
    assert seen == sorted(seen, reverse=newest_first)


async def test_filters(store: Store) -> None:
    await append(store, range(1, 10), *(event(seq, kind="filler" if seq % 3 == 0 else "item") for seq in range(1, 10)))
    async with store.read() as tx:
        found = await tx.as_run.events(
            EventFilters(
                start_from=START + timedelta(seconds=2),
                start_to=START + timedelta(seconds=6),
                kinds=("item",),
                newest_first=False,
            )
        )
    assert [row.seq for row in found] == [2, 4, 5]


async def test_what_aired_is_told_without_what_was_recorded(store: Store, now: datetime) -> None:
    """Also when recorder and channel are gone; a channel may air what lies in its own folder."""
    fence = await lead(store)
    async with store.write() as tx:
        channel = await tx.channels.add({"name": "One", "width": 64, "height": 64, "rate": "25"}, [], now)
        recorders = [await tx.recorders.add({"name": name, "input_kind": "test"}, now) for name in ("A", "B")]
        owners = [channel.id, CHANNEL, *(row.id for row in recorders)]
        for owner in owners:
            recorded = event(
                1, path=f"/media/recordings/{owner}/1.mp4", asset_id="c" * 32 if owner == CHANNEL else None
            )
            await tx.as_run.append(fence, RunKey(owner, RUN), NODE, 1, [record(1)], [recorded])
        await tx.recorders.delete(recorders[1].id, 1)
    async with store.read() as tx:
        aired = await tx.as_run.events(EventFilters(aired_only=True))
        everything = await tx.as_run.events(EventFilters())
    assert {row.channel_id for row in aired} == {channel.id, CHANNEL}
    assert {row.channel_id for row in everything} == set(owners)


async def test_who_sees_some_projects_is_told_of_their_channels_alone(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        projects = [(await tx.projects.add(name, now)).id for name in ("Ours", "Theirs")]
        owners = [
            (await tx.channels.add({"name": name, "width": 64, "height": 64, "rate": "25", "project_id": project}, [],
                                   now)).id
            for name, project in (("One", projects[0]), ("Two", projects[0]), ("Three", projects[1]), ("Four", None))
        ]  # fmt: skip
    for owner in (*owners, CHANNEL):
        await append(store, range(1, 3), event(1), event(2), run=RunKey(owner, RUN))
    filters = EventFilters(projects=frozenset(projects[:1]))
    async with store.read() as tx:
        first = await tx.as_run.events(filters, limit=3)
        second = await tx.as_run.events(filters, key(first[-1]), limit=3)
        nobody = await tx.as_run.events(EventFilters(projects=frozenset()))
    assert {row.channel_id for row in first} == set(owners[:2])
    assert [row.channel_id for row in second] == [min(owners[:2])]
    assert not nobody


@pytest.mark.parametrize("projects", [None, frozenset({"a" * 32, "b" * 32})])
@pytest.mark.parametrize("channel_id", [None, CHANNEL])
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_page_is_found_by_index(
    tmp_path: Path, channel_id: str | None, newest_first: bool, projects: frozenset[str] | None
) -> None:
    """A page of a log of years costs a page: no sorting, no scan."""
    from sqlalchemy import event as listening

    store = Store(str(tmp_path / "mcr.db"))
    await store.migrate()
    said: list[tuple[str, object]] = []
    listening.listen(
        store._engines.reader.sync_engine,
        "before_cursor_execute",
        lambda _c, _k, statement, parameters, _x, _m: said.append((statement, parameters)),
    )
    async with store.read() as tx:
        await tx.as_run.events(
            EventFilters(channel_id=channel_id, newest_first=newest_first, start_from=START, projects=projects),
            EventCursor(START, CHANNEL, RUN, 1),
        )
    statement, parameters = said[-1]
    async with store._engines.reader.connect() as connection:
        plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
    await store.close()
    step, *within = [row[3] for row in plan if not row[3].startswith("CORRELATED")]
    assert all(one.startswith("SEARCH channel ") for one in within), within
    index = "ix_as_run_event_start" if channel_id is None else "ix_as_run_event_channel_start"
    assert step.startswith(f"SEARCH as_run_event USING INDEX {index} ("), step


async def test_long_words_of_a_journal_do_not_stop_the_collection(store: Store) -> None:
    try:
        await append(store, range(1, 2), event(1, title="t" * 5000, start_cause="c" * 500, by="b" * 500))
    except StoreError as error:  # pragma: no cover - the failure
        pytest.fail(str(error))
