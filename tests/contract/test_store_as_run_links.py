"""An event that a failover broke is one event: its segments are linked, whichever of them is collected first."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.models import AsRunEvent
from db.repositories.as_run import AsRunEventRow, AsRunRow, RunKey
from db.store import Store

CHANNEL, NODE = "c" * 32, "f" * 32
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
FIRST, SECOND = RunKey(CHANNEL, "a" * 32), RunKey(CHANNEL, "b" * 32)
ENDED = START + timedelta(seconds=10)


def item(at: datetime, cause: str, item_id: str = "i", **values: object) -> AsRunEventRow:
    known: dict[str, object] = {
        "seq": 2, "kind": "item", "title": "News", "start_at": at, "start_frame": 0, "rate": "25",
        "start_cause": cause, "status": "on air", "item_id": item_id,
    }  # fmt: skip
    return AsRunEventRow(**{**known, **values})  # type: ignore[arg-type] - fields by name


BROKEN = item(START, "arm", end_at=ENDED, frames=250, status="unknown end")
RESUMED = item(ENDED + timedelta(seconds=3), "resume", in_frames=250)


async def write(store: Store, run: RunKey, epoch: int, event: AsRunEventRow, seq: int = 1) -> AsRunEvent | None:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("me", "", 60, seize=False)
        assert leadership is not None
        row = AsRunRow(seq, "on_air", 0, event.start_at, f"line {seq}")
        await tx.as_run.append(leadership.fence, run, NODE, epoch, [row], [event])
        return await tx.as_run.link(run)


async def test_the_second_segment_names_the_first_and_what_was_lost(store: Store) -> None:
    assert await write(store, FIRST, 1, BROKEN) is None
    linked = await write(store, SECOND, 2, RESUMED)
    assert linked is not None
    assert (linked.continues_run_id, linked.continues_seq, linked.lost_frames) == (FIRST.run_id, 2, 75)


async def test_what_the_projection_writes_later_keeps_the_link(store: Store) -> None:
    await write(store, FIRST, 1, BROKEN)
    await write(store, SECOND, 2, RESUMED)
    async with store.write() as tx:
        leadership = await tx.leader.acquire("me", "", 60, seize=False)
        assert leadership is not None
        done = item(RESUMED.start_at, "resume", end_at=ENDED + timedelta(seconds=9), frames=150, status="aired")
        await tx.as_run.append(leadership.fence, SECOND, NODE, 2, [AsRunRow(2, "item_end", 150, START, "l")], [done])
    async with store.read() as tx:
        event = await tx.as_run.newest(CHANNEL)
    assert event is not None
    assert (event.status, event.continues_seq, event.lost_frames) == ("aired", 2, 75)


async def test_a_first_segment_that_is_collected_last_is_linked_too(store: Store) -> None:
    """The node that died comes back with its journal."""
    assert await write(store, SECOND, 2, RESUMED) is None
    await write(store, FIRST, 1, BROKEN)
    async with store.write() as tx:
        linked = await tx.as_run.link_after(FIRST, 1)
        assert await tx.as_run.link_after(SECOND, 2) is None
    assert linked is not None
    assert (linked.run_id, linked.continues_run_id, linked.lost_frames) == (SECOND.run_id, FIRST.run_id, 75)


async def test_a_link_that_says_the_same_again_changes_no_day_that_was_delivered(real_store: Store) -> None:
    """Else every rebuild issues every day with a failover again."""
    await write(real_store, SECOND, 2, RESUMED)
    await write(real_store, FIRST, 1, BROKEN)
    day = START - timedelta(hours=1), START + timedelta(hours=1)
    async with real_store.write() as tx:
        await tx.as_run_issues.leave_out(CHANNEL, "2026-03-01", "system", START, *day)
        assert await tx.as_run.link_after(FIRST, 1) is not None
    async with real_store.write() as tx:
        assert await tx.as_run.link_after(FIRST, 1) is not None
    engine = create_async_engine(real_store.url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT changes FROM as_run_issue"))).scalar_one() == 1
    await engine.dispose()


async def test_another_item_is_no_segment(store: Store) -> None:
    await write(store, FIRST, 1, BROKEN)
    assert await write(store, SECOND, 2, item(RESUMED.start_at, "resume", "other")) is None
    assert await write(store, RunKey(CHANNEL, "d" * 32), 3, item(ENDED + timedelta(minutes=1), "arm", "other")) is None
