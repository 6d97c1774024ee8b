"""The soak's judge finds what is planted, and its faults are the same for the same seed."""

from typing import Any

from bench.soak_faults import LATE, draw
from bench.soak_judge import Line, figures, slope
from bench.soak_station import STEADY

HOURS = 1.0


def process(pid: int, anon_mib: float, descriptors: int) -> dict[str, Any]:
    return {"pid": pid, "anon": round(anon_mib * 1024), "descriptors": descriptors, "threads": 4, "ticks": 0}


def soak(*, grows_mib_per_hour: float = 0.0, descriptors_per_hour: float = 0.0) -> list[Line]:
    lines: list[Line] = []
    for at in range(0, 3600, 10):
        hours = at / 3600
        seen = process(7, 100 + grows_mib_per_hour * hours, 20 + round(descriptors_per_hour * hours))
        lines.append({
            "what": "sample", "s": float(at), "processes": {"supervisor": seen}, "lag_ms": 3.0, "hz": 100,
            "database": 100, "load": 1.0,
        })  # fmt: skip
    return lines


def proof(**planted: int | bool) -> Line:
    sound = {
        "what": "proof", "channel": STEADY, "holds": True, "span": 100, "aired": 90, "off_air": 10, "unaccounted": 0,
        "twice": 0, "inferred": 0, "faulty": 0, "not_stored": 0, "records": 9,
    }  # fmt: skip
    return {**sound, **planted}


def test_a_soak_without_a_fault_has_nothing_wrong() -> None:
    found, wrong = figures([*soak(), proof()], HOURS)
    assert wrong == []
    assert (found["supervisor_mib_per_hour"], found["frames_unaccounted"]) == (0.0, 0)
    assert found["supervisor_descriptors_last"] == 20


def test_memory_that_grows_and_descriptors_that_are_kept_are_found() -> None:
    found, wrong = figures(soak(grows_mib_per_hour=30), HOURS)
    assert round(float(str(found["supervisor_mib_per_hour"]))) == 30
    assert any("memory of supervisor" in sentence for sentence in wrong)
    assert any("descriptors" in sentence for sentence in figures(soak(descriptors_per_hour=20), HOURS)[1])


def test_a_memory_that_jumps_between_seams_is_flat_and_one_whose_peaks_grow_is_not() -> None:
    def planted(grows_mib_per_hour: float) -> list[Line]:
        lines = soak(grows_mib_per_hour=grows_mib_per_hour)
        for number, line in enumerate(lines):
            line["processes"]["supervisor"]["dirty"] = line["processes"]["supervisor"]["anon"] - 30_000 * (number % 3)
        return lines

    found, wrong = figures(planted(0), HOURS)
    assert (found["supervisor_grown_mib"], wrong) == (0.0, [])
    assert found["supervisor_peaks_mib"] == [100] * 5
    assert any("memory of supervisor" in sentence for sentence in figures(planted(15), HOURS)[1])


def test_a_log_that_does_not_account_for_every_frame_is_found() -> None:
    for planted in ({"holds": False}, {"unaccounted": 1}, {"not_stored": 1}):
        assert len(figures([*soak(), proof(**planted)], HOURS)[1]) == 1


def test_a_channel_that_did_not_come_back_and_an_answer_nobody_expects_are_found() -> None:
    fault = {"what": "fault", "number": 1, "kind": "sidecar_killed", "back_s": None, "why": "still dark"}
    clients = {"what": "clients", "life": "1", "counts": {"unexpected 500 defect": 1, "answered": 5}}
    wrong = figures([*soak(), fault, clients], HOURS)[1]
    assert [sentence for sentence in wrong if "still dark" in sentence or "500" in sentence] == wrong
    assert len(wrong) == 2


def test_the_same_seed_draws_the_same_faults_and_late_ones_spare_what_is_measured() -> None:
    assert [draw(7, n, 0.1) for n in range(50)] == [draw(7, n, 0.1) for n in range(50)]
    late = [draw(7, n, 0.9) for n in range(200)]
    assert {fault.kind for fault in late} == set(LATE)
    assert STEADY not in {fault.channel for fault in late}


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope([(0, 1)]) == 0
