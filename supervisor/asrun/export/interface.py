"""What a form of the log is written by."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from db.models import AsRunEvent as Stored
from db.models import AsRunNote
from supervisor.schemas.asrun import AsRunEvent

NotesOf: TypeAlias = Mapping[tuple[str, int], Sequence[AsRunNote]]
"""People's notes and corrections by the event that they are of: its run and number."""


class Writer(Protocol):
    """Text, piece by piece: ``begin`` once, ``event`` for each, ``end`` once."""

    counts_span: bool
    """It is to be given what began before the span and reaches into it, too."""

    def begin(self) -> str: ...

    def event(self, stored: Stored, event: AsRunEvent) -> str: ...

    def end(self) -> str: ...


def said(note: AsRunNote) -> str:
    """One note in one line, with who wrote it."""
    what = f"{note.field} is {note.value}: {note.text}" if note.kind == "correction" else note.text
    return f"{what} ({note.by})"
