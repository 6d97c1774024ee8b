"""The list's own arithmetic: what follows what, from which output frame on, and what is passed over. Pure."""

import enum
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist
from sidecar.rundown.rate import frames_in
from sidecar.rundown.wall import Wall

LEAD_S = 1
"""Who joins an item in progress cuts this much later, so that the frame that is due by then is decoded. A fixed start
that is late by less is not late: its source was slow, or a frame time was passed over."""


class NoSpot(enum.Enum):
    """Why the arithmetic ends before the frames do."""

    HELD = "an item waits for a take"
    UNKNOWN = "an item's length is unknown"
    ENDED = "the list ended"
    GAP = "nothing is due before a fixed start"


@dataclass(frozen=True, slots=True)
class Passed:
    """An item that does not air. ``cause``: dropped, expendable, preempted, too late, jumped, standby; empty: nothing
    to tell. ``by``: who went past it."""

    index: int
    cause: str
    by: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Following:
    """What the list goes on with. ``passed``: what does not air because of it."""

    index: int
    cause: str
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """``frame`` None: nothing in the list ends it. ``cause``: ended, end time."""

    frame: int | None
    cause: str = "ended"


@dataclass(slots=True)
class Timeline:
    """A playlist against the wall clock; without a wall, fixed starts follow and end times do not count.

    ``spent``: fixed starts that were, or that can be no more, as (item id, instant). ``dropped``: by an operator's
    command, True; or un-dropped, False; by item id.
    """

    playlist: Playlist
    rate: Fraction
    wall: Wall | None = None
    spent: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    dropped: dict[str, bool] = field(default_factory=dict[str, bool])
    is_plain: bool = field(init=False)
    """Nothing in it depends on the time of day, and every item airs once in its turn."""
    _fixed: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._fixed = list(_in_order(self.playlist.items))
        self.is_plain = not self._fixed and not any(_is_special(item) for item in self.playlist.items)

    # --- fixed starts -----------------------------------------------------------------------------------------------

    def due(self, index: int) -> int | None:
        """The frame of a fixed start that is still to be; None for every other item."""
        at = self.playlist.items[index].fixed_at_ns
        if self.wall is None or at is None or not self._is_fixed(index):
            return None
        return None if (self.playlist.items[index].id, at) in self.spent else self.wall.frame_at(at)

    def pending(self, index: int, frame: int) -> Iterator[tuple[int, int]]:
        """Fixed starts after ``index`` in the list, and their frames; not those that are too late at ``frame``, or
        whose own end has passed by then."""
        for place in range(bisect_right(self._fixed, index), len(self._fixed)):
            at = self._fixed[place]
            due = self.due(at)
            if due is not None and self._why_not(at, frame) is None:
                yield at, due

    def coming(self, index: int, frame: int, *, after: int | None = None) -> tuple[int, int] | None:
        """The next fixed start after ``index``, of those due ``after`` a frame where one is given; of several at one
        time the last in the list, for that is the one that airs."""
        found: tuple[int, int] | None = None
        for at, due in self.pending(index, frame):
            if after is not None and due <= after:
                continue
            if found is not None and due != found[1]:
                break
            found = at, due
        return found

    def last_due(self, index: int, frame: int) -> int | None:
        """Of the fixed starts after ``index`` whose frame has come, the last."""
        found = None
        for at, due in self.pending(index, frame):
            if due > frame:
                break
            found = at
        return found

    def pass_to(self, index: int, frame: int) -> None:
        """The item at ``index`` airs: its fixed start was, and those before it whose time has come will not be."""
        for at in self._fixed[: bisect_right(self._fixed, index)]:
            due = self.due(at)
            if due is not None and (at == index or due <= frame):
                self.spend(at)

    def spend(self, index: int) -> None:
        item = self.playlist.items[index]
        if item.fixed_at_ns is not None:
            self.spent.add((item.id, item.fixed_at_ns))

    def lateness(self, index: int, frame: int) -> int:
        """How late a fixed start would be at ``frame``, where that is more than its limit; else 0."""
        due, item = self.due(index), self.playlist.items[index]
        if due is None:
            return 0
        late = frame - due
        limit = max(frames_in(Fraction(item.late_limit_ms, 1000), self.rate), frames_in(LEAD_S, self.rate))
        return late if late > limit else 0

    def _is_fixed(self, index: int) -> bool:
        at = bisect_right(self._fixed, index) - 1
        return at >= 0 and self._fixed[at] == index

    # --- ends -------------------------------------------------------------------------------------------------------

    def ending(self, index: int, started: int, first_frame: int = 0, added: int = 0) -> Ending:
        """Where an item that begins at output frame ``started`` with its frame ``first_frame`` ends by itself.

        ``added``: frames an operator added to its length.
        """
        item = self.playlist.items[index]
        natural = None
        if item.duration_frames is not None and item.end_mode != "take":
            natural = max(started, started + item.duration_frames + added - first_frame)
        limit = self.limit(index)
        if limit is not None and (natural is None or limit < natural):
            return Ending(max(limit, started), "end time")
        return Ending(natural)

    def limit(self, index: int) -> int | None:
        """The frame by which an item is over because of the time of day."""
        item = self.playlist.items[index]
        if self.wall is None:
            return None
        limits: list[int] = []
        if item.end_mode == "at" and item.end_at_ns is not None:
            limits.append(self.wall.frame_at(item.end_at_ns))
        until = self._until(index)
        if until is not None and item.before_fixed != "run_on":
            limits.append(until)
        return min(limits, default=None)

    def cut(self, index: int, frame: int) -> int | None:
        """The frame at which the next hard fixed start cuts the item; None where it may run on, or there is none."""
        if self.playlist.items[index].before_fixed == "run_on":
            return None
        items = self.playlist.items
        return next((due for at, due in self.pending(index, frame) if items[at].fixed_kind == "hard"), None)

    # --- what follows -----------------------------------------------------------------------------------------------

    def repeats(self, index: int, turn: int) -> bool:
        """Whether the item that airs for the ``turn``-th time in a row airs once more."""
        repeat = self.playlist.items[index].repeat
        return repeat == 0 or turn < repeat

    def passes(self, index: int) -> bool:
        item = self.playlist.items[index]
        return item.kind == "comment" or self.dropped.get(item.id, item.dropped)

    def following(self, index: int, frame: int) -> Following | NoSpot:
        """The item that the list goes on with where the one at ``index`` ends at ``frame`` and is not repeated.

        Its own start mode is not looked at, nor whether its fixed time has come: then there is a gap before it.
        """
        passed: list[Passed] = []
        came = self.last_due(index, frame)
        if came is not None:
            passed += [self.preempted(between) for between in range(index + 1, came)]
        at: int | NoSpot = self._step(index, frame) if came is None else came
        cause, before, goes_round = "follow", index, True
        expendable: frozenset[int] | None = None
        for _ in range(2 * len(self.playlist.items) + 1):
            if isinstance(at, NoSpot):
                return at
            if at <= before:
                cause, expendable, goes_round = "loop", None, False
            if expendable is None:
                expendable = self._expendable(at, frame)
            why = "expendable" if at in expendable else self._why_not(at, frame)
            if why is None:
                return Following(at, "fixed" if self.due(at) is not None else cause, tuple(passed))
            passed.append(Passed(at, why))
            before, at = at, self._step(at, frame, goes_round=goes_round)
        return NoSpot.ENDED

    def left_over(self, index: int, frame: int) -> tuple[Passed, ...]:
        """What does not air of what stands after ``index``."""
        why_not = ((at, self._why_not(at, frame)) for at in range(index + 1, len(self.playlist.items)))
        return tuple(Passed(at, why) for at, why in why_not if why)

    def _step(self, index: int, frame: int, *, goes_round: bool = True) -> int | NoSpot:
        """``goes_round``: a block whose time is not over begins again."""
        until = self._until(index) if goes_round and index >= 0 else None
        if until is not None and self._block_end(index) == index + 1 and frame < until:
            return self._block_start(index)
        if index + 1 < len(self.playlist.items):
            return index + 1
        match self.playlist.after_last:
            case "loop":
                return 0 if self.playlist.items else NoSpot.ENDED
            case "hold":
                return NoSpot.HELD
            case "filler":
                return NoSpot.ENDED

    def _why_not(self, index: int, frame: int) -> str | None:
        item = self.playlist.items[index]
        if self.passes(index):
            return "" if item.kind == "comment" else "dropped"
        if self._is_too_late(index, frame):
            return "too late"
        limit, due = self.limit(index), self.due(index)
        if limit is not None and limit <= max(frame, due or 0):
            return "too late" if item.end_mode == "at" else ""
        return None

    def _is_too_late(self, index: int, frame: int) -> bool:
        item, late = self.playlist.items[index], self.lateness(index, frame)
        if not late or item.late_policy == "now":
            return False
        length = item.duration_frames
        return item.late_policy == "drop" or (length is not None and late + frames_in(LEAD_S, self.rate) >= length)

    def preempted(self, index: int, cause: str = "preempted") -> Passed:
        if self.passes(index):
            return Passed(index, "" if self.playlist.items[index].kind == "comment" else "dropped")
        return Passed(index, cause)

    def _expendable(self, first: int, frame: int) -> frozenset[int]:
        """Which items from ``first`` on are dropped so that the next hard fixed start need not cut one that would
        rather have that; the last ones first, and no more than it takes."""
        fixed = next(self.pending(first - 1, frame), None)
        if fixed is None or fixed[0] == first or self.playlist.items[fixed[0]].fixed_kind == "soft":
            return frozenset()
        items, end = self.playlist.items, fixed[0]
        if not any(item.expendable for item in items[first:end]):
            return frozenset()
        lengths: dict[int, int] = {}
        at, crossing = frame, None
        for index in range(first, end):
            item = items[index]
            if self.passes(index):
                continue
            waits = item.start_mode == "hold" or item.end_mode != "duration" or item.block_until_ns is not None
            if item.duration_frames is None or item.repeat == 0 or waits:
                return frozenset()
            lengths[index] = item.duration_frames * item.repeat
            at += lengths[index]
            if at > fixed[1] and crossing is None:
                crossing = index
        if crossing is None or items[crossing].before_fixed != "drop":
            return frozenset()
        over, gone = at - fixed[1], set[int]()
        for index in reversed(lengths):
            if over > 0 and items[index].expendable:
                gone.add(index)
                over -= lengths[index]
        return frozenset(gone)

    # --- blocks -----------------------------------------------------------------------------------------------------

    def _until(self, index: int) -> int | None:
        if self.wall is None or self.playlist.items[index].block is None:
            return None
        at = self.playlist.items[self._block_start(index)].block_until_ns
        return None if at is None else self.wall.frame_at(at)

    def _block_start(self, index: int) -> int:
        items = self.playlist.items
        while index > 0 and items[index - 1].block == items[index].block:
            index -= 1
        return index

    def _block_end(self, index: int) -> int:
        items, name = self.playlist.items, self.playlist.items[index].block
        while index < len(items) and items[index].block == name:
            index += 1
        return index


def _in_order(items: tuple[Item, ...]) -> Iterator[int]:
    """The items with a fixed start, without those behind a later one."""
    latest = 0
    for index, item in enumerate(items):
        is_fixed = item.start_mode == "fixed" and item.kind != "comment"
        if is_fixed and item.fixed_at_ns is not None and item.fixed_at_ns >= latest:
            latest = item.fixed_at_ns
            yield index


def _is_special(item: Item) -> bool:
    return (
        item.kind == "comment" or item.dropped or item.end_mode != "duration" or item.repeat != 1
        or item.block_until_ns is not None
    )  # fmt: skip
