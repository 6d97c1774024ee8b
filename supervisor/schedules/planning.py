"""What a recorder is to do now by its schedules, and where plans clash. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from sidecar.protocol.channel import Item
from supervisor.schedules.windows import Planned, Stretch, Window, stretches, windows

LEAD: Final = timedelta(seconds=15)
"""A recorder is started so long before its first picture: a process, and an input that connects."""
_AHEAD: Final = timedelta(hours=2)
_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPACE: Final = UUID("5d2a3a52-0a39-4c61-9c8a-1d3ce4d2c002")
CLASHES_WITHIN: Final = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Plan:
    """``active``: what is recorded now or in a moment; ``until``: when the last that is contiguous with it ends."""

    active: Stretch | None
    until: datetime | None
    upcoming: tuple[Stretch, ...]


def plan_of(schedules: Iterable[Planned], now: datetime) -> Plan:
    """Of one recorder."""
    found = [window for schedule in schedules for window in windows(schedule, now - _AHEAD, now + _AHEAD)]
    there = [one for one in stretches(found) if one.last > now]
    active = next((one for one in there if one.first - LEAD <= now), None)
    until = None if active is None else active.last
    for one in there:
        if until is not None and one.first - LEAD <= until:
            until = max(until, one.last)
    return Plan(active, until, tuple(there))


def jobs_of(recorder_id: str, plan: Plan, *, by_person: bool) -> tuple[Item, ...]:
    """What its recording belongs to from when on. What a person started goes on between and after windows."""
    jobs = [Item(recorder_id, "")] if by_person else []
    for index, one in enumerate(plan.upcoming):
        window = one.window
        jobs.append(Item(one.job_id, window.title, fixed_at_ns=_ns(one.first), traffic_id=window.schedule_id))
        following = plan.upcoming[index + 1] if index + 1 < len(plan.upcoming) else None
        if by_person and (following is None or following.first > one.last):
            id_ = uuid5(_SPACE, f"{recorder_id}/{one.last.isoformat()}").hex
            jobs.append(Item(id_, "", fixed_at_ns=_ns(one.last)))
    return tuple(jobs)


@dataclass(frozen=True, slots=True)
class Clash:
    """Two windows that cannot both be recorded whole."""

    mine: Window
    other: Window
    why: str


def clashes(schedule: Planned, others: Sequence[Planned], users: Mapping[str, str], now: datetime) -> tuple[Clash, ...]:
    """The first with each of ``others``, within five weeks. ``users``: by the id of a schedule what else it needs that
    ``schedule`` needs too, in words."""
    mine = tuple(windows(schedule, now, now + CLASHES_WITHIN))
    found: list[Clash] = []
    for other in others:
        if other.id == schedule.id or other.id not in users:
            continue
        theirs = tuple(windows(other, now, now + CLASHES_WITHIN))
        pair = next(((a, b) for a in mine for b in theirs if a.start < b.end and b.start < a.end), None)
        if pair is not None:
            found.append(Clash(*pair, users[other.id]))
    return tuple(found)


def _ns(instant: datetime) -> int:
    return (instant - _UNIX) // timedelta(microseconds=1) * 1000
