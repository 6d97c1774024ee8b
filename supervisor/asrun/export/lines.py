"""JSON lines: one event of the API a line, with its notes and with what each output adds to its times."""

import json
from datetime import datetime

from db.models import AsRunEvent as Stored
from supervisor.asrun.export.interface import NotesOf
from supervisor.asrun.spans import Span
from supervisor.schemas.asrun import AsRunEvent, AsRunNote


class JsonLines:
    counts_span = False

    def __init__(self, span: Span, now: datetime, notes: NotesOf) -> None:
        del now
        self._notes = notes
        told = [one.model_dump(mode="json", include={"kind", "place", "total_ms"}) for one in span.delays]
        self._delays = json.dumps({"output_delays": told}) if told else ""

    def begin(self) -> str:
        return ""

    def event(self, stored: Stored, event: AsRunEvent) -> str:
        del stored
        line = event.model_dump_json()
        notes = self._notes.get((event.run_id, event.seq))
        if notes:
            told = [AsRunNote.model_validate(note).model_dump(mode="json") for note in notes]
            line = f"{line[:-1]}, {json.dumps({'notes': told})[1:]}"
        if self._delays:
            line = f"{line[:-1]}, {self._delays[1:]}"
        return line + "\n"

    def end(self) -> str:
        return ""
