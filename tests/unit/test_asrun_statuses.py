"""What became of an event, in SMPTE ST 2021's words."""

from datetime import UTC, datetime, timedelta

import pytest

from db.repositories.as_run import AsRunEventRow
from supervisor.asrun.shown import shown_of_run, source_span
from supervisor.asrun.statuses import statuses_of

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)


def item(**values: object) -> AsRunEventRow:
    known: dict[str, object] = {
        "seq": 1, "kind": "item", "title": "News", "start_at": AT, "start_frame": 0, "rate": "25",
        "start_cause": "follow", "status": "aired", "end_at": AT + timedelta(seconds=4), "frames": 100,
        "planned_frames": 100, "end_cause": "ended", "path": "/clips/news.mxf",
    }  # fmt: skip
    return AsRunEventRow(**{**known, **values})  # type: ignore[arg-type] - fields by name


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (item(), ("Aired Without Discrepancy",)),
        (item(end_at=None, frames=None, end_cause=None, status="on air"), ()),
        (item(planned_frames=None), ("Aired Without Discrepancy",)),
        (item(frames=80, end_cause="take", status="cut"), ("Aired with Duration Discrepancy",)),
        (item(frames=80, end_cause="standby", status="cut"), ("Preempted", "Aired with Duration Discrepancy")),
        (item(frames=750), ("Aired with Duration Discrepancy",)),
        (
            item(frames=80, end_cause="no data", status="aired short"),
            ("Technical Difficulty", "Aired with Duration Discrepancy"),
        ),
        (item(late=2), ("Aired with Content Discrepancy",)),
        (item(in_frames=500, start_cause="rejoin"), ("Joined in Progress",)),
        (item(in_frames=500, start_cause="resume", continues_run_id="r", continues_seq=3), ("Technical Difficulty",)),
        (item(inserted=True), ("Inserted by Operator",)),
        (
            item(frames=80, end_cause=None, status="unknown end"),
            ("Technical Difficulty", "Aired with Duration Discrepancy", "Unknown"),
        ),
        (item(kind="skipped", frames=0, start_cause="failed", path=None), ("Did not air", "Missing Content")),
        (
            item(kind="skipped", frames=0, start_cause="failed", detail="No such file or directory"),
            ("Did not air", "Missing Content"),
        ),
        (item(kind="skipped", frames=0, start_cause="no data"), ("Did not air", "Technical Difficulty")),
        (item(kind="skipped", frames=0, start_cause="expendable"), ("Did not air", "Preempted")),
        (item(kind="skipped", frames=0, start_cause="jumped", by="ann"), ("Did not air", "Preempted")),
        (item(kind="filler", start_cause="standby"), ("Inserted by Operator",)),
        (item(kind="filler", start_cause="no data"), ("Technical Difficulty",)),
        (item(kind="filler", start_cause="ended"), ()),
    ],
)
def test_words(event: AsRunEventRow, words: tuple[str, ...]) -> None:
    assert statuses_of(event) == words


@pytest.mark.parametrize(
    ("values", "span"),
    [
        ({"source_in": 10, "source_rate": "25"}, (10, 110)),
        ({"source_in": 10, "source_rate": "50"}, (10, 210)),
        ({"source_in": 10, "source_rate": "25", "in_frames": 20}, (30, 130)),
        ({"source_in": 0, "source_rate": "30000/1001"}, (0, 120)),
        ({"source_in": 10, "source_rate": "25", "frames": 103, "late": 3}, (10, 110)),
        ({"source_in": 10, "source_rate": "25", "frames": None}, (10, None)),
        ({"source_in": None}, (None, None)),
    ],
)
def test_in_and_out_in_the_files_own_frames(values: dict[str, object], span: tuple[int | None, int | None]) -> None:
    assert source_span(item(**values)) == span


def test_planned_and_predicted_ends() -> None:
    event = item(
        planned_at=AT - timedelta(seconds=2), in_frames=25, source_in=0, source_rate="25", status="unknown end"
    )
    out = shown_of_run(event, "c" * 32, "r", 3)
    assert out.planned_end_at == AT + timedelta(seconds=3)  # of the whole item, the part passed over included
    assert out.predicted_end_at == AT + timedelta(seconds=4)
    assert (out.start_proof, out.end_proof) == ("confirmed", "inferred")
    assert (out.source, out.source_in, out.source_out) == ("/clips/news.mxf", 25, 125)


@pytest.mark.parametrize(
    ("values", "proofs"),
    [
        ({}, ("confirmed", "confirmed")),
        ({"start_proof": "confirmed", "end_proof": "inferred"}, ("confirmed", "inferred")),
        ({"start_proof": "inferred", "end_proof": "confirmed"}, ("inferred", "confirmed")),
        ({"start_proof": "inferred", "end_at": None, "frames": None}, ("inferred", None)),
    ],
)
def test_what_an_engine_inferred_is_not_shown_as_confirmed(
    values: dict[str, object], proofs: tuple[str, str | None]
) -> None:
    out = shown_of_run(item(**values), "c" * 32, "r", 3)
    assert (out.start_proof, out.end_proof) == proofs
