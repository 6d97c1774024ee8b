"""When items will air, by the list's own arithmetic; the supervisor uses it for channels that are off or edited."""

from dataclasses import dataclass

from sidecar.protocol.channel import Playlist, ResumePoint


@dataclass(frozen=True, slots=True)
class PredictedStart:
    """``in_frames``: channel frames from now to the item's next start; negative for the item on air, None if unknown."""

    item_id: str
    in_frames: int | None


def forecast(
    playlist: Playlist,
    on_air: ResumePoint | None = None,
    *,
    hold: bool = False,
    next_item_id: str | None = None,
) -> tuple[PredictedStart, ...]:
    """The next start of every item, in the list's order.

    ``on_air`` is the item on air and the channel frame of it that is shown now; None: the list starts now with its
    first item. ``hold``: the list will not follow on by itself after the item on air. ``next_item_id``: the cued item.
    """
    raise NotImplementedError


def advance(playlist: Playlist, position: ResumePoint, frames: int) -> ResumePoint | None:
    """Where the list would be ``frames`` channel frames after ``position``, looping where it loops.

    None where the arithmetic cannot tell: a hold waits on the way, a length is unknown, the list ended, or the
    item is not in it.
    """
    raise NotImplementedError
