"""Which faults a world has, and how often: the mix of all, and one for each planted bug that needs its own weather."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GAP_S: Final = (2.0, 14.0)
"""Seconds from one fault to the next."""


@dataclass(frozen=True, slots=True)
class Mix:
    """``weights`` by kind of fault. ``rivals``: a second channel is pinned to the card's port of the first, and people
    start both at once, again and again."""

    weights: Mapping[str, int]
    gap_s: tuple[float, float] = GAP_S
    rivals: bool = False
    faults_s: float = 182.0
    """For how long there are new faults."""


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
    }
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
    "late commits": Mix({"late commits": 4, "sidecar killed": 1}, (2.0, 8.0), faults_s=_DIRECTED_S),
}
"""A directed mix is short: its faults are few, and each is one try at the bug."""
