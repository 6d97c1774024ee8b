"""A schedule from a table of text (CSV), by a mapping of its columns. Pure."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from supervisor.assets.names import title_of
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.entries import path_of
from supervisor.playlists.schedule import (
    Collecting,
    DayTime,
    Extent,
    Kind,
    Planned,
    Schedule,
    ScheduledEvent,
    StartMode,
)
from supervisor.playlists.text import decoded
from supervisor.schemas.listing import Column, ListOptions

LONGEST_HOUSE_ID: Final = 80
LONGEST_TRAFFIC_ID: Final = 120
"""Characters."""
_SEPARATORS: Final = ",;\t|"
_NAMES: Final[Mapping[Column, str]] = {
    "traffic_id": "id|eventid|trafficid|eventnumber|uuid|spotid",
    "house_id": "houseid|housenumber|houseno|clipid|clip|materialid|material|mediaid|media|assetid|tapeid|videoid",
    "path": "path|file|filename|filepath|location",
    "title": "title|name|description|programme|program|clipname",
    "kind": "kind|type|eventtype",
    "date": "date|day|airdate|startdate|broadcastdate",
    "start": "start|starttime|time|airtime|ontime|onair|plannedstart",
    "start_mode": "startmode|mode|starttype",
    "in": "in|som|tcin|markin|inpoint|startofmessage",
    "out": "out|eom|tcout|markout|outpoint|endofmessage",
    "duration": "duration|length|dur|len",
    "source": "source|input|url",
    "expendable": "expendable",
    "category": "category|eventcategory|genre",
}
"""What columns are called, without spaces and signs, in any case."""
_YES: Final = frozenset({"1", "true", "yes", "y", "x"})
_NO: Final = frozenset({"", "0", "false", "no", "n"})


def of_csv(data: bytes, folder: Path, options: ListOptions) -> Schedule:
    """Relative paths start at ``folder``. Raises Invalid when it is no table, or no column names the clips."""
    text = decoded(data, options.encoding)
    rows = _rows(text, options.separator or _separator(text))
    if not rows:
        raise Invalid("the list is empty")
    header = rows[0][1]
    named = _by_name(header) if options.header is not False else {}
    columns = _columns(options, header, named)
    found = Collecting()
    for line, cells in rows[1:] if _has_header(options, named) else rows:
        try:
            event = _event(_Row(f"line {line}", cells, columns), folder, options, found.remarks)
        except _Skipped as error:
            found.remarks.append(f"line {line}: {error}")
        except (ValueError, Invalid) as error:
            found.refused.append(f"line {line}: {error}")
        else:
            found.events.append(event)
    return found.schedule()


class _Skipped(Exception):
    """The mapping says that this row is left out."""


class _Row:
    def __init__(self, line: str, cells: Sequence[str], columns: Mapping[Column, int]) -> None:
        self.line = line
        self._cells = cells
        self._columns = columns

    def get(self, column: Column) -> str:
        """Empty where there is no such column, or the row ends before it."""
        index = self._columns.get(column)
        return "" if index is None or index >= len(self._cells) else self._cells[index].strip()


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Every row that is not blank, with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"line {line}: this is no table: {error}") from None
    return rows


def _separator(text: str) -> str:
    """What stands most often in the first line that is not blank; a comma where none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=first.count)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _by_name(header: Sequence[str]) -> dict[Column, int]:
    """The columns that the first line names in a word that is in use; the first of each."""
    found: dict[Column, int] = {}
    for index, cell in enumerate(header):
        word = _plain(cell)
        for column, names in _NAMES.items():
            if word and word in names.split("|"):
                found.setdefault(column, index)
    return found


def _has_header(options: ListOptions, named: Mapping[Column, int]) -> bool:
    if options.header is not None:
        return options.header
    by_name = any(isinstance(column, str) for column in options.columns.values())
    return by_name or bool(named and not options.columns)


def _columns(options: ListOptions, header: Sequence[str], named: Mapping[Column, int]) -> dict[Column, int]:
    there = ", ".join(repr(cell.strip()[:40]) for cell in header[:30])
    if not options.columns:
        columns = dict(named)
        if not columns.keys() & {"house_id", "path", "title"}:
            raise Invalid(
                f"no column is known to name the clips; the first line holds {there}",
                hint="Give a mapping that says which column is what, by name or number.",
            )
        return columns
    if options.header is False and any(isinstance(column, str) for column in options.columns.values()):
        raise Invalid("a list without a header has no names of columns", hint="Number them, from 1.")
    names = {_plain(cell): index for index, cell in reversed(list(enumerate(header)))}
    columns: dict[Column, int] = {}
    for column, wanted in options.columns.items():
        index = wanted - 1 if isinstance(wanted, int) else names.get(_plain(wanted))
        if index is None:
            raise Invalid(f"there is no column {wanted!r}; the first line holds {there}")
        columns[column] = index
    if not columns.keys() & {"house_id", "path", "title"}:
        raise Invalid("the mapping names neither a house_id nor a path nor a title")
    return columns


def _event(row: _Row, folder: Path, options: ListOptions, remarks: list[str]) -> ScheduledEvent:
    """Raises ValueError, Invalid, and _Skipped."""
    word = row.get("kind")
    own: dict[str, Kind | Literal["skip"]] = {_plain(name): kind for name, kind in options.kinds.items()}
    meant = own.get(_plain(word)) if word else "clip"
    if meant == "skip":
        raise _Skipped(f"{word!r} is left out, as the mapping says")
    kind = meant or wording.kind(word)
    house_id = wording.identifier(row.get("house_id"), LONGEST_HOUSE_ID, "house id")
    title = title_of(row.get("title")) or None
    path = row.get("path")
    if kind == "clip" and not house_id and not path:
        raise ValueError("it names no clip, by house id or by path")
    if kind == "comment" and not title:
        raise ValueError("a comment without a word")
    category, remark = wording.category(row.get("category"))
    event = ScheduledEvent(
        line=row.line,
        kind=kind,
        traffic_id=wording.identifier(row.get("traffic_id"), LONGEST_TRAFFIC_ID, "event id"),
        house_id=house_id,
        path=path_of(path, folder) if path else None,
        source=wording.identifier(row.get("source"), 500, "source"),
        title=title,
        planned=_planned(row, options),
        start_mode=_start_mode(row, options),
        begin=_extent(row, "in", options),
        end=_extent(row, "out", options),
        length=_extent(row, "duration", options),
        expendable=_flag(row.get("expendable")),
        category=category,
    )
    if remark:
        remarks.append(f"{row.line}: {remark}")
    if event.kind == "comment" and (event.house_id or event.path):
        remarks.append(f"{row.line}: a comment; the clip that it names is not used")
        return replace(event, house_id=None, path=None)
    return event


def _planned(row: _Row, options: ListOptions) -> Planned | None:
    start, day = row.get("start"), row.get("date")
    if not start:
        return None
    if options.time_format is not None:
        joined = f"{day} {start}" if day else start
        return wording.planned_by(joined, options.time_format)
    planned = wording.planned(start)
    if day and isinstance(planned, DayTime) and planned.day is None:
        return replace(planned, day=wording.day(day))
    return planned


def _start_mode(row: _Row, options: ListOptions) -> StartMode:
    word = row.get("start_mode")
    if not word:
        return "follow"
    own: dict[str, StartMode] = {_plain(name): mode for name, mode in options.start_modes.items()}
    return own.get(_plain(word)) or wording.start_mode(word)


def _extent(row: _Row, column: Column, options: ListOptions) -> Extent | None:
    text = row.get(column)
    return wording.extent(text, options.rate, options.numbers) if text else None


def _flag(text: str) -> bool:
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise ValueError(f"{text[:20]!r} is neither yes nor no")
