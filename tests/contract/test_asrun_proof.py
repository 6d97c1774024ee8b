"""``mcr asrun verify``: every frame accounted for and the chain whole, and any later change of the log shows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import create_async_engine

from db.models import Channel, Instant
from db.store import Store
from supervisor.asrun.rebuilding import rebuild
from supervisor.asrun.service import sentence_of, service_of
from supervisor.asrun.spans import Span, span_between, span_of_day
from supervisor.asrun.verifying import Proof, Verifying
from supervisor.threads import Threads
from tests.fixtures.as_run import Part, air

CHANNEL = "c" * 32
A, B = "a" * 32, "b" * 32
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
END = START + timedelta(seconds=60)
PLANNED = int((START + timedelta(seconds=6)).timestamp()) * 10**9


def span(start: datetime = START, end: datetime = END) -> Span:
    return span_between(None, CHANNEL, start, end, "25")


async def broken_day(store: Store) -> None:
    """Ten seconds off, an item, filler, an item that a kill broke, three seconds of nothing, its other segment."""
    over = await air(
        store, CHANNEL, A, 1, START + timedelta(seconds=10),
        [Part("1", 250, "arm", more={"planned_at_ns": PLANNED}), Part("", 50), Part("2", 100)], killed=True,
    )  # fmt: skip
    await air(
        store, CHANNEL, B, 2, over + timedelta(seconds=3),
        [Part("2", 150, "resume", more={"in_frames": 100}), Part("3", 25, ended="stop")],
    )  # fmt: skip


async def verified(store: Store, of: Span | None = None, now: datetime = END) -> Proof:
    return await Verifying(store, Threads("test", places=1)).verify(of or span(), now)


async def test_a_day_with_a_failover_is_proven(real_store: Store) -> None:
    await broken_day(real_store)
    proof = await verified(real_store)
    totals = proof.totals
    assert proof.faults == []
    assert proof.holds
    assert (totals.aired, totals.filler, totals.unaccounted) == (525, 50, 0)
    assert totals.off_air == 60 * 25 - 575
    assert totals.off_air_by["failover"] == 75
    assert sentence_of(proof).startswith(
        "0 unaccounted frames of 1500: 525 aired, 50 filler (100 of them inferred), 925 off air; the chain"
    )
    async with real_store.read() as tx:
        event = await tx.as_run.event(CHANNEL, B, 3)
    assert event is not None
    assert (event.continues_run_id, event.lost_frames) == (A, 75)


async def test_what_an_engine_inferred_has_a_total_of_its_own_and_cannot_be_made_sure_of_later(
    real_store: Store,
) -> None:
    """P4: a server that plays for a channel and said nothing for a while."""
    sure: dict[str, object] = {"proof": "confirmed"}
    await air(
        real_store, CHANNEL, A, 1, START,
        [
            Part("1", 250, "arm", more=sure, proof="inferred"),
            Part("2", 100, more={"proof": "inferred"}, proof="confirmed"),
            Part("3", 1150, ended="stop", more=sure, proof="confirmed"),
        ],
    )  # fmt: skip
    proof = await verified(real_store)
    assert proof.holds, proof.faults
    assert (proof.totals.by_time, proof.totals.inferred, proof.totals.proven) == (350, 0, 1150)
    assert "1500 aired, 0 filler (350 of them by the time that passed), 0 off air" in sentence_of(proof)
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE as_run_event SET end_proof = NULL WHERE title = 'Item 1'"))
    await engine.dispose()
    (fault,) = (await verified(real_store)).faults
    assert "end_proof None and not inferred" in fault


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE as_run SET line = replace(line, 'Item 1', 'Item 9') WHERE run_id = '{a}' AND seq = 3", "was changed"),
        ("UPDATE as_run SET frame = frame + 1 WHERE run_id = '{a}' AND seq = 4", "columns"),
        ("DELETE FROM as_run WHERE run_id = '{a}' AND seq = 5", "records 5 to 5 are missing"),
        ("DELETE FROM as_run WHERE run_id = '{b}' AND seq >= 5", "are gone"),
        ("UPDATE as_run_event SET title = 'Other' WHERE run_id = '{a}' AND seq = 3", "title Other and not Item 1"),
        ("UPDATE as_run_event SET frames = 240 WHERE run_id = '{a}' AND seq = 3", "frames 240 and not 250"),
        ("DELETE FROM as_run_event WHERE run_id = '{a}' AND seq = 5", "is not in the log"),
        (
            "UPDATE as_run_event SET seq = 4 WHERE run_id = '{a}' AND seq = 5",
            "event 4 has no record that began it",
        ),
        ("DELETE FROM as_run_event WHERE run_id = '{b}' AND seq = 5", "event 5 (Item 3) is not in the log"),
        ("DELETE FROM as_run_event WHERE run_id = '{a}' AND seq = 3", "event 3 (Item 1) is not in the log"),
        ("DELETE FROM as_run_event WHERE run_id = '{b}'", "event 3 (Item 2) is not in the log"),
        ("DELETE FROM as_run WHERE run_id = '{a}' AND seq = 1", "records 1 to 1 are missing"),
        ("UPDATE as_run_run SET complete = false WHERE run_id = '{a}'", "is not collected to its end"),
        ("UPDATE as_run_run SET node_id = 'other' WHERE run_id = '{a}'", "follows one that is not in the log"),
    ],
)
async def test_a_later_change_shows(real_store: Store, change: str, told: str) -> None:
    await broken_day(real_store)
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(text(change.format(a=A, b=B)))
    await engine.dispose()
    proof = await verified(real_store)
    assert not proof.holds
    assert any(told in fault for fault in proof.faults), proof.faults


async def test_a_whole_line_put_in_the_place_of_another_breaks_the_chain(real_store: Store) -> None:
    """Whoever computes the line's checksum anew is found by the hash in the line after it."""
    await broken_day(real_store)
    other = "e" * 32
    await air(real_store, "d" * 32, other, 1, START, [Part("9", 250, "arm")])
    async with real_store.read() as tx:
        (forged,) = await tx.as_run.records("d" * 32, other, 2, 1)
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE as_run SET line = :line WHERE run_id = :run AND seq = 3"), {"line": forged.line, "run": A}
        )
    await engine.dispose()
    proof = await verified(real_store)
    assert any("does not follow" in fault for fault in proof.faults), proof.faults


async def test_a_span_that_begins_within_an_event(real_store: Store) -> None:
    await broken_day(real_store)
    proof = await verified(real_store, span(START + timedelta(seconds=12), START + timedelta(seconds=22)))
    assert proof.faults == []
    assert (proof.totals.aired, proof.totals.filler, proof.totals.off_air) == (200, 50, 0)


@pytest.mark.parametrize(
    ("begin", "end", "run", "seq"),
    [(12, 30, A, 3), (21, 22, A, 5), (10, 21, A, 5), (5, 11, A, 3), (32, 33, B, 3), (34, 36, B, 5), (20, 60, B, 5)],
)
async def test_an_event_that_is_lost_at_the_edge_of_a_span_shows(
    real_store: Store, begin: int, end: int, run: str, seq: int
) -> None:
    await broken_day(real_store)
    of = span(START + timedelta(seconds=begin), START + timedelta(seconds=end))
    assert (await verified(real_store, of)).faults == []
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(text(f"DELETE FROM as_run_event WHERE run_id = '{run}' AND seq = {seq}"))
    await engine.dispose()
    proof = await verified(real_store, of)
    assert [f"event {seq} (" in fault and "not in the log" in fault for fault in proof.faults] == [True], proof.faults


async def test_what_is_off_air_beside_the_runs_needs_none_of_them(real_store: Store) -> None:
    await broken_day(real_store)
    proof = await verified(real_store, span(START + timedelta(seconds=40), END))
    assert (proof.runs, proof.faults, proof.totals.off_air) == (0, [], 500)


async def test_the_service_report(real_store: Store) -> None:
    await broken_day(real_store)
    row = Channel(
        id=CHANNEL, name="One", number=1, rate="25", time_zone="UTC", day_start="06:00", width=320, height=180
    )
    report = await service_of(real_store, span_of_day(row, date(2026, 3, 1)), END)
    assert report.on_air_percent == pytest.approx(575 / 15, abs=0.0001)
    assert (report.off_air_seconds, report.unintended_seconds) == (37.0, 3.0)
    assert (report.items, report.late_starts, report.worst_late_ms) == (3, 1, 4000)
    assert [(one.frames, one.why) for one in report.failovers] == [(75, "failover")]


async def test_events_made_again_keep_what_only_a_heartbeat_proved(real_store: Store) -> None:
    await broken_day(real_store)
    proven = END - timedelta(seconds=31)
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE as_run_event SET frames = 175, end_at = :at, title = 'Other' WHERE run_id = :run AND seq = 7")
            .bindparams(bindparam("at", type_=Instant())),
            {"at": proven, "run": A},
        )  # fmt: skip
    await engine.dispose()
    async with real_store.write() as tx:
        leadership = await tx.leader.acquire("test", "", 60, seize=False)
    assert leadership is not None
    await rebuild(real_store, Threads("test", places=1), CHANNEL, lambda: leadership.fence)
    async with real_store.read() as tx:
        event = await tx.as_run.event(CHANNEL, A, 7)
    assert event is not None
    assert (event.title, event.frames, event.end_at, event.status) == ("Item 2", 175, proven, "unknown end")


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 28), 23), ((2026, 3, 29), 24), ((2026, 10, 24), 25)])
def test_a_broadcast_day_has_the_hours_that_its_clock_has(day: tuple[int, int, int], hours: int) -> None:
    row = Channel(id=CHANNEL, name="One", number=1, rate="25", time_zone="Europe/Berlin", day_start="06:00")
    found = span_of_day(row, date(*day))
    assert found.end - found.start == timedelta(hours=hours)
    assert found.zone == ZoneInfo("Europe/Berlin")
