"""When items will air, by the list's own arithmetic; the supervisor uses it for channels that are off or edited."""

import enum
from dataclasses import dataclass

from sidecar.protocol.channel import Item, Playlist, ResumePoint


@dataclass(frozen=True, slots=True)
class PredictedStart:
    """``in_frames``: channel frames from now to the item's next start; None if unknown.

    For the item on air it is its start that was: zero or negative.
    """

    item_id: str
    in_frames: int | None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a list: channel frame ``frame`` of the item at ``index``."""

    index: int
    frame: int


class NoSpot(enum.Enum):
    """Why the arithmetic ends before the frames do."""

    HELD = "an item waits for a take"
    UNKNOWN = "an item's length is unknown"
    ENDED = "the list ended"


def walk(playlist: Playlist, spot: Spot, frames: int) -> Spot | NoSpot:
    """Where the list is ``frames`` channel frames after ``spot``. At most two passes over the list, however far."""
    items = playlist.items
    at, left = spot, frames
    length = _round_length(playlist)
    if length is not None:
        left %= length
    while True:
        duration = items[at.index].duration_frames
        if duration is None:
            return NoSpot.UNKNOWN if left else at
        if at.frame + left < duration:
            return Spot(at.index, at.frame + left)
        left -= max(0, duration - at.frame)
        following = following_index(playlist, at.index)
        if isinstance(following, NoSpot):
            return following
        if items[following].start_mode == "hold":
            return NoSpot.HELD
        at = Spot(following, 0)


def following_index(playlist: Playlist, index: int) -> int | NoSpot:
    """The item the list goes on with after the one at ``index``; its own start mode is not looked at."""
    if index + 1 < len(playlist.items):
        return index + 1
    if playlist.after_last == "loop":
        return 0
    return NoSpot.HELD if playlist.after_last == "hold" else NoSpot.ENDED


def index_of(items: tuple[Item, ...], item_id: str) -> int | None:
    return next((index for index, item in enumerate(items) if item.id == item_id), None)


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
    All starts are unknown when ``on_air`` is not in the list.
    """
    items = playlist.items
    starts: dict[int, int] = {}
    index = index_of(items, on_air.item_id) if on_air else 0
    clock: int | None = -on_air.frame if on_air else 0
    if not items or index is None or (on_air is None and items[0].start_mode == "hold"):
        return tuple(PredictedStart(item.id, None) for item in items)
    cued = index_of(items, next_item_id) if next_item_id else None
    held = hold
    for _ in range(2 * len(items)):  # a cue may jump over items that come a round later
        starts.setdefault(index, clock)
        duration = items[index].duration_frames
        if duration is None or held:
            break
        clock += duration
        following = following_index(playlist, index) if cued is None else cued
        cued = None
        if isinstance(following, NoSpot) or items[following].start_mode == "hold":
            break
        index = following
    return tuple(PredictedStart(item.id, starts.get(position)) for position, item in enumerate(items))


def advance(playlist: Playlist, position: ResumePoint, frames: int) -> ResumePoint | None:
    """Where the list would be ``frames`` channel frames after ``position``, looping where it loops.

    None where the arithmetic cannot tell: a hold waits on the way, a length is unknown, the list ended, or the
    item is not in it.
    """
    index = index_of(playlist.items, position.item_id)
    if index is None:
        return None
    spot = walk(playlist, Spot(index, position.frame), frames)
    if isinstance(spot, NoSpot):
        return None
    return ResumePoint(item_id=playlist.items[spot.index].id, frame=spot.frame)


def _round_length(playlist: Playlist) -> int | None:
    """Frames of one whole round of a list that goes round without waiting; None for any other."""
    if playlist.after_last != "loop":
        return None
    total = 0
    for item in playlist.items:
        if item.duration_frames is None or item.start_mode == "hold":
            return None
        total += item.duration_frames
    return total
