"""Times as people give them beside an item, read as a list's are: in list order, within the broadcast day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from db.models import Channel, Item
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.broadcast_day import BroadcastDay, resolve
from supervisor.playlists.schedule import DayTime, Planned
from supervisor.schemas.airing import Times


@dataclass(frozen=True, slots=True)
class Given:
    """The instants of one item, in UTC; ``warnings`` tell what a clock change made of them."""

    fixed_at: datetime | None = None
    end_at: datetime | None = None
    block_until: datetime | None = None
    warnings: tuple[str, ...] = ()


def anchor(before: Sequence[Item]) -> datetime | None:
    """The last instant that stands above: what a time of day below it comes after."""
    times = (item.fixed_at or item.planned_start for item in reversed(before) if item.kind != "comment")
    return next((at for at in times if at is not None), None)


def given_times(
    items: Sequence[Times], after: datetime | None, channel: Channel | None, now: datetime
) -> tuple[Given, ...]:
    """``after``: the last instant above them. ``channel``: whose zone, broadcast day and rate hold; a time of day
    without one cannot be read. Where nothing stands above, and on a list that airs, no time of day is before now.

    Raises Invalid for what is no time.
    """
    last = after
    found: list[Given] = []
    for one in items:
        fixed, warned = _instant("fixed", one.fixed_at, one.fixed_time, last, channel, now)
        begun = fixed or last
        end, end_warned = _instant("end", one.end_at, one.end_time, begun, channel, now)
        until, until_warned = _instant("block_until", one.block_until, one.block_until_time, begun, channel, now)
        found.append(Given(fixed, end, until, (*warned, *end_warned, *until_warned)))
        last = begun
    return tuple(found)


def _instant(
    name: str, at: datetime | None, text: str | None, last: datetime | None, channel: Channel | None, now: datetime
) -> tuple[datetime | None, tuple[str, ...]]:
    if text is None:
        return at, ()
    if at is not None:
        raise Invalid(f"{name} is given as an instant and as a time of day", hint="Give one of the two.")
    try:
        planned: Planned = wording.planned(text)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if not isinstance(planned, DayTime):
        return planned, ()
    if channel is None:
        raise Invalid(
            f"no channel plays this list, so nobody knows in which zone {text!r} is",
            hint="Give the instant with its zone, as in 2026-03-29T18:15:00Z.",
        )
    airs = channel.desired == "on" or channel.phase != "off"
    floor = now if last is None or (airs and last < now) else last
    if planned.day is not None:
        floor = last or datetime.min.replace(tzinfo=UTC)  # a date says which day is meant, and that of the calendar
    zone = ZoneInfo(channel.time_zone)
    start = time.fromisoformat(channel.day_start)
    running = now if planned.day is not None else floor
    day = replace(BroadcastDay.running(zone, start, running, channel.rate), dates="calendar")
    _, found = resolve([(floor, True), (planned, True)], day)
    return found.at, (found.warning,) if found.warning else ()
