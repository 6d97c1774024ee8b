"""Which DeckLink ports schedules need and when, written down ahead."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from db.models import Recorder
from db.repositories.reservations import ReservedWindow
from db.transaction import Transaction
from supervisor.schedules.planning import CLASHES_WITHIN, LEAD
from supervisor.schedules.stored import planned
from supervisor.schedules.windows import Planned, windows


async def renew_reservations(tx: Transaction, now: datetime) -> None:
    """For the next five weeks, by schedules and recorders as they are in ``tx``."""
    await tx.reservations.take_turns()
    recorders = {row.id: row for row in await tx.recorders.list()}
    await tx.reservations.renew(list(reserved(map(planned, await tx.schedules.list()), recorders, now)))


def reserved(
    schedules: Iterable[Planned], recorders: Mapping[str, Recorder], now: datetime
) -> Iterator[ReservedWindow]:
    """In the order of ``schedules``, which is that in which they were planned. Pure."""
    for schedule in schedules:
        recorder = recorders.get(schedule.recorder_id)
        if recorder is None or recorder.device_index is None or recorder.wanted_node_id is None:
            continue
        for window in windows(schedule, now, now + CLASHES_WITHIN):
            yield ReservedWindow(
                node_id=recorder.wanted_node_id,
                device_index=recorder.device_index,
                recorder_id=recorder.id,
                schedule_id=schedule.id,
                starts_at=window.start,
                ends_at=window.end,
                from_at=window.first - LEAD,
                until_at=window.last,
            )
