"""``python -m tests.simulation``: what ``make sim`` runs."""

import sys

import typer

from tests.simulation import campaign
from tests.simulation.mixes import MIXES
from tests.simulation.planted import PLANTED
from tests.simulation.run import run_seed


def main(
    seeds: int = 200,
    seed: int | None = None,
    first: int = 0,
    planted: str = "",
    mix: str = "all",
    processes: int = 2,
) -> None:
    """Runs ``seeds`` seeds from ``first``; with ``seed`` that one alone, aloud; with ``planted`` until it is found.

    ``mix`` names what goes wrong in the worlds of one seed and of a planted bug.
    """
    if planted:
        for number in range(first, first + seeds):
            result = run_seed(number, planted=PLANTED[planted], mix=MIXES[mix])
            if result.faults:
                sys.stdout.write(f"{planted}: found after {number - first + 1} seeds\n{result}\n")
                return
        sys.exit(f"{planted}: not found in {seeds} seeds")
    if seed is not None:
        result = run_seed(seed, aloud=True, mix=MIXES[mix])
        sys.stdout.write(f"{result if result.faults else 'all is well'}\n{result.digest}\n")
        sys.exit(bool(result.faults))
    sys.exit(campaign.main(seeds, first, processes))


typer.run(main)
