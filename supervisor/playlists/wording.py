"""The ways in which lists write times, lengths, rates and words. Pure; whatever cannot be meant raises ValueError."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, Literal

from supervisor.assets.names import is_text, title_of
from supervisor.playlists.schedule import (
    LONGEST_CATEGORY,
    DayTime,
    Extent,
    Frames,
    Kind,
    Planned,
    Seconds,
    StartMode,
    Timecode,
)

Plain = Literal["seconds", "milliseconds", "frames"]
"""What a length that is a bare number counts."""

LONGEST_S: Final = 10**7
"""Seconds: some 115 days. Nothing that airs is longer."""
_LABEL: Final = re.compile(r"\d{2,4}:[0-5]\d:[0-5]\d[:;]\d{2,3}", re.ASCII)
_CLOCK: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d)(?:[.,](\d{1,9}))?", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,12}(?:[.,]\d{1,9})?", re.ASCII)
_DAY_TIME: Final = re.compile(
    r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:[:;](\d{2,3})|[.,](\d{1,9}))?)?", re.ASCII
)
_XSD_LENGTH: Final = re.compile(
    r"P(?:0{1,4}Y)?(?:0{1,4}M)?(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.(\d{1,9}))?S)?)?",
    re.ASCII,
)
_TIMES: Final = "write 20:15:00, 2026-03-29 20:15:00 or 2026-03-29T18:15:00Z"
_YEARS: Final = range(1970, 2200)
_RATES: Final = {
    Fraction("23.976"): "24000/1001", Fraction("23.98"): "24000/1001", Fraction("29.97"): "30000/1001",
    Fraction("59.94"): "60000/1001",
}  # fmt: skip
_KINDS: Final[dict[str, Kind]] = {
    "clip": "clip", "media": "clip", "video": "clip", "file": "clip", "programme": "clip", "program": "clip",
    "spot": "clip", "commercial": "clip", "promo": "clip", "live": "live", "slate": "slate", "comment": "comment",
    "note": "comment", "header": "comment",
}  # fmt: skip
_START_MODES: Final[dict[str, StartMode]] = {
    "follow": "follow", "auto": "follow", "sequential": "follow", "hold": "hold", "manual": "hold", "fixed": "fixed",
    "hard": "fixed", "absolute": "fixed",
}  # fmt: skip


def extent(text: str, rate: str | None, plain: Plain = "seconds") -> Extent:
    """``HH:MM:SS:FF`` is a label at ``rate``; ``HH:MM:SS``, ``MM:SS`` and both with a decimal part are seconds; a bare
    number counts what ``plain`` says. Raises ValueError."""
    text = text.strip()
    if _LABEL.fullmatch(text):
        return Timecode(text, rate)
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
        return _seconds(Fraction(hours * 3600 + minutes * 60 + seconds) + _decimals(found[4]))
    if _NUMBER.fullmatch(text):
        return plain_extent(Decimal(text.replace(",", ".")), rate, plain)
    raise ValueError(f"{text[:40]!r} is no length: write HH:MM:SS:FF, HH:MM:SS or a number")


def plain_extent(number: Decimal | int, rate: str | None, plain: Plain) -> Extent:
    """A bare number. Raises ValueError for a part of a frame, or what is out of all proportion."""
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError(f"{number} is no length")
    value = Fraction(number)
    if plain == "frames":
        if value.denominator != 1 or not 0 <= value <= LONGEST_S * 300:
            raise ValueError(f"{number} is no whole number of frames")
        return Frames(int(value), rate)
    return _seconds(value / 1000 if plain == "milliseconds" else value)


def xsd_length(text: str) -> Seconds:
    """An XML Schema duration of days and smaller, ``PT1H30M``. Raises ValueError."""
    found = _XSD_LENGTH.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(f"{text[:40]!r} is no duration: write PT1H30M0S")
    days, hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3, 4))
    return _seconds(Fraction(((days * 24 + hours) * 60 + minutes) * 60 + seconds) + _decimals(found[5]))


def planned(text: str) -> Planned:
    """An ISO 8601 instant with its zone, or a time of day with or without a date, hours to 29. Raises ValueError."""
    text = text.strip()
    if found := _DAY_TIME.fullmatch(text):
        on = day(found[1]) if found[1] else None
        hours, minutes, seconds, frames = (int(part or 0) for part in found.group(2, 3, 4, 5))
        if hours > 29:
            raise ValueError(f"{text!r}: hours end at 29")
        return DayTime(hours, minutes, seconds, frames, _decimals(found[6]), on)
    if not 10 < len(text) <= 40:
        raise ValueError(f"{text[:40]!r} is no time: {_TIMES}")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: {_TIMES}") from None
    return _aware(instant) if instant.tzinfo else naive(instant)


def planned_by(text: str, form: str) -> Planned:
    """As ``form`` says, in the words of ``strptime``. Raises ValueError."""
    try:
        instant = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - a zone is what the list may leave out
    except (re.error, IndexError, KeyError) as error:
        raise ValueError(f"the time format {form!r} cannot be used: {error}") from None
    if instant.tzinfo is not None:
        return _aware(instant)
    # strptime's own first day stands for a format that names none.
    return naive(instant, dated=any(mark in form for mark in ("%d", "%j", "%D", "%x", "%c", "%F")))


def naive(instant: datetime, *, dated: bool = True) -> DayTime:
    """A local date and time, whose zone the channel knows. Raises ValueError for a year of no schedule."""
    fraction = Fraction(instant.microsecond, 1_000_000)
    on = instant.date() if dated else None
    if on is not None and on.year not in _YEARS:
        raise ValueError(f"{on} is no date of a schedule")
    return DayTime(instant.hour, instant.minute, instant.second, 0, fraction, on)


def day(text: str) -> date:
    """Raises ValueError."""
    text = text.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is None:
        raise ValueError(f"{text[:40]!r} is no date: write 2026-03-29")
    found = date.fromisoformat(text)
    if found.year not in _YEARS:
        raise ValueError(f"{text} is no date of a schedule")
    return found


def rate(text: str) -> str:
    """Frames a second as the rational that is meant: 29.97 is 30000/1001. Raises ValueError."""
    text = text.strip()
    found = re.fullmatch(r"([1-9]\d{0,6})(?:/([1-9]\d{0,6}))?|\d{1,3}\.\d{1,6}", text, re.ASCII)
    try:
        value = Fraction(text) if found else Fraction(0)
    except (ZeroDivisionError, InvalidOperation):
        value = Fraction(0)
    if not 1 <= value <= 300:
        raise ValueError(f"{text[:20]!r} is no frame rate: write 25, 29.97 or 30000/1001")
    for about, exact in _RATES.items():
        if abs(value - about) < Fraction(4, 1000):
            return exact
    if value.denominator != 1 and "/" not in text:
        raise ValueError(f"{text!r} is no frame rate that is in use: write 25, 29.97 or 30000/1001")
    return str(value)


def kind(text: str) -> Kind:
    """Raises ValueError for a word that is not in use for it."""
    found = _KINDS.get(text.strip().casefold())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no kind of event: write clip, live, slate or comment")
    return found


def start_mode(text: str) -> StartMode:
    """Raises ValueError for a word that is not in use for it."""
    found = _START_MODES.get(text.strip().casefold())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no start mode: write follow, hold or fixed")
    return found


def identifier(text: str, most: int, what: str) -> str | None:
    """One line without controls, at most ``most`` characters; empty is None. Raises ValueError: an id is not cut."""
    text = text.strip()
    if not text:
        return None
    if len(text) > most or not text.isprintable() or not is_text(text):
        raise ValueError(f"{what} {text[:40]!r} cannot be kept: one line of at most {most} characters")
    return text


def category(text: str) -> tuple[str, str]:
    """One line that an item can keep, and a remark where that is not all of it: no item falls out of a list for it."""
    text = title_of(text)
    if len(text) <= LONGEST_CATEGORY:
        return text, ""
    return text[:LONGEST_CATEGORY].rstrip(), f"its category {text[:60]!r} is cut to {LONGEST_CATEGORY} characters"


def _aware(instant: datetime) -> datetime:
    if instant.year not in _YEARS:
        raise ValueError(f"{instant} is no time of a schedule")
    return instant.astimezone(UTC)


def _decimals(digits: str | None) -> Fraction:
    return Fraction(int(digits), 10 ** len(digits)) if digits else Fraction(0)


def _seconds(value: Fraction) -> Seconds:
    if not 0 <= value <= LONGEST_S:
        raise ValueError(f"{float(value):.0f} s is no length")
    return Seconds(value)
