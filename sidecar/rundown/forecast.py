"""When items will air, by the list's own arithmetic; the supervisor uses it for channels that are off or edited."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.rundown.rate import frames_in
from sidecar.rundown.timeline import LEAD_S, Following, NoSpot, Timeline
from sidecar.rundown.wall import Wall

_MOST_STEPS = 12_000
_NO_WALL_RATE = Fraction(25)
"""Where there is no wall, no frame is counted in seconds."""


@dataclass(frozen=True, slots=True)
class PredictedStart:
    """``in_frames``: channel frames from now to the item's next start; None if unknown, or never.

    For the item on air it is its start that was: zero or negative. ``frames``: how many it airs then, None if unknown.
    ``cut``: how many of its own a fixed start takes away. ``gap``: how many frames of filler are before it. ``late``:
    how many frames after its fixed time it starts. ``passed``: why it does not air next time (dropped, expendable,
    preempted, too late, jumped).
    """

    item_id: str
    in_frames: int | None
    frames: int | None = None
    cut: int = 0
    gap: int = 0
    late: int = 0
    passed: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a list: channel frame ``frame`` of the item at ``index``."""

    index: int
    frame: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Output frames ``start`` to ``end`` (None: nobody knows) on one item, that begin with its ``first_frame``.

    ``cut``: how many frames sooner than by itself it ends because of a fixed start. ``gap``: frames without an item
    before it. ``passed``: what did not air since the segment before, by index and cause.
    """

    index: int
    start: int
    end: int | None
    first_frame: int = 0
    cut: int = 0
    gap: int = 0
    late: int = 0
    passed: tuple[tuple[int, str], ...] = ()


class Walk:
    """The list from one place on, item after item. ``why`` says, when it is over, why it goes on no farther."""

    def __init__(
        self, timeline: Timeline, spot: Spot, at: int, *, hold: bool = False, cued: int | None = None, added: int = 0
    ) -> None:
        """``spot`` is shown at output frame ``at``. ``added``: frames an operator added to the item's length."""
        self._timeline = replace(timeline, spent=set(timeline.spent))
        self._spot, self._at, self._hold, self._cued, self._added = spot, at, hold, cued, added
        self.why = NoSpot.ENDED

    def __iter__(self) -> Iterator[Segment]:
        line = self._timeline
        index, start, first, turn = self._spot.index, self._at - self._spot.frame, 0, 1
        hold, cued, added = self._hold, self._cued, self._added
        gap, late, passed = 0, 0, tuple[tuple[int, str], ...]()
        line.pass_to(index, self._at)
        for _ in range(_MOST_STEPS):
            ending = line.ending(index, start, first, added)
            end = self._cut(index, start, ending.frame, hold=hold)
            lost = 0 if end is None or ending.frame is None else ending.frame - end
            yield Segment(index, start, end, first, lost, gap, late, passed)
            if end is None:
                self.why = NoSpot.UNKNOWN
                return
            if line.repeats(index, turn) and cued is None and not hold and line.last_due(index, end) is None:
                if line.playlist.items[index].repeat == 0 and self._is_endless(index, end):
                    self.why = NoSpot.HELD
                    return
                start, turn, first, gap, late, passed, added = end, turn + 1, 0, 0, 0, (), 0
                continue
            went = self._go_on(index, end, hold=hold, cued=cued)
            if isinstance(went, NoSpot):
                self.why = went
                return
            following, start = went
            cued = cued if following.index != cued else None
            passed = tuple((one.index, one.cause) for one in following.passed if one.cause)
            due = line.due(following.index)
            if following.cause == "fixed" and due is not None:
                start = max(start, due)
            first, late = self._joined(following.index, start)
            start += frames_in(LEAD_S, line.rate) if first else 0
            gap, index, turn, hold, added = start - end, following.index, 1, False, 0
            line.pass_to(index, start)
        self.why = NoSpot.UNKNOWN

    def _cut(self, index: int, start: int, natural: int | None, *, hold: bool) -> int | None:
        """Where an item ends, with the next fixed start in its way."""
        cut = self._timeline.cut(index, max(start, self._at))
        if cut is None or (natural is not None and natural <= cut) or (hold and not self._fixed_wins):
            return natural
        return max(cut, start, self._at)

    def _go_on(self, index: int, end: int, *, hold: bool, cued: int | None) -> tuple[Following, int] | NoSpot:
        """What follows the item that ends at ``end``, and when the list goes on with it at the soonest."""
        line = self._timeline
        came = line.last_due(index, end)
        if hold and (came is None or not self._fixed_wins):
            came, end = self._out_of_hold(index, end)
            if came is None:
                return NoSpot.HELD
        if cued is not None and came is None:
            following = Following(cued, "cue", tuple(line.preempted(at, "jumped") for at in range(index + 1, cued)))
        else:
            following = line.following(index, end)
        if isinstance(following, NoSpot):
            return following
        if following.cause != "fixed" and line.playlist.items[following.index].start_mode == "hold":
            came, end = self._out_of_hold(index, end)
            following = NoSpot.HELD if came is None else line.following(index, end)
        return following if isinstance(following, NoSpot) else (following, end)

    def _is_endless(self, index: int, frame: int) -> bool:
        """Only a take ends an item that is repeated for ever."""
        line = self._timeline
        return line.limit(index) is None and next(line.pending(index, frame), None) is None

    @property
    def _fixed_wins(self) -> bool:
        return self._timeline.playlist.rules.fixed_ends_hold

    def _out_of_hold(self, index: int, end: int) -> tuple[int | None, int]:
        """The fixed start that ends a wait from ``end`` on, and when."""
        following = self._timeline.coming(index, end) if self._fixed_wins else None
        return (None, end) if following is None else (following[0], max(end, following[1]))

    def _joined(self, index: int, start: int) -> tuple[int, int]:
        """With which frame an item begins that would start at ``start``, and how late its fixed start is."""
        line = self._timeline
        due = line.due(index)
        late = line.lateness(index, start)
        if late and line.playlist.items[index].late_policy == "join":
            return late + frames_in(LEAD_S, line.rate), 0
        return 0, 0 if due is None else max(0, start - due)


def walk(
    playlist: Playlist, spot: Spot, frames: int, *, timeline: Timeline | None = None, at: int = 0, added: int = 0
) -> Spot | NoSpot:
    """Where the list is ``frames`` channel frames after ``spot``, which ``timeline`` shows at output frame ``at``.

    A list on which the time of day has no bearing takes at most two passes, however far.
    """
    line = timeline if timeline is not None else Timeline(playlist, _NO_WALL_RATE)
    if not line.is_plain or line.dropped or added:
        return _walk_by_day(line, spot, frames, at, added)
    items = playlist.items
    place, left = spot, frames
    length = _round_length(playlist)
    if length is not None:
        left %= length
    while True:
        duration = items[place.index].duration_frames
        if duration is None:
            return NoSpot.UNKNOWN if left else place
        if place.frame + left < duration:
            return Spot(place.index, place.frame + left)
        left -= max(0, duration - place.frame)
        following = following_index(playlist, place.index)
        if isinstance(following, NoSpot):
            return following
        if items[following].start_mode == "hold":
            return NoSpot.HELD
        place = Spot(following, 0)


def _walk_by_day(line: Timeline, spot: Spot, frames: int, at: int, added: int) -> Spot | NoSpot:
    target = at + frames
    steps = Walk(line, spot, at, added=added)
    for segment in steps:
        if segment.start > target:
            return NoSpot.GAP
        if segment.end is None or target < segment.end:
            known = segment.end is not None or target == at
            known = known or line.playlist.items[segment.index].end_mode == "take"
            return Spot(segment.index, segment.first_frame + target - segment.start) if known else NoSpot.UNKNOWN
    return steps.why


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
    wall: Wall | None = None,
    added: int = 0,
    dropped: frozenset[str] = frozenset(),
) -> tuple[PredictedStart, ...]:
    """The next start of every item, in the list's order.

    ``on_air`` is the item on air and the channel frame of it that is shown now; None: the list starts now with its
    first item. ``hold``: the list will not follow on by itself after the item on air. ``next_item_id``: the cued item.
    ``wall``: frame 0 is now; without it fixed starts follow. ``added``: by how many frames an operator changed the
    length of the item on air. All starts are unknown when ``on_air`` is not in the list.
    """
    items = playlist.items
    line = Timeline(playlist, wall.rate if wall else _NO_WALL_RATE, wall, dropped=dict.fromkeys(dropped, True))
    spot = _first_spot(line) if on_air is None else _spot_of(playlist, on_air)
    if spot is None:
        return tuple(PredictedStart(item.id, None) for item in items)
    at = 0
    if on_air is None:
        due = line.due(spot.index)
        at = max(0, due or 0)
        # Of several fixed starts at one time the last airs.
        spot = Spot(line.last_due(-1, at) or spot.index, 0)
    cued = index_of(items, next_item_id) if next_item_id else None
    found: dict[int, PredictedStart] = {}
    told: dict[int, str] = {}
    steps = 0
    for one in Walk(line, spot, at, hold=hold, cued=cued, added=added):
        for index, cause in one.passed:
            told.setdefault(index, cause)
        frames = None if one.end is None else one.end - one.start
        start = PredictedStart(items[one.index].id, one.start, frames, one.cut, one.gap, one.late)
        if one.index in found and items[one.index].repeat == 1 and items[one.index].block is None:
            steps += 1
        found.setdefault(one.index, start)
        if len(found) == len(items) or steps > len(items):  # a cue may jump over items that come a round later
            break
    return tuple(
        found.get(index) or PredictedStart(item.id, None, passed=told.get(index, ""))
        for index, item in enumerate(items)
    )


def _first_spot(line: Timeline) -> Spot | None:
    """Where a list begins: before its first item nothing ended."""
    items = line.playlist.items
    if not items:
        return None
    following = line.following(-1, 0)
    if isinstance(following, NoSpot):
        return None
    waits = items[following.index].start_mode == "hold"
    return None if waits else Spot(following.index, 0)


def _spot_of(playlist: Playlist, point: ResumePoint) -> Spot | None:
    index = index_of(playlist.items, point.item_id)
    return None if index is None else Spot(index, point.frame)


def advance(playlist: Playlist, position: ResumePoint, frames: int, *, wall: Wall | None = None) -> ResumePoint | None:
    """Where the list would be ``frames`` channel frames after ``position``, looping where it loops.

    ``wall``: ``position`` is due at its frame 0. None where the arithmetic cannot tell: a hold waits on the way, a
    length is unknown, the list ended, nothing is due then, or the item is not in it.
    """
    spot = _spot_of(playlist, position)
    if spot is None:
        return None
    line = Timeline(playlist, wall.rate if wall else _NO_WALL_RATE, wall)
    target = walk(playlist, spot, frames, timeline=line)
    if isinstance(target, NoSpot):
        return None
    return ResumePoint(item_id=playlist.items[target.index].id, frame=target.frame)


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
