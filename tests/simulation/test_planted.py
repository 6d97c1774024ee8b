"""Each planted bug is found, or the simulation proves nothing."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.simulation.mixes import MIXES
from tests.simulation.planted import PLANTED
from tests.simulation.run import run_seed

# By bug: the mix of faults that looks for it, and in how many seeds it must be found.
QUICK: Final = {
    "automatic fail-back": ("all", 4),
}
SLOW: Final = {}
CASES: Final = [
    *(pytest.param(bug, *how, id=bug) for bug, how in QUICK.items()),
    *(pytest.param(bug, *how, id=bug, marks=pytest.mark.campaign) for bug, how in SLOW.items()),
]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("bug", "mix", "most"), CASES)
def test_a_planted_bug_is_found(bug: str, mix: str, most: int, record_property: Callable[[str, object], None]) -> None:
    for seed in range(most):
        result = run_seed(seed, planted=PLANTED[bug], mix=MIXES[mix])
        if result.faults:
            print(f"{bug}: found after {seed + 1} seeds of {mix}: {result.faults[0]}")  # noqa: T201 - for make sim-planted
            record_property("found after seeds", seed + 1)
            return
    pytest.fail(f"{bug}: not found in {most} seeds of {mix}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mix", sorted(MIXES.keys() - {"all"}))
def test_without_a_bug_a_mix_finds_none(mix: str) -> None:
    """What is found is the bug, and not the weather that looks for it."""
    result = run_seed(0, mix=MIXES[mix])
    assert not result.faults, str(result)


def test_every_planted_bug_is_looked_for() -> None:
    assert QUICK.keys() | SLOW.keys() == PLANTED.keys()
