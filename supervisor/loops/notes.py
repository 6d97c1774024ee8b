"""What is noted of one epoch of a channel or recorder, and what is written when it is placed or moves on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from db.models import Channel
from db.repositories.channels import KEEP, Keep
from db.repositories.ports import PortWanted
from sidecar.protocol.channel import Playlist, Rate, ResumePoint
from supervisor.schemas.channel import Phase


@dataclass(slots=True)
class EpochNotes:
    """What was done about one epoch. ``fault``: why the last action failed; empty when it did not."""

    epoch: int
    start_ordered: bool = False
    ended: bool = False
    """Its node confirmed that nothing of it runs, and that nothing will: a start on its way comes too late."""
    muted_at: float | None = None
    armed_at: float | None = None
    fault: str = ""
    term: int = 0
    beginning: str = ""
    begins_with: str | None = None
    resume: ResumePoint | None = None
    """Where its start said that it begins."""
    holds: "Holds | None" = None


@dataclass(frozen=True, slots=True)
class Holds:
    """The list that a sidecar was last given, which counts at ``rate``."""

    playlist: Playlist
    rate: Rate


@dataclass(frozen=True, slots=True)
class Placing:
    """What a transition writes beside the phase. ``judged_at``: when what it rests on was looked at, where it is void
    if this supervisor stood still since (P6)."""

    node_id: str | Keep | None = KEEP
    fencing_node_id: str | Keep | None = KEEP
    fencing_by: str | Keep | None = KEEP
    fenced_by: str | Keep = KEEP
    leased: bool | Keep = KEEP
    raise_epoch: bool = False
    claims: tuple[PortWanted, ...] = ()
    judged_at: float | None = None


STAY: Final = Placing()
MOVES: Final[Mapping[Phase, Placing]] = {
    "off": Placing(node_id=None),
    # What was to be made sure of is: the old sidecar is off air.
    "starting": Placing(fencing_node_id=None, fencing_by=None),
}


@dataclass(frozen=True, slots=True)
class Given:
    """Which list a sidecar was given, and what beside it; ``filler_revision``: of its filler list, 0 where unknown."""

    playlist_id: str | None
    revision: int
    beside: tuple[object, ...]
    filler_revision: int = 0


def beside(row: Channel) -> tuple[object, ...]:
    """What of a channel's row goes with its list."""
    return row.after_last, row.filler_playlist_id, row.standby_asset_id, row.playout
