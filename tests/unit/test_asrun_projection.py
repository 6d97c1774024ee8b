"""As-run events out of journal records: pure, the same whole or in pieces."""

from dataclasses import asdict
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.repositories.as_run import AsRunEventRow
from sidecar.protocol.asrun import AsRunRecord, RecordKind
from supervisor.asrun.projection import Projection, instant_of

NS = 1_000_000_000


def record(seq: int, kind: RecordKind, frame: int, **more: object) -> AsRunRecord:
    values = {
        "channel_id": "c", "run_id": "r", "epoch": 1, "seq": seq, "kind": kind, "frame": frame,
        "wall_ns": 1_700_000_000 * NS + frame * 40_000_000, "rate": "25", "prev": "p",
    }  # fmt: skip
    return AsRunRecord(**{**values, **more})  # type: ignore[arg-type] - fields by name


PLANNED = 1_700_000_002 * NS
PREDICTED = 1_700_000_002 * NS + 400_000_000
WHEN = {"planned_at_ns": PLANNED, "predicted_at_ns": PREDICTED}
RUN = [
    record(1, "run_start", 0),
    record(2, "on_air", 0, cause="arm"),
    record(3, "item_start", 0, item_id="a", title="A", cause="arm", by="olga", planned_frames=60),
    record(4, "late", 10, item_id="a", frames=2, late=2),
    record(5, "command", 40, cause="take", by="olga"),
    record(6, "item_end", 50, item_id="a", title="A", cause="take", frames=50, late=2),
    record(7, "item_start", 50, item_id="b", title="B", cause="take", traffic_id="t-7", **WHEN),
    record(8, "freeze_start", 60, item_id="b", title="B", cause="pause"),
    record(9, "freeze_end", 70, item_id="b", title="B", frames=10),
    record(10, "item_skipped", 80, item_id="x", title="X", cause="failed", detail="no such file"),
    record(11, "item_end", 150, item_id="b", title="B", cause="ended", frames=100),
    record(12, "freeze_start", 150, item_id="b", title="B", cause="hold"),
    record(13, "freeze_end", 200, item_id="b", title="B", cause="take", frames=50),
    record(14, "item_start", 200, item_id="c", title="C", cause="take"),
    record(15, "item_end", 210, item_id="c", title="C", cause="no data", frames=10, detail="gave no data for 2 s"),
    record(16, "filler_start", 210, cause="no data"),
    record(17, "filler_end", 260, cause="standby", frames=50),
    record(18, "filler_start", 260, cause="standby", by="olga"),
    record(19, "filler_end", 300, cause="stop", frames=40),
    record(20, "run_end", 300, cause="stop"),
]


def merged(pieces: list[list[AsRunRecord]]) -> dict[int, AsRunEventRow]:
    """As the store keeps them: by number, the newest wins; every piece begins with what is open there."""
    kept: dict[int, AsRunEventRow] = {}
    for piece in pieces:
        aired = [event for event in kept.values() if event.kind != "skipped"]
        projection = Projection(
            (event for event in kept.values() if event.end_at is None),
            max(aired, key=lambda event: event.seq, default=None),
            predicts=bool(kept) and pieces[0][0].predicts,
        )
        kept.update({event.seq: event for event in projection.add(piece)})
    return kept


def test_every_frame_of_a_run_is_in_one_event() -> None:
    """P4: what aired, to the frame, with why it began and ended."""
    events = merged([RUN])
    told = [
        (event.kind, event.title, event.start_frame, event.frames, event.start_cause, event.end_cause, event.status)
        for event in events.values()
    ]
    assert told == [
        ("item", "A", 0, 50, "arm", "take", "cut"),
        ("item", "B", 50, 100, "take", "ended", "aired"),
        ("skipped", "X", 80, 0, "failed", "failed", "skipped"),
        ("filler", "held picture of B", 150, 50, "hold", "take", "cut"),
        ("item", "C", 200, 10, "take", "no data", "aired short"),
        ("filler", "filler", 210, 50, "no data", "standby", "cut"),
        ("filler", "standby", 260, 40, "standby", "stop", "cut"),
    ]
    aired = [event for event in events.values() if event.kind != "skipped"]
    ends = list(accumulate(event.frames or 0 for event in aired))
    assert [event.start_frame for event in aired] == [0, *ends[:-1]]
    assert ends[-1] == 300
    assert (events[3].late, events[3].by) == (2, "olga")
    assert events[3].start_at == instant_of(RUN[2].wall_ns)
    assert events[3].end_at == instant_of(RUN[5].wall_ns)
    assert events[10].detail == "no such file"


@given(cuts=st.lists(st.integers(1, len(RUN) - 1), max_size=6, unique=True))
def test_pieces_make_the_same_events_as_the_whole(cuts: list[int]) -> None:
    """P4: collected page by page, with the projection begun anew at any point, nothing differs."""
    edges = [0, *sorted(cuts), len(RUN)]
    pieces = [RUN[a:b] for a, b in pairwise(edges)]
    assert {seq: asdict(it) for seq, it in merged(pieces).items()} == {
        seq: asdict(it) for seq, it in merged([RUN]).items()
    }


def test_a_lost_live_input_is_filler_between_two_events_of_its_item() -> None:
    """P4: the time without it is no programme, and every frame is still in one event."""
    names = {"item_id": "l", "title": "Live"}
    run = [
        record(1, "on_air", 0, cause="arm"),
        record(2, "item_start", 0, cause="arm", **names),
        record(3, "late", 100, cause="no data", frames=38, late=38, **names),
        record(4, "live_lost", 138, cause="live lost", detail="connection refused", **names),
        record(5, "live_back", 300, cause="live back", frames=162, **names),
        record(6, "late", 400, cause="no data", frames=38, late=38, **names),
        record(7, "live_lost", 438, cause="live lost", **names),
        record(8, "live_back", 500, cause="take", frames=62, **names),
        record(9, "item_end", 500, cause="take", frames=500, late=76, **names),
        record(10, "item_start", 500, cause="take", item_id="n", title="N"),
    ]
    for pieces in ([run], [[one] for one in run]):
        told = [
            (event.kind, event.title, event.start_frame, event.frames, event.late, event.start_cause, event.end_cause)
            for event in merged(pieces).values()
        ]
        assert told == [
            ("item", "Live", 0, 138, 38, "arm", "live lost"),
            ("filler", "live input lost", 138, 162, 0, "live lost", "live back"),
            ("item", "Live", 300, 138, 38, "live back", "live lost"),
            ("filler", "live input lost", 438, 62, 0, "live lost", "take"),
            ("item", "N", 500, None, 0, "take", None),
        ]


def test_a_run_that_died_says_what_is_proven_and_no_more() -> None:
    """P4."""
    projection = Projection()
    projection.add(RUN[:5])
    (event,) = projection.end(RUN[4])
    assert (event.title, event.status, event.frames) == ("A", "unknown end", 40)
    assert event.end_at == instant_of(RUN[4].wall_ns)
    assert event.end_cause is None
    assert "proven for 40 frames" in event.detail
    assert projection.end(RUN[4]) == ()


def test_an_event_says_what_was_planned_and_what_was_predicted() -> None:
    """A was to air 60 frames when it began: B was to begin then, and was taken ten frames earlier."""
    events = merged([RUN])
    assert events[7].predicted_at == instant_of(PREDICTED)
    assert (events[7].planned_at, events[7].traffic_id) == (instant_of(PLANNED), "t-7")
    assert events[3].predicted_at is None  # its record says nothing of it


@pytest.mark.parametrize("cut", [6, 7, 20])
def test_of_an_older_sidecars_run_what_was_predicted_follows_from_the_event_before(cut: int) -> None:
    """Its records never say it. A was to air 60 frames when it began; how long a held picture stands nobody knows."""
    older = [msgspec.structs.replace(one, predicted_at_ns=None) for one in RUN]
    told = merged([older[:cut], older[cut:]])
    assert told[7].predicted_at == instant_of(RUN[2].wall_ns + 60 * 40_000_000)
    assert (told[3].predicted_at, told[12].predicted_at, told[14].predicted_at) == (None, None, None)
    newer = [msgspec.structs.replace(older[0], predicts=True), *older[1:]]
    assert merged([newer[:cut], newer[cut:]])[7].predicted_at is None, "a sidecar that predicts did not know either"


def test_an_event_says_how_its_engine_knew_of_its_start_and_of_its_end() -> None:
    proofs = {7: "confirmed", 10: "inferred", 11: "inferred", 12: "inferred"}
    run = [msgspec.structs.replace(one, proof=proofs.get(one.seq, "")) for one in RUN]
    told = {seq: (event.start_proof, event.end_proof) for seq, event in merged([run]).items()}
    assert told[3] == (None, None), "an engine's own frames"
    assert told[7] == ("confirmed", "inferred")
    assert told[10] == ("inferred", "inferred")
    assert told[12] == ("inferred", None)


def test_an_item_on_air_has_no_end_yet() -> None:
    (event,) = Projection().add(RUN[:3])
    assert (event.status, event.end_at, event.frames) == ("on air", None, None)
