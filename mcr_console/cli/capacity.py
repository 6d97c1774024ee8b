"""How many channels a machine carries: what was measured with each number of them, and what follows. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LATE_SHARE: Final = 0.001
"""Of the frames: more late ones than that, and the machine does not carry so many channels."""
USED_UP: Final = 0.95
"""Of all cores, by the channels: then there is nothing left for what comes unasked."""
MARGIN: Final = 0.2
"""Of the cores is to be spare: an item that is harder to decode, a take, a backup at night."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was seen with so many channels on air at once, for ``seconds``.

    ``late`` frames were repeated or left out of ``frames``. ``cores`` is what the channels and their supervisor used of
    the machine's ``of_cores``, ``busy`` the share of all cores that anything used. ``memory_mib`` is theirs.
    ``on_air``: all were, in time.
    """

    channels: int
    seconds: float
    on_air: bool
    frames: int = 0
    late: int = 0
    cores: float = 0.0
    of_cores: int = 1
    busy: float = 0.0
    memory_mib: float = 0.0

    @property
    def fault(self) -> str:
        """Why the machine does not carry so many; empty where it does."""
        if not self.on_air:
            return "not all came on air in time"
        if self.late > self.frames * LATE_SHARE:
            return f"{self.late} of {self.frames} frames were late"
        if self.cores >= self.of_cores * USED_UP:
            return f"{self.cores:.2f} of {self.of_cores} cores were used"
        return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``carried``: so many played without a fault. ``advised``: so many leave ``MARGIN`` of the cores spare.

    ``fault`` says why one more did not; empty where no more were tried.
    """

    carried: int
    advised: int
    cores_each: float
    memory_mib_each: float
    busy_by_others: float
    fault: str


def judge(steps: Sequence[Step]) -> Verdict:
    """Of the steps in order, the last of which may have failed."""
    cores = max((step.of_cores for step in steps), default=1)
    good = [step for step in steps if not step.fault]
    if not good:
        return Verdict(0, 0, 0.0, 0.0, 0.0, steps[-1].fault if steps else "nothing was measured")
    first, last = good[0], good[-1]
    more = last.channels - first.channels
    each = (last.cores - first.cores) / more if more else last.cores / last.channels
    memory = (last.memory_mib - first.memory_mib) / more if more else last.memory_mib / last.channels
    base = max(0.0, last.cores - each * last.channels)
    others = max(0.0, min(step.busy * cores - step.cores for step in good))
    room = cores * (1 - MARGIN) - base - others
    advised = max(0, math.floor(room / each)) if each > 0 else last.channels
    fault = steps[-1].fault
    return Verdict(last.channels, min(last.channels, advised), each, memory, others / cores, fault)


def sentences(verdict: Verdict, what: str, cores: int) -> list[str]:
    """For people. ``what`` is a channel in words."""
    if not verdict.carried:
        return [f"This machine does not carry one channel ({what}): {verdict.fault}."]
    more = f"with one more {verdict.fault}" if verdict.fault else "more were not tried"
    lines = [
        f"This machine carries {verdict.carried} channels ({what}) at once; {more}.",
        f"With a fifth of its {cores} cores to spare: {verdict.advised}.",
        f"A channel takes {verdict.cores_each:.2f} cores and {verdict.memory_mib_each:.0f} MiB.",
    ]
    if verdict.busy_by_others > 0.1:
        lines.append(
            f"{verdict.busy_by_others:.0%} of the cores were used by other programs: measure again without them."
        )
    return lines
