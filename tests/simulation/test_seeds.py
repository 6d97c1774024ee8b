"""Seeds in the suite: no violation in any of them, and the same seed comes to the same log everywhere (I30)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.long import LONG
from tests.simulation.run import run_seed

SEEDS = int(os.environ.get("MCR_SIM_SEEDS") or (200 if LONG else 24))
"""How many worlds this suite plays: ``MCR_SIM_SEEDS``, else 200 where long tests run and 24 on a laptop. One costs
about 1.2 s of processor, so 200 are two minutes of two processors; ``make sim`` runs as many as are asked for."""
CHUNK = 4


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_seeds(first: int) -> None:
    """P1, P2, P4, P6: whatever goes wrong, nothing is doubled or lost, and once all is well every channel is on air."""
    for seed in range(first, min(first + CHUNK, SEEDS)):
        result = run_seed(seed)
        assert not result.faults, str(result)


@pytest.mark.timeout(300)
def test_the_same_seed_comes_to_the_same_log() -> None:
    """In another process, whatever Python hashes strings by, as in this one, whatever was played here before."""
    digests = {_digest_of(7, hash_seed) for hash_seed in (["0", "1", "random"] if LONG else ["1"])}
    assert digests == {run_seed(7).digest}


def _digest_of(seed: int, hash_seed: str) -> str:
    code = f"from tests.simulation.run import run_seed; print(run_seed({seed}).digest)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()[-1]
