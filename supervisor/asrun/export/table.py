"""CSV that a spreadsheet opens as text: a title never becomes a formula."""

import csv
import io
from datetime import UTC, datetime
from typing import Final

from db.models import AsRunEvent as Stored
from supervisor.asrun.delays import in_words
from supervisor.asrun.export.interface import NotesOf, said
from supervisor.asrun.spans import Span
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.timecode import format_timecode, time_of_day

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes Excel, LibreOffice and Google Sheets take a cell for a formula (OWASP, "CSV Injection")."""

COLUMNS: Final = (
    "channel", "channel_name", "broadcast_date", "start_local", "start_utc", "end_utc", "duration", "title",
    "house_id", "traffic_id", "kind", "statuses", "start_cause", "by", "end_cause", "reason", "planned_start_utc",
    "planned_end_utc", "predicted_start_utc", "predicted_end_utc", "start_proof", "end_proof", "frames",
    "planned_frames", "late_frames", "rate", "source_in", "source_out", "source_rate", "source", "fingerprint",
    "in_frames", "continues_run", "continues_seq", "lost_frames", "notes", "item_id", "asset_id", "run_id", "epoch",
    "seq", "start_frame", "output_delays",
)  # fmt: skip


class CsvWriter:
    """RFC 4180, UTF-8, lines ending with CR LF: Python quotes a lone CR within a cell only then."""

    counts_span = False

    def __init__(self, span: Span, now: datetime, notes: NotesOf) -> None:
        del now
        self._span, self._notes = span, notes
        self._text = io.StringIO()
        self._csv = csv.writer(self._text, lineterminator="\r\n")

    def begin(self) -> str:
        return self._row(COLUMNS)

    def event(self, stored: Stored, event: AsRunEvent) -> str:
        del stored
        span = self._span
        notes = self._notes.get((event.run_id, event.seq), ())
        follows = event.continues
        return self._row(
            (
                span.number, span.name, f"{span.broadcast_date(event.start_at)}",
                time_of_day(event.start_at.astimezone(span.zone), event.rate), _utc(event.start_at),
                _utc(event.end_at), None if event.frames is None else format_timecode(event.frames, event.rate),
                event.title, event.house_id, event.traffic_id, event.kind, "; ".join(event.statuses),
                event.start_cause, event.by, event.end_cause, event.detail, _utc(event.planned_at),
                _utc(event.planned_end_at), _utc(event.predicted_at), _utc(event.predicted_end_at), event.start_proof,
                event.end_proof, event.frames, event.planned_frames, event.late, event.rate, event.source_in,
                event.source_out, event.source_rate, event.source, event.fingerprint, event.in_frames,
                follows.run_id if follows else None, follows.seq if follows else None, event.lost_frames,
                "; ".join(map(said, notes)), event.item_id, event.asset_id, event.run_id, event.epoch, event.seq,
                event.start_frame, in_words(span.delays) or None,
            )
        )  # fmt: skip

    def end(self) -> str:
        return ""

    def _row(self, values: tuple[object, ...]) -> str:
        self._text.seek(0)
        self._text.truncate()
        self._csv.writerow([cell(value) for value in values])
        return self._text.getvalue()


def cell(value: object) -> str:
    """A cell's text; None is empty. Text that would start a formula gets a leading apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
