"""Which forms there are, and one as a stream of bytes."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.models import AsRunNote
from db.store import Store
from supervisor.asrun.export import bxf, lines, report, table
from supervisor.asrun.export.interface import NotesOf, Writer
from supervisor.asrun.shown import shown
from supervisor.asrun.spans import Span, events_of, notes_of
from supervisor.schemas.asrun import ExportFormat

_CHUNK: Final = 64 * 1024
"""Bytes that are sent at once."""


@dataclass(frozen=True, slots=True)
class Form:
    """``make`` a writer of a span as it is ``now``."""

    media_type: str
    suffix: str
    make: Callable[[Span, datetime, NotesOf], Writer]


FORMS: Final[Mapping[ExportFormat, Form]] = {
    "csv": Form("text/csv; charset=utf-8", "csv", table.CsvWriter),
    "jsonl": Form("application/x-ndjson", "jsonl", lines.JsonLines),
    "report": Form("text/plain; charset=utf-8", "txt", report.Report),
    "bxf": Form("application/xml", "bxf.xml", bxf.BxfWriter),
}


async def export(store: Store, span: Span, form: ExportFormat, now: datetime) -> AsyncIterator[bytes]:
    """The span's events that began in it, in order. Notes of them go along where the form has a place for them."""
    notes = await notes_of(store, span)
    writer = FORMS[form].make(span, now, _by_event(notes))
    waiting = bytearray(writer.begin().encode())
    # A report adds up the whole span, so what reaches into it from before counts there too.
    async for event in events_of(store, span, begun_before=writer.counts_span):
        waiting += writer.event(event, shown(event)).encode()
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    waiting += writer.end().encode()
    yield bytes(waiting)


def file_name(span: Span, form: ExportFormat) -> str:
    """Of letters, digits and hyphens: channel, day."""
    number = "" if span.number is None else f"{span.number}-"
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in span.name).strip("-")
    when = f"{span.day:%Y-%m-%d}" if span.day else f"{span.start:%Y%m%dT%H%M%SZ}-{span.end:%Y%m%dT%H%M%SZ}"
    return f"{number}{name or span.channel_id}.{when}.asrun.{FORMS[form].suffix}"


def _by_event(notes: tuple[AsRunNote, ...]) -> NotesOf:
    found: dict[tuple[str, int], list[AsRunNote]] = {}
    for note in notes:
        if note.run_id is not None and note.seq is not None:
            found.setdefault((note.run_id, note.seq), []).append(note)
    return found
