"""Files and their gaps, from the as-recorded log alone."""

from datetime import UTC, datetime, timedelta

from sidecar.protocol.asrun import GENESIS, AsRunRecord, RecordKind
from supervisor.api.recordings import files_of

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DIGEST = "ab" * 32


def record(run: int, seq: int, kind: RecordKind, at: float, **values: object) -> AsRunRecord:
    """``at`` in seconds after noon."""
    given = {"airing": 1, "frame": 0, "path": f"/m/{run}.mp4", "title": "News", **values}
    wall = int((NOON + timedelta(seconds=at)).timestamp() * 1000) * 1_000_000
    return AsRunRecord(
        channel_id="c" * 32, run_id=f"{run:032x}", epoch=run, seq=seq, kind=kind, wall_ns=wall, rate="25",
        prev=GENESIS, **given,  # type: ignore[arg-type] - test values
    )  # fmt: skip


def found_out(run: int, seq: int, at: float, pictures: int) -> AsRunRecord:
    said = f"/m/{run - 1}.mp4: 4711 bytes, sha256 {DIGEST}"
    return record(run, seq, "decision", at, cause="file", detail=said, frames=pictures, airing=None, path=None)


def test_what_was_cut_short_has_its_length_once_somebody_looked_and_what_was_lost_after_it() -> None:
    cut_short = [record(1, 1, "item_start", 0.0, cause="arm")]
    again = [record(2, 1, "item_start", 12.0, cause="arm", detail="10 frames before this")]
    first, second = files_of([*cut_short, *again])
    assert (first.end_at, first.frames, second.lost_before) == (None, None, None)
    assert second.start_at == NOON + timedelta(seconds=11.6)
    first, second = files_of([*cut_short, *again, found_out(2, 2, 20.0, 250)])
    assert (first.frames, first.end_cause, first.bytes, first.sha256) == (250, "cut short", 4711, DIGEST)
    assert first.end_at == NOON + timedelta(seconds=10)
    assert second.lost_before == 40


def test_pictures_that_did_not_come_within_a_file_have_their_place_in_it() -> None:
    records = [
        record(1, 1, "item_start", 0.0, cause="arm"),
        record(1, 2, "live_back", 4.0, frame=100, frames=50),
        record(2, 1, "item_start", 14.0, cause="arm"),
        found_out(2, 2, 30.0, 200),
    ]
    first, second = files_of(records)
    assert (first.frames, first.lost_frames, second.lost_before) == (250, 50, 100)


def test_nothing_is_lost_before_what_somebody_began_anew_or_what_overlaps() -> None:
    def ended(cause: str, at: float) -> AsRunRecord:
        return record(1, 2, "item_end", at, frame=250, frames=250, cause=cause)

    begins = record(1, 1, "item_start", 0.0, cause="arm")
    _, second = files_of([begins, ended("stop", 10.0), record(2, 1, "item_start", 60.0, cause="arm")])
    assert second.lost_before is None
    # A node that was only unreachable recorded on while another had begun.
    _, second = files_of([begins, ended("failed", 10.0), record(2, 1, "item_start", 8.0, cause="arm")])
    assert second.lost_before == 0
    _, second = files_of([begins, ended("segment", 10.0), record(1, 3, "item_start", 10.0, airing=2)])
    assert second.lost_before is None
