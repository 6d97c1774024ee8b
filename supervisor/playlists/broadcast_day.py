"""From the times of a list to instants: in list order, within the broadcast day of a zone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Final, Literal
from zoneinfo import ZoneInfo

from supervisor.playlists.schedule import DayTime, Planned
from supervisor.schemas.timecode import nominal_rate

DAY_START: Final = time(6)
"""When the broadcast day begins where no channel says it."""
_DAY: Final = timedelta(days=1)


def begins(day: date, start: time, zone: ZoneInfo) -> datetime:
    """When the broadcast day begins, in UTC: of a time that is there twice the first, and where the clock skips it
    when it has jumped."""
    local = datetime.combine(day, start)
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != local:
        return _jump(second, first, zone)
    return first


def day_of(at: datetime, start: time, zone: ZoneInfo) -> date:
    """The broadcast day in which ``at`` lies: it has begun, and the next one has not."""
    day = at.astimezone(zone).date()
    while begins(day, start, zone) > at:
        day -= _DAY
    while begins(day + _DAY, start, zone) <= at:
        day += _DAY
    return day


@dataclass(frozen=True, slots=True)
class BroadcastDay:
    """``start`` is the wall-clock time at which the day begins, ``rate`` what frames of a time are counted at.

    ``dates`` says what a date beside a time before ``start`` is: the broadcast day's, or the calendar's.
    """

    zone: ZoneInfo
    start: time
    day: date
    rate: str
    dates: Literal["broadcast", "calendar"] = "broadcast"

    @classmethod
    def running(cls, zone: ZoneInfo, start: time, now: datetime, rate: str) -> "BroadcastDay":
        """The one in which ``now`` lies."""
        return cls(zone, start, day_of(now, start, zone), rate)

    def end_after(self, at: datetime) -> datetime:
        """When the broadcast day in which ``at`` lies ends, in UTC."""
        return begins(_day_of(at, self) + _DAY, self.start, self.zone)


@dataclass(frozen=True, slots=True)
class Resolved:
    """``at`` is in UTC, to the microsecond; ``warning`` says what a clock change made of the time."""

    at: datetime | None
    warning: str = ""


def resolve(times: Sequence[tuple[Planned | None, bool]], day: BroadcastDay) -> tuple[Resolved, ...]:
    """``times`` in list order, each with whether it takes time itself (a comment does not).

    A time without a date is the first that is not before the time above it: of two that a clock change makes equal the
    later one, and the next broadcast day's where this one has none. A time that the clock skips starts when the clock
    has jumped.
    """
    resolved: list[Resolved] = []
    last: datetime | None = None
    running = day.day
    for planned, takes_time in times:
        if planned is None or isinstance(planned, datetime):
            one = Resolved(planned)
        else:
            one = _first_from(last, planned, running, day)
            if planned.day is None and one.at is not None and takes_time:
                running = max(running, _day_of(one.at, day))
        resolved.append(one)
        if takes_time and one.at is not None:
            last = one.at
    return tuple(resolved)


def _first_from(last: datetime | None, planned: DayTime, running: date, day: BroadcastDay) -> Resolved:
    if planned.day is not None:
        candidates = list(_instants(planned, planned.day, day))
        if last is not None and len(candidates) > 1 and last >= candidates[0].at_known:
            return candidates[1].resolved
        return candidates[0].resolved
    candidates = [found for ahead in (0, 1) for found in _instants(planned, running + ahead * _DAY, day)]
    if last is None:
        return candidates[0].resolved
    today = [found for found in candidates if _day_of(found.at_known, day) <= running]
    for found in today:
        if found.at_known > last:
            return found.resolved
    if today and today[-1].at_known == last:
        return today[-1].resolved
    return next((found.resolved for found in candidates if found.at_known > last), candidates[-1].resolved)


@dataclass(frozen=True, slots=True)
class _Instant:
    at_known: datetime
    warning: str = ""

    @property
    def resolved(self) -> Resolved:
        return Resolved(self.at_known, self.warning)


def _instants(planned: DayTime, on: date, day: BroadcastDay) -> Iterator[_Instant]:
    """When the wall clock shows this time on this day: once, twice, or, as it skips it, when it has jumped."""
    calendar = on + _DAY * (planned.hours // 24)
    wall = time(planned.hours % 24, planned.minutes, planned.seconds)
    dated = planned.day is not None
    part = planned.fraction + Fraction(planned.frames, nominal_rate(day.rate))
    beyond = timedelta(microseconds=round(part * 1_000_000))
    if planned.hours < 24 and wall < day.start and not (dated and day.dates == "calendar"):
        # Where the clock is set back over the day's start, the time comes once more just after it.
        again = datetime.combine(calendar, wall, day.zone).replace(fold=1).astimezone(UTC)
        if not dated and again >= begins(on, day.start, day.zone):
            yield _Instant(again + beyond)
        calendar += _DAY
    local = datetime.combine(calendar, wall)
    first, second = (local.replace(tzinfo=day.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(day.zone).replace(tzinfo=None) != local:
        jump = _jump(second, first, day.zone)
        shown = f"{jump.astimezone(day.zone):%H:%M:%S}"
        yield _Instant(jump, f"{planned} does not exist on {calendar} in {day.zone.key}; it starts at {shown}")
        return
    yield _Instant(first + beyond)
    if second > first:
        yield _Instant(second + beyond)


def _jump(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The second between the two at which the zone's offset changes."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _day_of(at: datetime, day: BroadcastDay) -> date:
    return day_of(at, day.start, day.zone)
