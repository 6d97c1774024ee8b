"""Schedules as they are shown: when they record next, and what is in the way of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from db.models import PortClaim, PortReservation, Recorder
from db.models import Schedule as Row
from db.transaction import Transaction
from supervisor.schedules.planning import CLASHES_WITHIN, clashes
from supervisor.schedules.stored import planned
from supervisor.schedules.windows import Window, windows
from supervisor.schemas.schedule import Schedule, ScheduleClash, UpcomingRecording

_OF_ROW = tuple(name for name in Schedule.model_fields if name not in ("next_start_at", "next_end_at", "clashes"))


ANOTHERS: Final = "something of another project"


@dataclass(frozen=True, slots=True)
class Plans:
    """All that is planned, as one transaction saw it, ``schedules`` by id, the oldest first.

    ``overlaps``: by schedule, its windows with those of other recorders that want the same port at the same time.
    ``lasting``: by node and port, by whom it is held with nobody knowing until when.
    """

    schedules: Mapping[str, Row]
    recorders: Mapping[str, Recorder]
    reserved: Sequence[PortReservation]
    overlaps: Mapping[str, Sequence[tuple[PortReservation, PortReservation]]]
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
    overlaps: dict[str, list[tuple[PortReservation, PortReservation]]] = {}
    for one, other in await tx.reservations.overlaps():
        overlaps.setdefault(one.schedule_id, []).append((one, other))
    schedules = {row.id: row for row in await tx.schedules.list()}
    return Plans(schedules, recorders, await tx.reservations.list(), overlaps, lasting)


def unnamed(
    clashes: Iterable[ScheduleClash], seen: Callable[[str | None], bool], plans: Plans
) -> tuple[ScheduleClash, ...]:
    """Without a word of whose they are, where ``seen`` says no of the project of what is in the way."""
    told: list[ScheduleClash] = []
    for clash in clashes:
        other = plans.schedules.get(clash.schedule_id or "")
        if other is not None and seen(plans.recorders[other.recorder_id].project_id):
            told.append(clash)
        else:
            told.append(clash.model_copy(update={"schedule_id": None, "owner": ANOTHERS, "recorder": "", "title": ""}))
    return tuple(told)


def shown_schedule(row: Row, plans: Plans, now: datetime) -> Schedule:
    """With the first clash with each other, within five weeks."""
    mine = planned(row)
    following = next(windows(mine, now, now + CLASHES_WITHIN), None)
    same = {
        one.id: _recorder_named(plans, one) for one in plans.schedules.values() if one.recorder_id == row.recorder_id
    }
    others = [planned(plans.schedules[id_]) for id_ in same]
    found = [
        _clash(plans, clash.other.schedule_id, same[clash.other.schedule_id], clash.mine.start, clash.other.start)
        for clash in clashes(mine, others, same, now)
    ]
    seen: set[str] = set()
    for one, other in plans.overlaps.get(row.id, ()):
        if other.schedule_id not in seen and one.until_at > now:
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
    for row in plans.schedules.values():
        by_recorder.setdefault(row.recorder_id, []).extend(windows(planned(row), now, now + within))
    reserved = {(one.schedule_id, one.starts_at): one for one in plans.reserved}
    in_the_way: dict[tuple[str, datetime], list[ScheduleClash]] = {}
    for of_recorder in by_recorder.values():
        for one, other in _overlapping(of_recorder):
            what = _recorder_named(plans, plans.schedules[one.schedule_id])
            clash = _clash(plans, other.schedule_id, what, one.start, other.start)
            in_the_way.setdefault((one.schedule_id, one.start), []).append(clash)
    for of_schedule in plans.overlaps.values():
        for kept, wanted in of_schedule:
            clash = _port_clash(plans, kept, wanted)
            in_the_way.setdefault((kept.schedule_id, kept.starts_at), []).append(clash)
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
                    clashes=(*in_the_way.get(key, ()), *(() if held is None else (held,))),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.first_at, one.recorder, one.schedule_id)))


def _overlapping(found: Iterable[Window]) -> Iterator[tuple[Window, Window]]:
    """Every two whose own times overlap, from both sides."""
    there = sorted(found, key=lambda one: (one.start, one.schedule_id))
    for place, one in enumerate(there):
        for other in islice(there, place + 1, None):
            if other.start >= one.end:
                break
            yield one, other
            yield other, one


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
    other = plans.schedules[other_id]
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
