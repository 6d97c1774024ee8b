"""CSV that a spreadsheet opens as text: a title never becomes a formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes Excel, LibreOffice and Google Sheets take a cell for a formula (OWASP, "CSV Injection")."""


def cell(value: object) -> str:
    """A cell's text; None is empty. Text that would start a formula gets a leading apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def write_rows(stream: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Rows as RFC 4180 has them, lines ending with CR LF: Python quotes a lone CR within a cell only then."""
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell(value) for value in row])
