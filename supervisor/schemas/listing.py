"""How a list is to be read: what it does not say of itself, and which column of a table is what."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Line, RateText, Schema

ListFormat = Literal["csv", "json", "m3u", "ffplayout", "bxf"]
Column = Literal[
    "traffic_id", "house_id", "path", "title", "kind", "date", "start", "start_mode", "in", "out", "duration", "source",
    "expendable", "category",
]  # fmt: skip
Encoding = Literal[
    "utf-8", "utf-16", "ascii", "latin-1", "iso-8859-2", "iso-8859-5", "iso-8859-9", "iso-8859-15", "cp437", "cp850",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257",
]  # fmt: skip
_Place = Annotated[int, Field(ge=1, le=1000)]
_Word = Annotated[Line, Field(min_length=1, max_length=80)]


class ListOptions(Schema):
    """All of it may be left out. What a list says itself wins over `time_zone`, `date` and `rate`.

    `date` is the broadcast day of times without a date, `rate` what its timecodes count at (else each clip's own).
    `dates`: whether a date beside a time before the start of the broadcast day is the day's (`broadcast`) or the
    calendar's. The rest is for CSV: `columns` says by name, or by number from 1, which column is what; without it the
    first line is looked at for names in use. `numbers` is what a bare number counts in a length, `time_format` how
    starts are written, in the words of strptime; `kinds` and `start_modes` what the list's own words mean.
    """

    time_zone: Annotated[str, Field(max_length=64)] | None = None
    date: dt.date | None = None
    dates: Literal["broadcast", "calendar"] = "broadcast"
    rate: RateText | None = None
    encoding: Encoding | None = None
    separator: Literal[",", ";", "\t", "|"] | None = None
    header: bool | None = None
    columns: dict[Column, _Word | _Place] = Field(default_factory=dict[Column, str | int])
    numbers: Literal["seconds", "milliseconds", "frames"] = "seconds"
    time_format: Annotated[Line, Field(min_length=2, max_length=60)] | None = None
    kinds: dict[_Word, Literal["clip", "live", "slate", "comment", "skip"]] = Field(
        default_factory=dict[str, Literal["clip", "live", "slate", "comment", "skip"]], max_length=100
    )
    start_modes: dict[_Word, Literal["follow", "hold", "fixed"]] = Field(
        default_factory=dict[str, Literal["follow", "hold", "fixed"]], max_length=100
    )
