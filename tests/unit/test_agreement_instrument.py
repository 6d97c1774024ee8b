"""The instrument that compares output and as-run log finds what is planted."""

from fractions import Fraction

import pytest

from tests.instruments.agreement import Numbered, Record, agree, spans_of
from tests.instruments.frame_cells import Seen

RATE = Fraction(25)
KNOWN = {"one": Numbered(1, RATE), "two": Numbered(2, Fraction(50), in_frames=10), "live": Numbered(3, RATE, live=True)}
LOG: list[Record] = [
    {"kind": "on_air", "frame": 0},
    {"kind": "item_start", "frame": 0, "title": "one", "in_frames": 5},
    {"kind": "freeze_start", "frame": 10},
    {"kind": "freeze_end", "frame": 14},
    {"kind": "item_end", "frame": 20, "frames": 16},
    {"kind": "filler_start", "frame": 20},
    {"kind": "filler_end", "frame": 23},
    {"kind": "item_start", "frame": 23, "title": "two"},
    {"kind": "item_end", "frame": 30},
    {"kind": "item_start", "frame": 30, "title": "live"},
    {"kind": "live_lost", "frame": 40},
    {"kind": "live_back", "frame": 45},
    {"kind": "item_end", "frame": 50},
]


def shown(clip: int | None, number: int | None = None) -> Seen:
    return Seen(clip, number, flash=False, black=False)


def true_output() -> list[Seen]:
    return [
        *(shown(1, 5 + n) for n in range(10)),
        *(shown(1, 14) for _ in range(4)),
        *(shown(1, 15 + n) for n in range(6)),
        *(shown(None) for _ in range(3)),
        *(shown(2, 10 + 2 * n) for n in range(7)),
        *(shown(3, 100 + n) for n in range(10)),
        *(shown(3, 109) for _ in range(2)),
        *(shown(None) for _ in range(3)),
        *(shown(3, 118 + n) for n in range(5)),
    ]


def faults_of(output: list[Seen]) -> list[str]:
    return agree(enumerate(output), spans_of(LOG), KNOWN, RATE).faults


def test_a_true_output_agrees() -> None:
    result = agree(enumerate(true_output()), spans_of(LOG), KNOWN, RATE)
    assert (result.faults, result.frames) == ([], 50)
    assert result.by_kind == {"item": 38, "freeze": 4, "filler": 3, "lost": 5}


@pytest.mark.parametrize(
    ("frame", "wrong"),
    [
        (3, shown(1, 7)), (3, shown(None)), (11, shown(1, 15)), (13, shown(2, 14)), (20, shown(1, 21)),
        (23, shown(2, 11)), (29, shown(1, 22)), (33, shown(3, 101)), (33, shown(None)), (39, shown(1, 109)),
        (41, shown(3, 110)),
        (43, shown(1, 5)), (46, shown(3, 100)),
    ],
    ids=str,
)  # fmt: skip
def test_a_planted_frame_is_found(frame: int, wrong: Seen) -> None:
    output = true_output()
    output[frame] = wrong
    found = faults_of(output)
    assert found, "the planted frame was not found"
    assert found[0].startswith((f"frame {frame}:", f"frame {frame + 1}:"))


def test_a_frame_that_is_missing_is_found() -> None:
    output = true_output()
    del output[4]
    assert faults_of(output)


def test_a_log_that_leaves_a_frame_unowned_is_refused() -> None:
    holed = [record for record in LOG if not str(record["kind"]).startswith("filler")]
    with pytest.raises(ValueError, match="no owner"):
        spans_of(holed)
