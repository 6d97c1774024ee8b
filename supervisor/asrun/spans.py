"""A channel's broadcast days, and the events of any span, read as a stream in bounded memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db.models import AsRunEvent, AsRunNote, Channel
from db.repositories.as_run import EventCursor, EventFilters
from db.store import Store
from supervisor.errors import Invalid
from supervisor.playlists.broadcast_day import begins, day_of
from supervisor.schemas.asrun import OutputDelay

PAGE: Final = 250
"""Rows read at once: some kilobytes each while they are looked at, and not all of that goes back to the machine."""
_READ_S: Final = 10.0
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start``, inclusive, to ``end``, exclusive, in UTC; of a broadcast day where ``day`` says so.

    ``rate`` is what frames of it are counted at, ``zone`` whose clock people read it by.
    """

    channel_id: str
    name: str
    number: int | None
    start: datetime
    end: datetime
    rate: str
    zone: ZoneInfo
    day_start: time
    day: date | None = None
    delays: tuple[OutputDelay, ...] = ()
    """What the channel's outputs add to its times, as they are when the log is written."""

    @property
    def called(self) -> str:
        """For people: the day, or from when to when."""
        if self.day is not None:
            return f"{self.day:%Y-%m-%d}"
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ} to {self.end:%Y-%m-%dT%H:%M:%SZ}"

    def broadcast_date(self, at: datetime) -> date:
        """Of the broadcast day in which ``at`` lies."""
        return day_of(at, self.day_start, self.zone)


def zone_of(channel: Channel | None) -> ZoneInfo:
    try:
        return ZoneInfo(channel.time_zone if channel else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_start_of(channel: Channel | None) -> time:
    return time.fromisoformat(channel.day_start) if channel else time()


def running_day(channel: Channel, now: datetime) -> date:
    """The broadcast day in which ``now`` lies."""
    return day_of(now, day_start_of(channel), zone_of(channel))


def span_of_day(channel: Channel, day: date) -> Span:
    """A whole broadcast day: 23, 24 or 25 hours."""
    zone, start = zone_of(channel), day_start_of(channel)
    return Span(
        channel_id=channel.id,
        name=channel.name,
        number=channel.number,
        start=begins(day, start, zone),
        end=begins(day + _DAY, start, zone),
        rate=channel.rate,
        zone=zone,
        day_start=start,
        day=day,
    )


def span_between(channel: Channel | None, channel_id: str, start: datetime, end: datetime, rate: str) -> Span:
    """Raises Invalid unless ``start`` is before ``end``. A channel that is no more is read in UTC."""
    if start >= end:
        raise Invalid("the span ends before it begins")
    return Span(
        channel_id=channel_id,
        name=channel.name if channel else "",
        number=channel.number if channel else None,
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        rate=channel.rate if channel else rate,
        zone=zone_of(channel),
        day_start=day_start_of(channel),
    )


async def events_of(store: Store, span: Span, *, begun_before: bool) -> AsyncIterator[AsRunEvent]:
    """Every event of the span in order of start, page by page, each in a transaction of its own.

    ``begun_before``: those too that began before it and reach into it.
    """
    if begun_before:
        async with store.read(timeout=_READ_S) as tx:
            reaching = await tx.as_run.reaching(span.channel_id, span.start)
        for event in reaching:
            yield event
    filters = EventFilters(channel_id=span.channel_id, start_from=span.start, start_to=span.end, newest_first=False)
    cursor: EventCursor | None = None
    while True:
        async with store.read(timeout=_READ_S) as tx:
            page = await tx.as_run.events(filters, cursor, PAGE)
        for event in page:
            yield event
        if len(page) < PAGE:
            return
        last = page[-1]
        cursor = EventCursor(last.start_at, last.channel_id, last.run_id, last.seq)


async def notes_of(store: Store, span: Span) -> tuple[AsRunNote, ...]:
    """All notes of the span: people write them, so that there are few."""
    async with store.read(timeout=_READ_S) as tx:
        return tuple(await tx.as_run_notes.of(span.channel_id, span.start, span.end))
