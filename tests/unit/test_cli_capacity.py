"""How many channels a machine carries follows from what was measured."""

from dataclasses import replace

from mcr_console.cli.capacity import Step, judge, sentences

WHAT = "1280x720"


def step(channels: int, *, late: int = 0, others: float = 0.0) -> Step:
    cores = 0.1 + 0.4 * channels
    return Step(channels, 8.0, on_air=True, frames=200 * channels, late=late, cores=cores, of_cores=4,
                busy=(cores + others) / 4, memory_mib=100 + 240 * channels)  # fmt: skip


def test_the_last_number_without_a_fault_is_carried_and_a_fifth_of_the_cores_is_left() -> None:
    verdict = judge([*(step(n) for n in range(1, 9)), step(9, late=40)])
    assert (verdict.carried, verdict.advised) == (8, 7)  # 0.1 + 7 * 0.4 = 2.9 of 3.2
    assert round(verdict.cores_each, 3) == 0.4
    assert round(verdict.memory_mib_each) == 240
    assert "40 of 1800 frames were late" in sentences(verdict, WHAT, 4)[0]


def test_where_no_more_were_tried_it_says_so_and_advises_no_more_than_was_seen() -> None:
    verdict = judge([step(1), step(2)])
    assert (verdict.carried, verdict.advised, verdict.fault) == (2, 2, "")
    assert "more were not tried" in sentences(verdict, WHAT, 4)[0]


def test_a_late_frame_now_and_then_is_no_fault_and_used_up_cores_are() -> None:
    assert judge([replace(step(4), late=0), replace(step(5), late=1)]).carried == 5
    full = replace(step(6), cores=3.9)
    assert (judge([step(5), full]).carried, full.fault) == (5, "3.90 of 4 cores were used")


def test_other_programs_take_from_what_is_advised_and_are_named() -> None:
    verdict = judge([step(n, others=1.2) for n in range(1, 6)])
    assert (verdict.carried, verdict.advised) == (5, 4)
    assert "30% of the cores were used by other programs" in sentences(verdict, WHAT, 4)[-1]


def test_a_machine_that_carries_none_says_why() -> None:
    verdict = judge([Step(1, 8.0, on_air=False)])
    assert verdict.carried == 0
    assert sentences(verdict, WHAT, 4) == [
        "This machine does not carry one channel (1280x720): not all came on air in time."
    ]
