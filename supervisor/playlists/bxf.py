"""A schedule from BXF (SMPTE ST 2021): the ``Schedule`` of a ``BxfMessage``. Pure.

Names, places and words are those of the schema that SMPTE publishes as st2021-4 (schedule.xsd, scheduledevent.xsd,
eventdata.xsd, bxftypes.xsd, bxfcontentid.xsd). All its versions are read: names count, the namespace does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from supervisor.assets.names import title_of
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.schedule import (
    Collecting,
    DayTime,
    Extent,
    Planned,
    Schedule,
    ScheduledEvent,
    Seconds,
    StartMode,
    Timecode,
)
from supervisor.playlists.tables import LONGEST_HOUSE_ID, LONGEST_TRAFFIC_ID
from supervisor.playlists.xmltext import Element, parse
from supervisor.schemas.listing import ListOptions
from supervisor.schemas.timecode import nominal_rate

_LABEL: Final = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d)([:;.,])(\d{2})", re.ASCII)
"""Before the frames ``:`` and ``.`` stand for no dropped labels, ``;`` and ``,`` for dropped ones (SMPTE 258M)."""
_HEADERS: Final = frozenset({"Primary-ProgramHeader", "Primary-BreakHeader", "Comment"})
_START_MODES: Final[dict[str, StartMode]] = {"Follow": "follow", "Fixed": "fixed", "Manual": "hold", "External": "hold"}
_LOOSE: Final = {"30": "30000/1001", "60": "60000/1001"}
"""What is meant by a rate in whole frames beside a drop-frame label."""
_TRUE: Final = frozenset({"true", "1"})


def of_bxf(data: bytes, folder: Path, options: ListOptions) -> Schedule:
    """Every primary event of the message's schedule. Raises Invalid when the message holds no schedule, or several."""
    del folder
    root = parse(data)
    if root.name != "BxfMessage":
        raise Invalid(f"this is not BXF: its root is {root.name[:40]!r} and not BxfMessage")
    schedules = [schedule for body in root.all("BxfData") for schedule in body.all("Schedule")]
    primary = [schedule for schedule in schedules if schedule.attributes.get("type", "Primary") == "Primary"]
    channels = sorted({_channel(schedule) for schedule in primary})
    if not primary:
        raise Invalid(
            "this BXF message holds no primary schedule", hint="Only schedules are read, nothing else of BXF."
        )
    if len(channels) > 1:
        raise Invalid(
            f"this BXF message holds schedules of {len(channels)} channels: {', '.join(channels)[:200]}",
            hint="Send one message a channel.",
        )
    if any(part.attributes.get("action") == "remove" for part in (*root.all("BxfData"), *primary)):
        raise Invalid("this BXF message asks to remove a schedule; a list is replaced by sending the one that holds")
    found = Collecting()
    found.remarks += [
        f"line {schedule.line}: a schedule of type {schedule.attributes.get('type', '')[:40]!r} is not used"
        for schedule in schedules
        if schedule not in primary
    ]
    for schedule in primary:
        for event in schedule.all("AsRun"):
            found.refused.append(f"line {event.line}: an as-run record, not a scheduled event")
        for scheduled in schedule.all("ScheduledEvent"):
            _read(scheduled, options, found)
    return found.schedule()


@dataclass(frozen=True, slots=True)
class _Part:
    """One event: what is said of its airing, and what of its content."""

    event: Element
    content: Element | None
    has_elements: bool


def _read(scheduled: Element, options: ListOptions, found: Collecting) -> None:
    parts = tuple(_parts(scheduled))
    if not parts:
        found.refused.append(f"line {scheduled.line}: it has no EventData: news of a content, not an event")
    for part in parts:
        line = f"line {part.event.line}"
        removed = "remove" in (scheduled.attributes.get("action"), part.event.attributes.get("action"))
        if removed:
            found.remarks.append(f"{line}: an event that is to be removed; it is not in the list")
        elif secondary := _secondary(part.event):
            found.remarks.append(f"{line}: {secondary}, which is not used")
        else:
            try:
                found.events.append(_event(line, part, options, found.remarks))
            except (ValueError, Invalid) as error:
                found.refused.append(f"{line}: {error}")


def _parts(scheduled: Element) -> Iterator[_Part]:
    """Its own event, and each of its elements. Beside elements its own is the heading of them all."""
    elements = tuple(scheduled.all("ScheduleElements"))
    own = scheduled.find("EventData")
    if own is not None:
        yield _Part(own, scheduled.find("Content"), bool(elements))
    for element in elements:
        event = element.find("EventData")
        if event is not None:
            yield _Part(event, element.find("Content") or element.find("MultiContent"), has_elements=False)


def _secondary(event: Element) -> str:
    """What it is if it is not a primary event, empty else."""
    kind = event.attributes.get("eventType", "")
    if kind == "Macro" or event.find("MacroEvent") is not None:
        return "a macro"
    if kind == "NonPrimary" or event.find("NonPrimaryEvent") is not None:
        name = event.text_at("NonPrimaryEvent/NonPrimaryEventName") or event.text_at("EventTitle")
        return f"a secondary event ({title_of(name)[:40]})" if name else "a secondary event"
    return ""


def _event(line: str, part: _Part, options: ListOptions, remarks: list[str]) -> ScheduledEvent:
    """Raises ValueError, Invalid."""
    event, content = part.event, part.content
    title = title_of(_title(event, content)) or None
    planned, length = _start(event), _length(event, options)
    is_header = part.has_elements or (content is None and event.attributes.get("eventType") in _HEADERS)
    made = ScheduledEvent(
        line=line,
        kind="comment" if is_header else "clip",
        traffic_id=wording.identifier(event.text_at("EventId/EventId"), LONGEST_TRAFFIC_ID, "event id"),
        title=title,
        planned=planned,
    )
    if is_header:
        return made if title else replace(made, title="header")
    mode = event.text_at("StartMode") or "Follow"
    if mode not in _START_MODES:
        raise ValueError(f"its start mode {mode[:40]!r} is none of BXF's")
    if mode == "External":
        remarks.append(f"{line}: started from outside, in the list's words; it waits for a take")
    made = replace(
        made,
        house_id=wording.identifier(_house_id(content), LONGEST_HOUSE_ID, "house number"),
        start_mode=_START_MODES[mode],
        length=length,
        expendable=event.text_at("Expendable").lower() in _TRUE,
    )
    place = None if content is None else content.find("Media/MediaLocation")
    source = None if place is None else place.find("Location/RouterSource")
    if source is not None:
        name = source.text_at("CrossPoint") or source.text_at("Name")
        return replace(made, kind="live", source=title_of(name) or None)
    if made.house_id is None:
        raise ValueError("it names no clip: its content has no house number")
    som = None if place is None else place.find("SOM")
    return made if som is None else replace(made, begin=_label(som, options))


def _title(event: Element, content: Element | None) -> str:
    program = event.text_at("PrimaryEvent/ProgramEvent/ProgramName")
    return event.text_at("EventTitle") or ("" if content is None else content.text_at("Name")) or program


def _house_id(content: Element | None) -> str:
    """The house number, else the first other id (ISCI, Ad-ID…) that the content is known by."""
    ids = None if content is None else content.find("ContentId")
    return "" if ids is None else ids.text_at("HouseNumber") or ids.text_at("AlternateId")


def _start(event: Element) -> Planned | None:
    """Raises ValueError."""
    start = event.find("StartDateTime")
    return None if start is None else _date_time(start)


def _date_time(place: Element) -> Planned | None:
    if (utc := place.text_at("UtcDateTime")) != "":
        planned = wording.planned(utc)
        # It is UTC by its name, whether or not it says so.
        return wording.planned(f"{utc}Z") if isinstance(planned, DayTime) and planned.day else planned
    smpte = place.find("SmpteDateTime")
    if smpte is None:
        return None
    label = smpte.text_at("SmpteTimeCode")
    found = _LABEL.fullmatch(label)
    if found is None:
        raise ValueError(f"its start {label[:40]!r} is no timecode")
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    day = smpte.attributes.get("broadcastDate")
    if hours > 29:
        raise ValueError(f"its start {label!r}: hours end at 29")
    return DayTime(hours, minutes, seconds, frames, day=wording.day(day) if day else None)


def _length(event: Element, options: ListOptions) -> Extent | None:
    """Raises ValueError."""
    duration = event.find("LengthOption/Duration")
    if duration is not None:
        smpte = duration.find("SmpteDuration")
        return wording.xsd_length(duration.text_at("UtcDuration")) if smpte is None else _label(smpte, options)
    end = event.find("LengthOption/EndDateTime")
    return None if end is None else _between(_start(event), _date_time(end), options)


def _between(begins: Planned | None, ends: Planned | None, options: ListOptions) -> Seconds:
    """Raises ValueError where the two cannot be told apart to the frame."""
    if isinstance(begins, datetime) and isinstance(ends, datetime):
        seconds = Fraction((ends - begins) // timedelta(microseconds=1), 1_000_000)
    elif isinstance(begins, DayTime) and isinstance(ends, DayTime):
        days = (ends.day - begins.day).days if begins.day and ends.day else 0
        seconds = days * 86_400 + _of_day(ends, options) - _of_day(begins, options)
        if seconds < 0 and days == 0:
            seconds += 86_400
    else:
        seconds = Fraction(0)
    if not 0 < seconds <= wording.LONGEST_S:
        raise ValueError("its end is not after its start, or not told in the same way")
    return Seconds(seconds)


def _of_day(time: DayTime, options: ListOptions) -> Fraction:
    whole = Fraction((time.hours * 60 + time.minutes) * 60 + time.seconds) + time.fraction
    if time.frames and options.rate is None:
        raise ValueError("its end counts frames, and nothing says at what rate")
    return whole + (Fraction(time.frames, nominal_rate(options.rate)) if options.rate else 0)


def _label(place: Element, options: ListOptions) -> Timecode:
    """Raises ValueError."""
    text = place.text_at("SmpteTimeCode")
    found = _LABEL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no timecode")
    separator = ";" if found[4] in ";," else ":"
    counted = place.attributes.get("frameRate")
    rate = wording.rate(counted) if counted else options.rate
    if separator == ";" and rate in _LOOSE:
        rate = _LOOSE[rate]
    return Timecode(f"{found[1]}:{found[2]}:{found[3]}{separator}{found[5]}", rate)


def _channel(schedule: Element) -> str:
    channel = schedule.find("Channel")
    if channel is None:
        return ""
    names = {name.casefold(): value for name, value in channel.attributes.items()}
    return names.get("shortname") or names.get("channelnumber", "")
