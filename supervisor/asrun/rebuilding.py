"""Makes a channel's events again from its records, where somebody or something has changed them."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Final

from db.errors import NotLeader
from db.models import AsRun, AsRunEvent, AsRunRun
from db.repositories.as_run import AsRunEventRow, RunKey
from db.repositories.as_run_links import LINK
from db.repositories.leader import Fence
from db.store import Store
from sidecar.protocol.asrun import AsRunRecord, decode_line
from supervisor.asrun.projection import Projection
from supervisor.schemas.asrun import AsRunRebuilt
from supervisor.threads import Threads

PAGE: Final = 500
_WRITE_S: Final = 20.0
_DECODE_S: Final = 20.0
_MADE: Final = tuple(field.name for field in fields(AsRunEventRow) if field.name not in LINK)


async def rebuild(store: Store, threads: Threads, channel_id: str, fence: Callable[[], Fence | None]) -> AsRunRebuilt:
    """Every complete run, page by page; one that still comes in makes its own. Raises NotLeader, TornLine.

    What only a heartbeat proved of a run that was killed is not in its records, and is kept.
    """
    async with store.read() as tx:
        runs = await tx.as_run.runs(channel_id)
    records = events = 0
    for run in runs:
        if run.complete:
            counted = await _rebuild_run(store, threads, run, fence)
            records, events = records + counted[0], events + counted[1]
    left = sum(not run.complete for run in runs)
    return AsRunRebuilt(channel_id=channel_id, runs=len(runs) - left, runs_left=left, records=records, events=events)


async def _rebuild_run(
    store: Store, threads: Threads, run: AsRunRun, fence_now: Callable[[], Fence | None]
) -> tuple[int, int]:
    key = RunKey(run.channel_id, run.run_id)
    projection = Projection()
    after = records = 0
    seqs: set[int] = set()
    last: AsRunRecord | None = None
    while True:
        async with store.read() as tx:
            rows = await tx.as_run.records(*key, after, PAGE)
        ended: tuple[AsRunEventRow, ...]
        if rows:
            page = await threads.run(_DECODE_S, _decode, rows)
            ended, last = projection.add(page), page[-1]
        else:
            ended = projection.end(last)
        fence = fence_now()
        if fence is None:
            raise NotLeader(0)
        async with store.write(timeout=_WRITE_S) as tx:
            there = {
                event.seq: event for event in await tx.as_run.events_by_seq(key, 0, 0, [event.seq for event in ended])
            }
            # What is open at a page's end waits: its end may be proven by nothing but what is in the store.
            proven = [_as_proven(event, there.get(event.seq)) for event in ended if event.end_at is not None]
            # What is as it should be is left alone: a day that was delivered is not another for that.
            kept = [event for event in proven if _differs(event, there.get(event.seq))]
            if rows:
                await tx.as_run.drop_events(fence, key, after + 1, rows[-1].seq, [event.seq for event in ended])
            await tx.as_run.append(fence, key, run.node_id, run.epoch, (), kept)
            if not rows:
                await tx.as_run.link(key)
                await tx.as_run.link_after(key, run.epoch)
        seqs.update(event.seq for event in ended)
        if not rows:
            return records, len(seqs)
        records += len(rows)
        after = rows[-1].seq


def _differs(event: AsRunEventRow, known: AsRunEvent | None) -> bool:
    return known is None or any(getattr(event, name) != getattr(known, name) for name in _MADE)


def _as_proven(event: AsRunEventRow, known: AsRunEvent | None) -> AsRunEventRow:
    """With the end that a heartbeat proved, where that is later than the last record, and with what an older version
    predicted, whose records do not say it."""
    if known is not None and event.predicted_at is None:
        event = replace(event, predicted_at=known.predicted_at)
    if event.status != "unknown end" or known is None or known.status != "unknown end":
        return event
    if (known.frames or 0) <= (event.frames or 0):
        return event
    return replace(event, end_at=known.end_at, frames=known.frames, detail=known.detail)


def _decode(rows: Sequence[AsRun]) -> list[AsRunRecord]:
    return [decode_line(row.line.encode() + b"\n") for row in rows]
