"""A schedule from our own JSON, whose form is in docs/lists.md. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from supervisor.assets.names import is_text, title_of
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.entries import path_of
from supervisor.playlists.jsontext import json_object
from supervisor.playlists.schedule import (
    Collecting,
    DayTime,
    Extent,
    Frames,
    Planned,
    Schedule,
    ScheduledEvent,
)
from supervisor.playlists.tables import LONGEST_HOUSE_ID, LONGEST_TRAFFIC_ID
from supervisor.playlists.text import decoded
from supervisor.schemas.listing import ListOptions

FORMAT: Final = "mcr-schedule"
_FIELDS: Final = frozenset({
    "traffic_id", "house_id", "path", "title", "kind", "date", "start", "start_mode", "in", "out", "duration", "source",
    "expendable", "category",
})  # fmt: skip
_HEAD: Final = frozenset({"format", "version", "time_zone", "date", "rate", "events"})


class _NotOfTheForm(ValueError):
    """A value of another type than the form has there."""


@dataclass(frozen=True, slots=True)
class _Reading:
    folder: Path
    rate: str | None


def of_json(data: bytes, folder: Path, options: ListOptions) -> Schedule:
    """Relative paths start at ``folder``. Raises Invalid when it is not the form."""
    document = json_object(decoded(data, options.encoding))
    events = document.get("events")
    if document.get("format") != FORMAT or document.get("version") != 1 or not isinstance(events, list):
        raise Invalid(
            f'this is no schedule of ours: it needs "format": "{FORMAT}", "version": 1 and "events"',
            hint="docs/lists.md describes the form; name the format if it is another program's.",
        )
    try:
        time_zone = _text(document, "time_zone", 64)
        day = None if (text := _text(document, "date", 20)) is None else wording.day(text)
        rate = options.rate if (text := _text(document, "rate", 20)) is None else wording.rate(text)
    except ValueError as error:
        raise Invalid(str(error)) from None
    found = Collecting()
    found.remarks += [f"{name[:40]!r} is not known and not used" for name in sorted(document.keys() - _HEAD)]
    for number, values in enumerate(cast("list[object]", events), 1):
        try:
            event, remarks = _event(f"event {number}", values, _Reading(folder, rate))
        except (ValueError, Invalid) as error:
            found.refused.append(f"event {number}: {error}")
        else:
            found.events.append(event)
            found.remarks += [f"event {number}: {remark}" for remark in remarks]
    return found.schedule(time_zone=time_zone, day=day)


def _event(line: str, values: object, reading: _Reading) -> tuple[ScheduledEvent, list[str]]:
    """Raises ValueError, Invalid."""
    if not isinstance(values, dict):
        raise _NotOfTheForm("not an object")
    fields = cast("dict[str, object]", values)
    kind = wording.kind(_text(fields, "kind", 40) or "clip")
    path = _text(fields, "path", 4096)
    expendable = fields.get("expendable", False)
    if not isinstance(expendable, bool):
        raise _NotOfTheForm("expendable is neither true nor false")
    category, remark = wording.category(_text(fields, "category", 10_000) or "")
    event = ScheduledEvent(
        line=line,
        kind=kind,
        traffic_id=wording.identifier(_text(fields, "traffic_id", 1000) or "", LONGEST_TRAFFIC_ID, "event id"),
        house_id=wording.identifier(_text(fields, "house_id", 1000) or "", LONGEST_HOUSE_ID, "house id"),
        path=None if path is None else path_of(path, reading.folder),
        source=wording.identifier(_text(fields, "source", 500) or "", 500, "source"),
        title=title_of(_text(fields, "title", 10_000) or "") or None,
        planned=_planned(fields),
        start_mode=wording.start_mode(_text(fields, "start_mode", 40) or "follow"),
        begin=_extent(fields, "in", reading.rate),
        end=_extent(fields, "out", reading.rate),
        length=_extent(fields, "duration", reading.rate),
        expendable=expendable,
        category=category,
    )
    if kind == "clip" and not event.house_id and not event.path:
        raise ValueError("it names no clip, by house_id or by path")
    if kind == "comment" and (event.house_id or event.path or not event.title):
        raise ValueError("a comment is a title and no clip")
    remarks = [f"{name[:40]!r} is not known and not used" for name in sorted(fields.keys() - _FIELDS)]
    return event, [*remarks, *filter(None, (remark,))]


def _planned(fields: dict[str, object]) -> Planned | None:
    start, on = _text(fields, "start", 40), _text(fields, "date", 20)
    if start is None:
        return None
    planned = wording.planned(start)
    if on is not None and isinstance(planned, DayTime) and planned.day is None:
        return replace(planned, day=wording.day(on))
    return planned


def _extent(fields: dict[str, object], name: str, rate: str | None) -> Extent | None:
    """A label, a clock time, a number of seconds, or ``{"frames": n}``."""
    value = fields.get(name)
    match value:
        case None:
            return None
        case bool():
            pass
        case str():
            return wording.extent(value, rate)
        case int() | Decimal():
            return wording.plain_extent(value, rate, "seconds")
        case {"frames": int(count)} if not isinstance(count, bool) and 0 <= count <= wording.LONGEST_S * 300:
            return Frames(count, rate)
        case _:
            pass
    raise ValueError(f'{name} is {str(value)[:40]}: write "00:00:30:00", seconds, or {{"frames": 750}}')


def _text(fields: dict[str, object], name: str, most: int) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > most or not is_text(value):
        raise ValueError(f"{name} is {str(value)[:40]!r}, not text")
    return value
