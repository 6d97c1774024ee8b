"""The times and lengths of BXF (bxftypes.xsd, eventdata.xsd). Pure."""

import re
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Final

from supervisor.playlists import wording
from supervisor.playlists.schedule import DayTime, Extent, Planned, Seconds, Timecode
from supervisor.playlists.xmltext import Element
from supervisor.schemas.listing import ListOptions
from supervisor.schemas.timecode import nominal_rate

_LABEL: Final = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d)([:;.,])(\d{2})", re.ASCII)
"""Before the frames ``:`` and ``.`` stand for no dropped labels, ``;`` and ``,`` for dropped ones (SMPTE 258M)."""
_DAY_S: Final = 86_400
_LOOSE: Final = {"30": "30000/1001", "60": "60000/1001"}
"""What is meant by a rate in whole frames beside a drop-frame label."""


def start_of(event: Element) -> Planned | None:
    """Raises ValueError."""
    start = event.find("StartDateTime")
    return None if start is None else date_time(start)


def date_time(place: Element) -> Planned | None:
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


def length_of(event: Element, options: ListOptions, day_start: time) -> Extent | None:
    """``day_start``: when the broadcast day begins that dates are of. Raises ValueError."""
    duration = event.find("LengthOption/Duration")
    if duration is not None:
        smpte = duration.find("SmpteDuration")
        return wording.xsd_length(duration.text_at("UtcDuration")) if smpte is None else label_of(smpte, options)
    end = event.find("LengthOption/EndDateTime")
    if end is None:
        return None
    rate = _counted(end) or _counted(event.find("StartDateTime")) or options.rate
    begins_at = None if options.dates == "calendar" else day_start
    return _between(start_of(event), date_time(end), rate, begins_at)


def _counted(place: Element | None) -> str | None:
    """The rate that a time of day says its frames count at. Raises ValueError."""
    smpte = None if place is None else place.find("SmpteDateTime")
    said = None if smpte is None else smpte.attributes.get("frameRate")
    return wording.rate(said) if said else None


def _between(begins: Planned | None, ends: Planned | None, rate: str | None, day_start: time | None) -> Seconds:
    """``day_start``: dates may be those of broadcast days, which begin then; of both readings the shorter is meant.

    Raises ValueError where the two cannot be told apart to the frame."""
    if isinstance(begins, datetime) and isinstance(ends, datetime):
        seconds = Fraction((ends - begins) // timedelta(microseconds=1), 1_000_000)
    elif isinstance(begins, DayTime) and isinstance(ends, DayTime):
        days = (ends.day - begins.day).days if begins.day and ends.day else 0
        first, last = _of_day(begins, rate), _of_day(ends, rate)
        seconds = days * _DAY_S + last - first
        if seconds < 0 and days == 0:
            seconds += _DAY_S
        if day_start is not None and begins.day and ends.day:
            by_broadcast = days * _DAY_S + _counted_on(last, day_start) - _counted_on(first, day_start)
            seconds = min((it for it in (seconds, by_broadcast) if it > 0), default=seconds)
    else:
        seconds = Fraction(0)
    if not 0 < seconds <= wording.LONGEST_S:
        raise ValueError("its end is not after its start, or not told in the same way")
    return Seconds(seconds)


def _counted_on(of_day: Fraction, day_start: time) -> Fraction:
    """A broadcast day's second as its calendar day's: what is before its start comes a day later."""
    starts = (day_start.hour * 60 + day_start.minute) * 60 + day_start.second
    return of_day if of_day >= starts else of_day + _DAY_S


def _of_day(of: DayTime, rate: str | None) -> Fraction:
    """Raises ValueError."""
    whole = Fraction((of.hours * 60 + of.minutes) * 60 + of.seconds) + of.fraction
    if not of.frames:
        return whole
    if rate is None:
        raise ValueError("its end counts frames, and nothing says at what rate")
    return whole + Fraction(of.frames, nominal_rate(rate))


def label_of(place: Element, options: ListOptions) -> Timecode:
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
