"""One seed from its beginning to its end: faults, healing, and what must then be so."""

import contextlib
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.chance import real_seconds
from tests.simulation.faults import Faults
from tests.simulation.mixes import ALL, Mix
from tests.simulation.operators import Operators
from tests.simulation.world import World, world_of

QUIET_S: Final = 6.0
LIVENESS_S: Final = 76.0
"""Seconds after the healing until which every channel must be on air again."""
_HEALED_S: Final = 4.0
"""Seconds after the healing before which nothing can be told."""
_WELL_S: Final = 10.0
"""All is well for so long: what is still to come would be the same for ever."""
_WATCHED_ON: Final = 0.1
"""The share of seeds that are watched for the whole time all the same."""
_PROCESSOR_S: Final = 60
"""Seconds of processor after which a seed counts as hung; real ones say nothing on a busy machine."""


class Hung(Exception):
    """The real code ran on without letting the loop go on."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one seed came to. ``faults`` is empty when all is well."""

    seed: int
    faults: tuple[str, ...]
    digest: str
    virtual_s: float
    cpu_s: float
    counts: dict[str, int] = field(default_factory=dict[str, int])
    last: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = "\n".join(f"  {fault}" for fault in self.faults)
        last = "\n".join(f"    {line}" for line in self.last[-60:])
        return f"seed {self.seed}:\n{said}\n  before that:\n{last}\n  again: make sim SEED={self.seed}"


Planted = Callable[[World], AbstractContextManager[object]]


def run_seed(seed: int, *, aloud: bool = False, planted: Planted = nullcontext, mix: Mix = ALL) -> Result:
    """``planted``: a bug that is to be found; ``mix``: which faults there are."""
    began = real_seconds()
    with _no_longer_than(_PROCESSOR_S), world_of(seed, aloud=aloud, mix=mix) as world, planted(world):
        faults = _play(world)
        return Result(
            seed,
            tuple(faults),
            world.log.digest,
            world.loop.now,
            real_seconds() - began,
            dict(world.log.counts),
            tuple(world.log.lines) if faults else (),
        )


def _play(world: World) -> list[str]:
    operators = Operators(world, world._stream("operators"))
    faults = Faults(world, world._stream("faults"), operators, world.mix)
    try:
        operators.begin()
        if not world.run_to(QUIET_S):
            return _wrong(world)
        faults.begin()
        if not world.run_to(QUIET_S + world.mix.faults_s):
            return _wrong(world)
        faults.heal()
        if not _recovers(world):
            return _wrong(world)
    except Exception as error:
        return [*_wrong(world), f"the simulation failed: {error!r}"]
    for fault in world.truth.off_air():
        world.truth.violated("I12", fault)
    for fault in world.truth.as_run_faults():
        world.truth.violated("I21", fault)
    return _wrong(world)


def _recovers(world: World) -> bool:
    """Until the end, or until all has been well for long; False as soon as something is wrong."""
    healed = world.loop.now
    whole = world._stream("watched on").random() < _WATCHED_ON
    if whole:
        return world.run_to(healed + LIVENESS_S)
    if not world.run_to(healed + _HEALED_S):
        return False
    well_since = world.loop.now
    while world.loop.now < healed + LIVENESS_S:
        if not world.run_to(min(world.loop.now + 1.0, healed + LIVENESS_S)):
            return False
        if world.truth.off_air():
            well_since = world.loop.now
        elif world.loop.now - well_since >= _WELL_S and not world.truth.as_run_faults():
            return True
    return True


def _wrong(world: World) -> list[str]:
    errors = [f"the loop was told of {error.get('message')}: {error.get('exception')!r}" for error in world.loop.errors]
    return [*map(str, world.truth.violations), *(f"bug: {bug}" for bug in world.bugs), *errors]


@contextlib.contextmanager
def _no_longer_than(seconds: int) -> Generator[None]:
    """Raises Hung from whatever code is running then."""

    def hung(number: int, frame: object) -> None:
        del number
        raise Hung(f"{seconds} s of processor: {frame}")

    before = signal.signal(signal.SIGPROF, hung)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
