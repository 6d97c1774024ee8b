"""What comes: the place in the list, the next item, the cue, and what to do with items that cannot be played."""

from dataclasses import dataclass, replace
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.rundown.forecast import NoSpot, Spot, following_index, index_of, walk
from sidecar.rundown.model import Airing


@dataclass(frozen=True, slots=True)
class Plan:
    """An item that is to air. ``waits``: only a take begins it. ``opens_at``: output frame from which its source is
    wanted; a later one than now is a pause after a failure."""

    airing: Airing
    index: int
    cause: str
    waits: bool
    opens_at: int


@dataclass(slots=True)
class _Trouble:
    """An item that could not be played since the last one that could."""

    failed_at: int
    costly: int = 0  # how often it hung, or began and broke off at once: its pauses grow


class Lineup:
    """The list, and where it goes on. Indices are into the current playlist; frames are output frames.

    Items that failed since the last one that aired properly are remembered: each is tried again after a pause, and
    when all of them failed the tries are spread, so that a list with nothing playable costs next to nothing.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None) -> None:
        self.playlist = playlist
        self.next: Plan | None = None
        self.cued: Plan | None = None
        self._again_after = frames_in(2, rate)
        self._spread = max(1, frames_in(Fraction(1, 5), rate))
        self._number = 0
        self._anchor = -1  # the list goes on after this index
        self._last_id: str | None = None  # what aired last; may have vanished from the list
        self._troubles: dict[int, _Trouble] = {}
        self._first_trouble: int | None = None  # of those that failed since something began to air
        self._older_trouble: int | None = None  # of those before it, until that has proved itself
        self._noted: set[str] = set()
        self._plan_first(resume)

    @property
    def coming(self) -> Plan | None:
        return self.cued or self.next

    @property
    def is_fruitless(self) -> bool:
        """Every item of the list failed, and none aired since."""
        return len(self._troubles) >= len(self.playlist.items)

    def moved_to(self, plan: Plan, frame: int) -> None:
        """``plan`` goes on air: the list goes on after it."""
        self._anchor = plan.index
        self._last_id = plan.airing.item.id
        self._older_trouble, self._first_trouble = self._first_trouble, None
        if self.cued is not None and self.cued.airing is plan.airing:
            self.cued = None
        self.next = self._plan_after(plan.index, waits=False, frame=frame)

    def proved(self) -> None:
        """What is on air airs properly: old troubles are forgotten."""
        self._troubles.clear()
        self._noted.clear()
        self._older_trouble = None

    def begin_at(self, spot: Spot, cause: str, frame: int) -> Plan:
        """A plan for a place of the list's own arithmetic; the list goes on after it."""
        plan = self._plan(spot.index, cause, first_frame=spot.frame, opens_at=frame)
        self.moved_to(plan, frame)
        return plan

    def begin_with(self, point: ResumePoint) -> None:
        """Before anything aired: the list begins at ``point`` instead; where that item is not in it, as it was."""
        if index_of(self.playlist.items, point.item_id) is not None:
            self._plan_first(point)

    def begin_later(self, frames: int) -> None:
        """Before anything aired: the first item begins ``frames`` later in it, with the source that is open."""
        plan = self.next
        if plan is not None:
            airing = replace(plan.airing, first_frame=plan.airing.first_frame + frames)
            # As for every resume: nobody takes it a second time.
            self.next = replace(plan, airing=airing, cause="resume", waits=False)

    def end(self) -> None:
        """The list is over by its own arithmetic."""
        self._anchor = len(self.playlist.items) - 1
        self.next = None

    def spot_of(self, item_id: str, frame: int) -> Spot | None:
        """Where the item that aired last is in the list, None when it vanished from it."""
        if self._at(self._anchor) == item_id:
            return Spot(self._anchor, frame)
        index = index_of(self.playlist.items, item_id)
        return None if index is None else Spot(index, frame)

    def cue(self, index: int, frame: int) -> Plan:
        following = self.next
        is_next = following is not None and following.index == index and following.airing.first_frame == 0
        if following is not None and is_next and following.opens_at <= frame:
            self.cued = following
        elif self.cued is None or self.cued.index != index:
            self.cued = self._plan(index, "cue", opens_at=frame)
        return self.cued

    def failed(self, plan: Plan, frame: int, *, hung: bool) -> bool:
        """``plan`` could not be played; what comes after it comes. False when this was told before, and nothing aired
        since."""
        item_id = plan.airing.item.id
        if self.cued is not None and self.cued.airing is plan.airing:
            self.cued = None
        if self.next is not None and self.next.airing is plan.airing:
            self._troubled(plan.index, frame).costly += hung
            self.next = self._plan_after(plan.index, waits=plan.waits, frame=frame)
        is_news = item_id not in self._noted
        self._noted.add(item_id)
        return is_news

    def try_again(self, plan: Plan, opens_at: int) -> None:
        """``plan``, the next, is opened anew: there is time."""
        if self.next is not None and self.next.airing is plan.airing:
            again = self._plan(
                plan.index, plan.cause, first_frame=plan.airing.first_frame, waits=plan.waits, opens_at=opens_at
            )
            if self.cued is self.next:
                self.cued = again
            self.next = again

    def broke_off(self, item_id: str, frame: int) -> None:
        """What was on air broke off at once; when it comes again, it waits first, longer every time."""
        if self._at(self._anchor) != item_id:
            return
        if self._older_trouble is not None:
            self._first_trouble = self._older_trouble
        self._troubled(self._anchor, frame).costly += 1
        following = self.next
        if following is None or following.index == self._anchor:
            self.next = self._plan_after(self._anchor, waits=False, frame=frame)

    def replace(self, playlist: Playlist, frame: int) -> None:
        """The new list goes on where the old one stood, by the ids of its items."""
        old, old_next, old_cued = self.playlist, self.next, self.cued
        unaired = self._last_id is None
        self.playlist = playlist
        self._anchor = _anchor_in(playlist.items, old.items, self._anchor, self._last_id)
        self._troubles.clear()
        self._noted.clear()
        self._first_trouble = self._older_trouble = None
        self.next = self._plan_after(self._anchor, waits=False, frame=frame)
        if unaired and old_next is not None:
            self._keep_first(old_next, frame)
        elif self.next is not None and old_next is not None and self.next.airing.item == old_next.airing.item:
            self.next = Plan(old_next.airing, self.next.index, self.next.cause, self.next.waits, old_next.opens_at)
        self.cued = None if old_cued is None else self._kept_cue(old_cued, frame)

    def _plan_first(self, resume: ResumePoint | None) -> None:
        items = self.playlist.items
        index = index_of(items, resume.item_id) if resume is not None else None
        if resume is None or index is None:
            if items:
                self.next = self._plan(0, "arm", opens_at=0)
            return
        spot = walk(self.playlist, Spot(index, resume.frame), 0)
        if isinstance(spot, Spot):
            # It was on air before: nobody takes it a second time.
            self.next = self._plan(spot.index, "resume", first_frame=spot.frame, waits=False, opens_at=0)
        else:
            self._anchor = index
            self.next = self._plan_after(index, waits=False, frame=0)

    def _keep_first(self, old_next: Plan, frame: int) -> None:
        index = index_of(self.playlist.items, old_next.airing.item.id)
        if index is None:
            return
        same = self.playlist.items[index] == old_next.airing.item
        first_frame = old_next.airing.first_frame
        airing = old_next.airing if same else self._airing(index, first_frame)
        self.next = Plan(airing, index, old_next.cause, old_next.waits, old_next.opens_at if same else frame)

    def _kept_cue(self, old: Plan, frame: int) -> Plan | None:
        index = index_of(self.playlist.items, old.airing.item.id)
        if index is None:
            return None
        if self.next is not None and self.next.index == index and self.next.airing.first_frame == 0:
            return self.next
        if self.playlist.items[index] != old.airing.item:
            return self._plan(index, "cue", opens_at=frame)
        return Plan(old.airing, index, "cue", old.waits, old.opens_at)

    def _plan_after(self, index: int, *, waits: bool, frame: int) -> Plan | None:
        items = self.playlist.items
        if not items:
            return None
        following = following_index(self.playlist, index)
        cause = "follow"
        if isinstance(following, NoSpot):
            if self._first_trouble is not None:
                following = self._first_trouble
            elif following is NoSpot.HELD:
                following, cause, waits = 0, "loop", True
            else:
                return None
        elif following <= index:
            cause = "loop"
        waits = waits or items[following].start_mode == "hold"
        return self._plan(following, cause, waits=waits, opens_at=self._not_before(following, frame))

    def _not_before(self, index: int, frame: int) -> int:
        trouble = self._troubles.get(index)
        if trouble is None:
            return frame
        pause = self._again_after << min(trouble.costly, 3)
        return max(trouble.failed_at + pause, frame + (self._spread if self.is_fruitless else 0))

    def _troubled(self, index: int, frame: int) -> _Trouble:
        if self._first_trouble is None:
            self._first_trouble = index
        trouble = self._troubles.setdefault(index, _Trouble(frame))
        trouble.failed_at = frame
        return trouble

    def _plan(self, index: int, cause: str, *, first_frame: int = 0, waits: bool | None = None, opens_at: int) -> Plan:
        if waits is None:
            waits = self.playlist.items[index].start_mode == "hold"
        return Plan(self._airing(index, first_frame), index, cause, waits, opens_at)

    def _airing(self, index: int, first_frame: int) -> Airing:
        self._number += 1
        return Airing(self._number, self.playlist.items[index], first_frame)

    def _at(self, index: int) -> str | None:
        return self.playlist.items[index].id if 0 <= index < len(self.playlist.items) else None


def frames_in(seconds: Fraction | int, rate: Fraction) -> int:
    """Whole frames that last at least ``seconds``."""
    return -int(-seconds * rate // 1)


def _anchor_in(new: tuple[Item, ...], old: tuple[Item, ...], anchor: int, last_id: str | None) -> int:
    """The index in ``new`` after which the list goes on.

    That of what aired last, by its id. Has it vanished: before the first of its old followers that is still there;
    else after the last of its old predecessors that is; else the list begins.
    """
    places = {item.id: index for index, item in reversed(list(enumerate(new)))}
    if last_id is not None and last_id in places:
        return places[last_id]
    follower = next((places[item.id] for item in old[anchor + 1 :] if item.id in places), None)
    if follower is not None and anchor >= 0:
        return follower - 1
    return next((places[item.id] for item in reversed(old[: anchor + 1]) if item.id in places), -1)
