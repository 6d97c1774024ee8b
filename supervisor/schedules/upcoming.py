"""Schedules as they are shown: when they record next, and what is in the way of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.models import PortClaim, PortReservation, Recorder
from db.models import Schedule as Row
from db.transaction import Transaction
from supervisor.schedules.planning import CLASHES_WITHIN, clashes
from supervisor.schedules.stored import planned
from supervisor.schedules.windows import Window, windows
from supervisor.schemas.schedule import Schedule, ScheduleClash, UpcomingRecording

_OF_ROW = tuple(name for name in Schedule.model_fields if name not in ("next_start_at", "next_end_at", "clashes"))


@dataclass(frozen=True, slots=True)
class Plans:
    """All that is planned, as one transaction saw it. ``overlaps``: what wants one port at one time, from both sides.
    ``lasting``: by node and port, by whom it is held with nobody knowing until when."""

    schedules: Sequence[Row]
    recorders: Mapping[str, Recorder]
    reserved: Sequence[PortReservation]
    overlaps: Sequence[tuple[PortReservation, PortReservation]]
    lasting: Mapping[tuple[str, int], tuple[PortClaim, str]]


async def read_plans(tx: Transaction) -> Plans:
    recorders = {row.id: row for row in await tx.recorders.list()}
    lasting: dict[tuple[str, int], tuple[PortClaim, str]] = {}
    for claim in await tx.ports.list():
        if claim.owner_kind == "channel":
            named = [row.name for row in await tx.channels.by_ids((claim.owner_id,))]
        else:
            owner = recorders.get(claim.owner_id)
            if owner is not None and owner.wanted_by == "schedule":
                continue  # it ends with its window, which is looked at by itself
            named = [] if owner is None else [owner.name]
        lasting[(claim.node_id, claim.device_index)] = (claim, f"{claim.owner_kind} {(named or [claim.owner_id])[0]}")
    return Plans(
        await tx.schedules.list(), recorders, await tx.reservations.list(), await tx.reservations.overlaps(), lasting
    )


def shown_schedule(row: Row, plans: Plans, now: datetime) -> Schedule:
    """With the first clash with each other, within five weeks."""
    mine = planned(row)
    following = next(windows(mine, now, now + CLASHES_WITHIN), None)
    same = {one.id: _recorder_named(plans, one) for one in plans.schedules if one.recorder_id == row.recorder_id}
    others = {one.id: planned(one) for one in plans.schedules if one.id in same}
    found = [
        _clash(plans, clash.other.schedule_id, same[clash.other.schedule_id], clash.mine.start, clash.other.start)
        for clash in clashes(mine, tuple(others.values()), same, now)
    ]
    seen: set[str] = set()
    for one, other in plans.overlaps:
        if one.schedule_id == row.id and other.schedule_id not in seen and one.until_at > now:
            seen.add(other.schedule_id)
            found.append(_port_clash(plans, one, other))
    held = None if following is None else _held_for_long(row, plans, following.start)
    return Schedule.model_validate(
        {
            **{name: getattr(row, name) for name in _OF_ROW},
            "next_start_at": None if following is None else following.start,
            "next_end_at": None if following is None else following.end,
            "clashes": (*found, *(() if held is None else (held,))),
        }
    )


def shown_upcoming(
    rows: Iterable[Row], plans: Plans, now: datetime, within: timedelta
) -> tuple[UpcomingRecording, ...]:
    """Every window of ``rows`` that is not over, the first first, each with all that is in the way of it."""
    by_recorder: dict[str, list[Window]] = {}
    for row in plans.schedules:
        by_recorder.setdefault(row.recorder_id, []).extend(windows(planned(row), now, now + within))
    reserved = {(one.schedule_id, one.starts_at): one for one in plans.reserved}
    in_the_way: dict[tuple[str, datetime], list[ScheduleClash]] = {}
    for one, other in plans.overlaps:
        in_the_way.setdefault((one.schedule_id, one.starts_at), []).append(_port_clash(plans, one, other))
    mine = {row.id: row for row in rows}
    found: list[UpcomingRecording] = []
    for recorder_id, of_recorder in by_recorder.items():
        recorder = plans.recorders[recorder_id]
        for window in of_recorder:
            row = mine.get(window.schedule_id)
            if row is None:
                continue
            key = (window.schedule_id, window.start)
            reservation = reserved.get(key)
            same = [
                _clash(plans, other.schedule_id, f"the recorder {recorder.name}", window.start, other.start)
                for other in of_recorder
                if other is not window and window.start < other.end and other.start < window.end
            ]
            held = _held_for_long(row, plans, window.start)
            found.append(
                UpcomingRecording(
                    schedule_id=row.id,
                    recorder_id=recorder_id,
                    recorder=recorder.name,
                    title=window.title,
                    start_at=window.start,
                    end_at=window.end,
                    first_at=window.first,
                    last_at=window.last,
                    node_id=None if reservation is None else reservation.node_id,
                    device_index=recorder.device_index,
                    reserved=None if reservation is None else reservation.held,
                    clashes=(*same, *in_the_way.get(key, ()), *(() if held is None else (held,))),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.first_at, one.recorder, one.schedule_id)))


def _recorder_named(plans: Plans, row: Row) -> str:
    return f"the recorder {plans.recorders[row.recorder_id].name}"


def _port_clash(plans: Plans, one: PortReservation, other: PortReservation) -> ScheduleClash:
    return _clash(
        plans,
        other.schedule_id,
        f"DeckLink port {one.device_index}",
        one.starts_at,
        other.starts_at,
        goes_first=one.held,
    )


def _clash(
    plans: Plans, other_id: str, what: str, start: datetime, other_start: datetime, *, goes_first: bool | None = None
) -> ScheduleClash:
    other = next(row for row in plans.schedules if row.id == other_id)
    recorder = plans.recorders[other.recorder_id].name
    return ScheduleClash(
        schedule_id=other_id,
        owner=f"recorder {recorder}",
        recorder=recorder,
        title=other.title,
        what=what,
        start_at=start,
        other_start_at=other_start,
        goes_first=goes_first,
    )


def _held_for_long(row: Row, plans: Plans, start: datetime) -> ScheduleClash | None:
    """Somebody has the port now, and will have it until he is stopped."""
    recorder = plans.recorders[row.recorder_id]
    if recorder.device_index is None or recorder.wanted_node_id is None:
        return None
    claim, owner = plans.lasting.get((recorder.wanted_node_id, recorder.device_index), (None, ""))
    if claim is None or claim.owner_id == recorder.id:
        return None
    return ScheduleClash(
        schedule_id=None,
        owner=owner,
        recorder=owner.partition(" ")[2] if claim.owner_kind == "recorder" else "",
        title="",
        what=f"DeckLink port {recorder.device_index}",
        start_at=start,
        other_start_at=claim.since,
        goes_first=False,
    )
