"""From a schedule's wall-clock times to instants. Pure.

A wall-clock time that a change to summer time leaves out is taken to be as much later as the clock was put forward; one
that comes twice is the first of the two. Lengths are real time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

_SPACE = UUID("5d2a3a52-0a39-4c61-9c8a-1d3ce4d2c001")


@dataclass(frozen=True, slots=True)
class Planned:
    """What of a schedule decides when it records; fields as in ``db.models.Schedule``."""

    id: str
    recorder_id: str
    title: str
    kind: str
    date: str
    at: str
    until: str | None
    weekdays: tuple[int, ...]
    time_zone: str
    duration_s: int
    pre_roll_s: int
    post_roll_s: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Window:
    """One airing to be recorded: ``start`` to ``end``, with its rolls ``first`` to ``last``. Aware UTC."""

    schedule_id: str
    title: str
    start: datetime
    end: datetime
    first: datetime
    last: datetime


def windows(schedule: Planned, after: datetime, before: datetime) -> Iterator[Window]:
    """Those of ``schedule`` that overlap the time from ``after`` to ``before``, in order."""
    if not schedule.enabled:
        return
    zone, at = ZoneInfo(schedule.time_zone), time.fromisoformat(schedule.at)
    margin = timedelta(seconds=schedule.duration_s + schedule.pre_roll_s + schedule.post_roll_s, days=2)
    day = max(date.fromisoformat(schedule.date), (after - margin).date())
    last_day = (before + margin).date()
    if schedule.until is not None:
        last_day = min(last_day, date.fromisoformat(schedule.until))
    if schedule.kind == "once":
        last_day = min(last_day, date.fromisoformat(schedule.date))
    while day <= last_day:
        if schedule.kind != "weekly" or day.weekday() in schedule.weekdays:
            window = _window(schedule, datetime.combine(day, at, zone).astimezone(UTC))
            if window.last > after and window.first < before:
                yield window
        day += timedelta(days=1)


def _window(schedule: Planned, start: datetime) -> Window:
    end = start + timedelta(seconds=schedule.duration_s)
    return Window(
        schedule.id,
        schedule.title,
        start,
        end,
        start - timedelta(seconds=schedule.pre_roll_s),
        end + timedelta(seconds=schedule.post_roll_s),
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a recording belongs to a window: stretches share no time."""

    window: Window
    first: datetime
    last: datetime

    @property
    def job_id(self) -> str:
        """The same whenever it is computed, another for every stretch."""
        return uuid5(_SPACE, f"{self.window.schedule_id}/{self.first.isoformat()}").hex


def stretches(found: Iterable[Window]) -> tuple[Stretch, ...]:
    """In order; nothing that a window or its rolls has is left out.

    Where the rolls of two overlap, the one ends where the other begins: at the end of the first, or as soon after it as
    the second wants. Of windows whose own times overlap the one that began last has it, and the other goes on after it.
    """
    there = list(found)
    marks = sorted({mark for it in there for mark in (it.first, it.start, it.end, it.last)})
    result: list[Stretch] = []
    for first, last in pairwise(marks):
        window = _whose(there, first)
        if window is None:
            continue
        before = result[-1] if result else None
        if before is not None and before.window == window and before.last == first:
            result[-1] = Stretch(window, before.first, last)
        else:
            result.append(Stretch(window, first, last))
    return tuple(result)


def _whose(there: Iterable[Window], at: datetime) -> Window | None:
    """Of those that have this instant: by its own time, else by its pre-roll, else by its post-roll."""
    having = [it for it in there if it.first <= at < it.last]
    return max(having, key=lambda it: (it.start <= at < it.end, at < it.start, it.start, it.schedule_id), default=None)
