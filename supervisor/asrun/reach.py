"""Which runs, and which records of each, a span needs: of the records themselves, as events can be lost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.models import AsRunRun
from db.repositories.as_run import RunKey
from db.store import Store
from db.transaction import Transaction
from supervisor.asrun.spans import Span

_READ_S: Final = 20.0
_BEGIN: Final = ("item_start", "filler_start", "live_lost", "live_back")
"""Records that begin an event, or a part of one, where nothing that began before them is open."""


@dataclass(slots=True)
class Reach:
    """Of one run: the first and the last record of the span, or of what reaches into it."""

    first: int
    last: int
    epoch: int


async def reaches_of(
    store: Store, span: Span, seen: Mapping[str, Reach], fault: Callable[[str], None]
) -> dict[str, Reach]:
    """By run. ``seen``: what the span's events reach. Tells ``fault`` of runs that are not here whole."""
    found = dict(seen)
    async with store.read(timeout=_READ_S) as tx:
        extents = await tx.as_run.extents(span.channel_id)
    begun = [(run.epoch, first) for run, first, _ in extents if first is not None]
    for run, first, last in extents:
        known = seen.get(run.run_id)
        if run.taken_hash is not None and known is None:
            if run.taken_from is None or run.taken_to is None or _meet(run.taken_from, run.taken_to, span):
                fault(f"run {run.run_id}: its records were taken away, as the log is not kept for longer")
            continue
        if first is None or last is None:
            if run.collected_seq and known is None:
                fault(f"run {run.run_id}: its records 1 to {run.collected_seq} are gone")
            continue
        later = [at for epoch, at in begun if epoch > run.epoch]
        # Of a run that is not here to its end nobody knows that it did not go on until the next one began.
        goes_on = not run.complete and min(later, default=span.end) > span.start
        if known is None and not (first < span.end and (last >= span.start or goes_on)):
            continue
        if not run.complete and later:
            fault(f"run {run.run_id} is not collected to its end: nothing after record {run.collected_seq} is known")
        async with store.read(timeout=_READ_S) as tx:
            records = await _records(tx, run, span, first, last)
        if known is not None:
            records = Reach(min(records.first, known.first), max(records.last, known.last), known.epoch)
        found[run.run_id] = records
    return found


def _meet(first: datetime, last: datetime, span: Span) -> bool:
    return first < span.end and last >= span.start


async def _records(tx: Transaction, run: AsRunRun, span: Span, first: datetime, last: datetime) -> Reach:
    """From the record that began what was on air as the span began, to the last that is not after it."""
    key, over = RunKey(run.channel_id, run.run_id), run.collected_seq + 1

    async def from_instant(at: datetime) -> int:
        """The number of the first record that is not before ``at``. No index has instants; they go up by number."""
        if first >= at:
            return 1
        low, high = (over, over) if last < at else (1, over)
        while low < high:
            middle = (low + high) // 2
            row = await tx.as_run.first_from(key, middle)
            if row is None or row[1] >= at:
                high = middle
            else:
                low = row[0] + 1
        return low

    begin = await tx.as_run.last_of(key, await from_instant(span.start), _BEGIN)
    return Reach(begin or 1, await from_instant(span.end) - 1, run.epoch)
