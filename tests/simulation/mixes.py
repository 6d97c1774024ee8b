"""Which faults a world has, and how often: the mix of all, and one for each planted bug that needs its own weather."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GAP_S: Final = (2.0, 14.0)
"""Seconds from one fault to the next."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of a world; of four channels there is one of each kind of fencing."""

    supervisors: int
    nodes: int
    channels: int


FULL: Final = Size(2, 3, 4)
_FULL_SHARE: Final = 0.02


def drawn(chance: random.Random) -> Size:
    """Most worlds are small: what two parts do to each other shows there as well, and many more of them can be tried.

    A few are of the full size, and some have a third supervisor.
    """
    if chance.random() < _FULL_SHARE:
        return FULL
    return Size(
        chance.choices((1, 2, 3), (72, 26, 2))[0],
        chance.choices((2, 3), (82, 18))[0],
        chance.choices((1, 2, 3), (74, 20, 6))[0],
    )


@dataclass(frozen=True, slots=True)
class Mix:
    """``weights`` by kind of fault. ``rivals``: a second channel is pinned to the card's port of the first, and people
    start both at once, again and again. ``size``: None has each seed draw its own."""

    weights: Mapping[str, int]
    gap_s: tuple[float, float] = GAP_S
    rivals: bool = False
    faults_s: float = 182.0
    """For how long there are new faults."""
    size: Size | None = FULL


ALL: Final = Mix(
    {
        "sidecar killed": 6,
        "sidecar stopped": 3,
        "sidecar still": 2,
        "sidecar silent": 2,
        "node crash": 3,
        "node loses disk": 1,
        "agent killed": 2,
        "agent stopped": 2,
        "supervisor killed": 2,
        "supervisor stopped": 2,
        "supervisor paused": 1,
        "node cut": 4,
        "node cut one way": 3,
        "supervisor cut from database": 2,
        "supervisor alone": 1,
        "node off the media network": 1,
        "loss": 2,
        "slow": 1,
        "late requests": 3,
        "database down": 2,
        "database frozen": 1,
        "database restarted": 1,
        "lost commits": 2,
        "late commits": 2,
        "wall clock": 3,
        "journal full": 2,
    },
    size=None,
)
_DIRECTED_S: Final = 80.0
MIXES: Final[Mapping[str, Mix]] = {
    "all": ALL,
    "rivals": Mix({"sidecar killed": 1, "lost commits": 1, "late commits": 1}, rivals=True, faults_s=_DIRECTED_S),
    "stops while it judges": Mix({"supervisor stopped while it judges": 1}, (18.0, 26.0), faults_s=_DIRECTED_S),
    "late arms": Mix({"an arm comes late": 1}, (12.0, 40.0), faults_s=_DIRECTED_S),
    "late leases": Mix({"a lease comes late": 1}, (12.0, 40.0), faults_s=_DIRECTED_S),
    "starts past trust": Mix({"a start outlives the trust": 1}, (12.0, 40.0), faults_s=_DIRECTED_S),
    "holds at the last moment": Mix({"held at the last moment": 1}, (16.0, 24.0), faults_s=_DIRECTED_S),
    "late as-run": Mix({"as run committed late": 1}, (9.0, 14.0), faults_s=_DIRECTED_S),
}
"""A directed mix is short: its faults are few, and each is one try at the bug."""
