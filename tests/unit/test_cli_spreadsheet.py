"""As-run CSV is data to every program that opens it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcr_console.cli.spreadsheet import cell, write_rows


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")'])
def test_a_title_never_becomes_a_formula(title: str) -> None:
    assert cell(title) == "'" + title


@pytest.mark.parametrize(("value", "text"), [(-3, "-3"), (0, "0"), (None, ""), ("News = on", "News = on")])
def test_numbers_and_plain_text_stay_what_they_are(value: object, text: str) -> None:
    assert cell(value) == text


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1)))
def test_every_text_comes_back_from_a_csv_reader(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    write_rows(stream, rows)
    read = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert read == [[cell(value) for value in row] for row in rows]
