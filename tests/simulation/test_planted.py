"""Each planted bug is found, or the simulation proves nothing."""

from collections.abc import Callable

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.run import run_seed

MOST = 500


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_found(bug: str, record_property: Callable[[str, object], None]) -> None:
    for seed in range(MOST):
        if run_seed(seed, planted=PLANTED[bug]).faults:
            record_property("found after seeds", seed + 1)
            return
    pytest.fail(f"{bug}: not found in {MOST} seeds")
