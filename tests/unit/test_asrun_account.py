"""Where every frame of a span went: whatever happened, aired + filler + off air is the span."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.repositories.as_run import AsRunEventRow
from sidecar.protocol.asrun import AsRunRecord, RecordKind
from sidecar.rundown.rate import due_ns, parse_rate
from supervisor.asrun.account import Account, Piece, Totals, account
from supervisor.asrun.projection import Projection, instant_of

NS = 1_000_000_000
BEGIN = 1_700_000_000 * NS
START = instant_of(BEGIN)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def piece(run: str, start: float, frames: int | None, start_frame: int = 0, **values: object) -> Piece:
    end = None if frames is None else at(start + frames / 25)
    known: dict[str, object] = {"kind": "item", "rate": "25", "end_cause": "ended", "end_at": end}
    known |= {"start_at": at(start), "start_frame": start_frame, "frames": frames}
    return Piece(run_id=run, **{**known, **values})  # type: ignore[arg-type] - fields by name


def numbers(totals: Totals) -> dict[str, int]:
    names = ("aired", "filler", "off_air", "unaccounted", "twice", "stepped")
    assert totals.adds_up
    return {name: value for name in names if (value := getattr(totals, name))}


def test_a_run_and_what_is_around_it() -> None:
    pieces = [piece("a", 2, 100), piece("a", 6, 50, 100, kind="filler"), piece("a", 8, 25, 150, end_cause="stop")]
    totals = account(pieces, START, at(10), "25")
    assert numbers(totals) == {"aired": 125, "filler": 50, "off_air": 75}
    assert [(gap.at, gap.frames, gap.why) for gap in totals.gaps] == [
        (START, 50, "not started"),
        (at(9), 25, "stopped"),
    ]


def test_a_failover_is_off_air_by_that_name() -> None:
    lost = piece("a", 0, 100, end_cause=None, status="unknown end")
    totals = account([lost, piece("b", 6, 100, start_cause="resume")], START, at(10), "25")
    assert numbers(totals) == {"aired": 200, "off_air": 50}
    assert totals.off_air_by == {"failover": 50}
    assert totals.proven == 100


def test_frames_that_no_event_has_are_unaccounted() -> None:
    totals = account([piece("a", 0, 100), piece("a", 6, 100, 150)], START, at(10), "25")
    assert numbers(totals) == {"aired": 200, "unaccounted": 50}


def test_a_run_that_stood_still_was_off_air_meanwhile() -> None:
    """SIGSTOP: frame numbers go on where they were, and the clock does not."""
    totals = account([piece("a", 0, 100), piece("a", 7, 75, 100)], START, at(10), "25")
    assert numbers(totals) == {"aired": 175, "off_air": 75}
    assert totals.off_air_by == {"stalled": 75}
    within = account([piece("a", 0, 175, end_at=at(10))], START, at(10), "25")
    assert numbers(within) == {"aired": 175, "off_air": 75}


def test_two_at_once_are_counted_once_and_told() -> None:
    totals = account([piece("a", 0, 250), piece("b", 4, 250)], START, at(14), "25")
    assert numbers(totals) == {"aired": 350, "twice": 150}


def test_what_is_on_air_aired_until_now() -> None:
    counting = Account(START, at(10), "25", until=at(4))
    counting.add(piece("a", 0, None, status="on air"))
    totals = counting.close()
    assert (numbers(totals), totals.span, totals.gaps) == ({"aired": 100}, 100, [])


def test_what_is_to_come_of_a_day_that_still_runs_is_not_off_air() -> None:
    """P4: only what lies between the last frame and now."""
    counting = Account(START, at(10), "25", until=at(4))
    counting.add(piece("a", 0, 75))
    totals = counting.close()
    assert (numbers(totals), totals.span) == ({"aired": 75, "off_air": 25}, 100)
    assert numbers(Account(at(5), at(10), "25", until=at(4)).close()) == {}


def test_a_journal_that_is_gone_counts_up_to_what_came_after_and_as_not_proven() -> None:
    totals = account([piece("a", 0, None, status="on air"), piece("b", 4, 150)], START, at(10), "25")
    assert numbers(totals) == {"aired": 250}
    assert totals.proven == 150


def test_a_clock_that_was_set_back_loses_no_frame() -> None:
    totals = account([piece("a", 2, 100), piece("a", 4, 100, 100)], START, at(10), "25")
    assert numbers(totals) == {"aired": 200, "off_air": 50, "stepped": 50}


@dataclass
class World:
    """Runs of one channel as engines would have written them: kills, failovers, gaps, stalls, at any rate."""

    rate: Fraction
    runs: Sequence[tuple[int, int, Sequence[tuple[str, int]], bool]]

    def events(self) -> Iterator[tuple[str, AsRunEventRow]]:
        """Every run's records through the real projection."""
        begin = BEGIN
        for number, (gap_ms, offset_ns, parts, killed) in enumerate(self.runs):
            begin += gap_ms * 1_000_000 + offset_ns
            records = list(self._records(str(number), begin, parts, killed))
            projection, made = Projection(), dict[int, AsRunEventRow]()
            for record in records:
                made.update({event.seq: event for event in projection.add([record])})
            made.update({event.seq: event for event in projection.end(records[-1])})
            yield from ((str(number), made[seq]) for seq in sorted(made))
            begin = records[-1].wall_ns

    def _records(self, run: str, begin: int, parts: Sequence[tuple[str, int]], killed: bool) -> Iterator[AsRunRecord]:
        frame, seq = 0, 1

        def record(kind: str, cause: str, frames: int | None = None) -> AsRunRecord:
            wall = begin + due_ns(frame, self.rate)
            known = cast("RecordKind", kind)
            return AsRunRecord(
                "c", run, int(run) + 1, seq, known, frame, wall, str(self.rate), "p", cause, frames=frames
            )

        yield record("on_air", "arm")
        for index, (what, frames) in enumerate(parts):
            seq += 1
            yield record(f"{what}_start", "resume" if index == 0 and int(run) else "follow")
            frame += frames
            seq += 1
            if killed and index == len(parts) - 1:
                # Its last words: frames that were late, within what nobody ended.
                yield record("late", "no data", 0)
                return
            yield record(f"{what}_end", "ended", frames)
        seq += 1
        yield record("run_end", "stop")


PARTS = st.lists(st.tuples(st.sampled_from(["item", "filler"]), st.integers(1, 3000)), min_size=1, max_size=6)
RUNS = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(0, 39_999_999), PARTS, st.booleans()), min_size=0, max_size=5
)


@settings(deadline=None)
@given(
    runs=RUNS,
    rate=st.sampled_from(["24", "25", "30000/1001", "50", "60000/1001"]),
    begin_ms=st.integers(-60_000, 200_000),
    length_ms=st.integers(1, 600_000),
)
def test_any_records_add_up_to_any_span(
    runs: list[tuple[int, int, list[tuple[str, int]], bool]], rate: str, begin_ms: int, length_ms: int
) -> None:
    """P4: kills, failovers and gaps; 0 unaccounted frames, nothing twice beyond the rounding at a run's edge."""
    start = START + timedelta(milliseconds=begin_ms)
    end = start + timedelta(milliseconds=length_ms)
    events = list(World(parse_rate(rate), runs).events())
    totals = account((_piece(run, event) for run, event in events), start, end, rate)
    assert totals.adds_up
    assert totals.unaccounted == 0
    assert totals.stepped == 0
    assert totals.twice <= len(runs)
    assert sum(totals.off_air_by.values()) == totals.off_air
    assert totals.off_air_by.get("stalled", 0) == 0
    if events and begin_ms <= 0 and end >= max(event.end_at or START for _, event in events):
        # The whole of it is in the span: every frame that a run numbered is there.
        frames = sum(event.frames or 0 for _, event in events)
        assert frames - len(runs) <= totals.aired + totals.filler <= frames


def _piece(run: str, event: AsRunEventRow) -> Piece:
    return Piece(
        run, event.kind, event.start_at, event.end_at, event.start_frame, event.frames, event.rate,
        event.start_cause, event.end_cause, event.status,
    )  # fmt: skip


@pytest.mark.parametrize("days", [1, 7])
def test_a_day_of_unround_frames_does_not_drift(days: int) -> None:
    """29.97: the clock's instants are rounded to a microsecond, the frames are exact."""
    rate = parse_rate("30000/1001")
    runs = [(0, 13_333_333, [("item", 30 * 60), ("filler", 7)] * (days * 60), False)]
    pieces = [_piece(run, event) for run, event in World(rate, runs).events()]
    last = pieces[-1]
    totals = account(pieces, START, START + timedelta(days=days), "30000/1001")
    assert totals.adds_up
    assert (totals.aired, totals.filler) == (30 * 60 * days * 60, 7 * days * 60)
    assert totals.unaccounted == totals.twice == totals.stepped == 0
    assert last.end_at is not None
