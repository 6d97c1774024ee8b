"""What comes: the place in the list, the next item, the cue, and what to do with items that cannot be played."""

from dataclasses import replace
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.rundown.forecast import Spot, index_of, walk
from sidecar.rundown.jumps import Jumps
from sidecar.rundown.model import Airing
from sidecar.rundown.plans import Plan, Trouble, anchor_in, kept
from sidecar.rundown.rate import frames_in
from sidecar.rundown.timeline import NoSpot, Passed, Timeline
from sidecar.rundown.views import name_of
from sidecar.rundown.wall import Wall

_AHEAD_S = 10
"""So long before its frame a fixed start's source, or that of a repeat, is opened."""


class Lineup:
    """The list, and where it goes on. Indices are into the current playlist; frames are output frames.

    Items that failed since the last one that aired properly are remembered: each is tried again after a pause, and
    when all of them failed the tries are spread, so that a list with nothing playable costs next to nothing.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None) -> None:
        self.timeline = Timeline(playlist, rate)
        self.next: Plan | None = None
        self.cued: Plan | None = None
        self.again: Plan | None = None
        """What is on air once more, which then follows by itself; a take goes past it."""
        self.held: Plan | None = None
        """What is on air once more while the list waits for a take."""
        self.fixed: Plan | None = None
        """The next fixed start, opened ahead where it is not ``next``."""
        self._rate = rate
        self._resume = resume
        self._again_after = frames_in(2, rate)
        self._spread = max(1, frames_in(Fraction(1, 5), rate))
        self._ahead = frames_in(_AHEAD_S, rate)
        self._number = 0
        self._anchor = -1  # the list goes on after this index
        self._turn = 1
        self._expected: int | None = None  # when what is on air ends, as far as one knows
        self._is_due = False  # ``next`` is a fixed start whose time has come
        self._last_id: str | None = None  # what aired last; may have vanished from the list
        self._troubles: dict[int, Trouble] = {}
        self._first_trouble: int | None = None  # of those that failed since something began to air
        self._older_trouble: int | None = None  # of those before it, until that has proved itself
        self._noted: set[str] = set()
        self._jumps = Jumps()
        self._dropped_by: dict[str, str] = {}
        self._plan_first(resume)

    @property
    def playlist(self) -> Playlist:
        return self.timeline.playlist

    @property
    def coming(self) -> Plan | None:
        """What a take cuts to."""
        return self.next if self._is_due else self.cued or self.next

    @property
    def follows(self) -> Plan | None:
        """What comes by itself."""
        return self.next if self._is_due else self.cued or self.again or self.next

    @property
    def is_due(self) -> bool:
        """``next`` is a fixed start whose time has come."""
        return self._is_due

    @property
    def is_fruitless(self) -> bool:
        """Every item of the list failed, and none aired since."""
        return len(self._troubles) >= len(self.playlist.items)

    @property
    def last_id(self) -> str | None:
        """What aired last."""
        return self._last_id

    @property
    def stands_at(self) -> str | None:
        """The item that the list goes on after; None: it begins."""
        return self._at(self._anchor)

    def numbered(self) -> int:
        """A number for an airing that is not of the list."""
        self._number += 1
        return self._number

    def not_before(self, plan: Plan) -> int | None:
        """The frame before which the list does not go on with ``plan`` by itself."""
        is_cued = self.cued is not None and self.cued.airing is plan.airing
        if self.next is None or self.next.airing is not plan.airing or is_cued or plan.cause != "fixed":
            return None
        return self.timeline.due(plan.index)

    def on_list(self, airing: Airing) -> int | None:
        """The index of what is on air, while it is where the list stands."""
        return self._anchor if self._at(self._anchor) == airing.item.id else None

    def left_over(self, frame: int) -> tuple[Passed, ...]:
        """What stands at the list's end and does not air, once nothing comes any more."""
        return self.timeline.left_over(self._anchor, frame) if self.next is None else ()

    def see_wall(self, wall: Wall, frame: int) -> None:
        """At every frame. What depends on the time of day is planned anew when that was not known before."""
        if self.timeline.wall == wall:
            return
        was, self.timeline.wall = self.timeline.wall, wall
        if self._last_id is None and self._resume is None and not self._noted and not self.timeline.is_plain:
            old, self.next = self.next, None
            self._plan_first(self._resume)
            self.next = kept(old, self.next)
        elif was is None:
            self.plan_anew(frame)

    def watch_fixed(self, frame: int) -> None:
        """Opens the next fixed start ahead of its time."""
        first = self.timeline.coming(self._anchor, frame, after=frame)
        if first is None or (self.next is not None and self.next.index == first[0]):
            self.fixed = None
        elif first[1] - frame <= self._open_ahead(first[0]) and (self.fixed is None or self.fixed.index != first[0]):
            self.fixed = self._plan(first[0], "fixed", waits=False, opens_at=frame)

    def _open_ahead(self, index: int) -> int:
        """A live input takes its time to connect."""
        return 3 * self._ahead if self.playlist.items[index].kind == "live" else self._ahead

    def next_fixed(self, frame: int) -> Item | None:
        """The item of the next fixed start that is to be."""
        first = self.timeline.coming(self._anchor, frame)
        return None if first is None else self.playlist.items[first[0]]

    def is_fixed_within(self, frame: int, frames: int) -> bool:
        """A fixed start is due before so many frames have passed."""
        first = self.timeline.coming(self._anchor, frame)
        return first is not None and first[1] - frame < frames

    def fixed_due(self, frame: int) -> int | None:
        """The fixed start whose time has come: its index."""
        return self.timeline.last_due(self._anchor, frame)

    def promote(self, index: int, frame: int) -> Plan:
        """A fixed start's time has come: it is what comes next, and what was before it in the list is passed over."""
        plan = self.next
        if plan is None or plan.index != index or not self._is_due:
            known = {one.index: one for one in plan.passed} if plan is not None else {}
            between = tuple(known.get(at) or self.timeline.preempted(at) for at in range(self._anchor + 1, index))
            if plan is None or plan.index != index or plan.cause != "fixed":
                ahead = self.fixed
                plan = ahead if ahead is not None and ahead.index == index else None
                plan = plan or self._plan(index, "fixed", waits=False, opens_at=frame)
            self.next = plan = replace(plan, passed=between, waits=False)
            self.again, self.fixed, self._is_due = None, None, True
        return plan

    def demote(self, frame: int) -> None:
        """The fixed start that was due is too late now: the list goes on without it."""
        if self._is_due:
            self._is_due = False
            self.plan_anew(frame)

    def moved_to(self, plan: Plan, frame: int, at: int | None = None) -> tuple[Passed, ...]:
        """``plan`` goes on air, at output frame ``at``: the list goes on after it. Tells what does not air for that."""
        starts = frame if at is None else at
        passed = plan.passed
        if plan.cause == "cue":
            why = f"{name_of(plan.airing.item)} was cued"
            passed = self._jumps.over(self.timeline, self._anchor, plan.index, "jumped", plan.by, why)
        if plan.cause in ("loop", "fixed") and plan.index <= self._anchor:
            self._jumps.go_round()
        self.timeline.pass_to(plan.index, starts)
        self._anchor, self._turn = plan.index, plan.turn
        self._last_id = plan.airing.item.id
        self._older_trouble, self._first_trouble = self._first_trouble, None
        self.fixed, self.held, self._is_due = None, None, False
        if self.cued is not None and self.cued.airing is plan.airing:
            self.cued = None
        self._expected = self.timeline.ending(plan.index, starts, plan.airing.first_frame).frame
        self.next = self._plan_after(plan.index, waits=False, frame=frame)
        self.again = None
        if self.timeline.repeats(plan.index, plan.turn):
            self.again = self._once_more("repeat", plan.turn + 1, frame)
        return passed

    def begun(self, item_id: str) -> None:
        """It is on air."""
        self._jumps.told(item_id)

    def missed(self, after: int, index: int | None, by: str, detail: str) -> tuple[Passed, ...]:
        """What stands between two items (None: to the list's end) and was due while the channel was in standby."""
        return self._jumps.over(self.timeline, after, index, "standby", by, detail)

    def dropped_by(self, item_id: str) -> str:
        """Who said that the item is not to air; empty where its list did."""
        return self._dropped_by.get(item_id, "")

    def foresee(self, airing: Airing, frame: int) -> tuple[str, int] | None:
        """What follows by itself after ``airing``, which begins with ``frame`` and where the list stands, and at which
        frame; None where a take decides, or nobody knows."""
        plan = self.follows
        if plan is None or plan.waits:
            return None
        end = self.timeline.ending(self._anchor, frame, airing.first_frame).frame
        cut = self.timeline.cut(self._anchor, frame)
        if cut is not None:
            end = max(frame, cut) if end is None else min(end, max(frame, cut))
        # What begins airs a frame, also where its time is over.
        return None if end is None else (plan.airing.item.id, max(end, frame + 1, self.not_before(plan) or 0))

    def hold_loop(self, frame: int) -> None:
        """While the list waits, what is on air comes again and again."""
        if self.held is None and 0 <= self._anchor < len(self.playlist.items):
            self.held = self._once_more("hold loop", self._turn, frame)

    def _once_more(self, cause: str, turn: int, frame: int) -> Plan:
        opens_at = frame if self._expected is None else max(frame, self._expected - self._ahead)
        return replace(self._plan(self._anchor, cause, waits=False, opens_at=opens_at), turn=turn)

    def end_again(self) -> None:
        self.again = None

    def expect(self, end: int | None, frame: int) -> None:
        """What is on air ends at another frame than planned."""
        self._expected = end
        self.plan_anew(frame)

    def plan_anew(self, frame: int) -> None:
        """What comes is found again; where it is the same, its source stays open."""
        if self._last_id is None:
            old, self.next = self.next, None
            self._plan_first(self._resume)
        elif self._is_due:
            return
        else:
            old, self.next = self.next, self._plan_after(self._anchor, waits=False, frame=frame)
        self.next = kept(old, self.next)

    def drop(self, item_id: str, *, is_dropped: bool, frame: int, by: str = "") -> None:
        """An item will not air, or will after all."""
        self.timeline.dropped[item_id] = is_dropped
        self._dropped_by[item_id] = by
        if is_dropped and self.cued is not None and self.cued.airing.item.id == item_id:
            self.cued = None
        if self._is_due and self.next is not None and self.next.airing.item.id == item_id:
            self._is_due = False
        self.plan_anew(frame)

    def proved(self) -> None:
        """What is on air airs properly: old troubles are forgotten."""
        self._troubles.clear()
        self._noted.clear()
        self._older_trouble = None

    def begin_at(self, spot: Spot, cause: str, frame: int, at: int | None = None) -> Plan:
        """A plan for a place of the list's own arithmetic; the list goes on after it."""
        plan = self._plan(spot.index, cause, first_frame=spot.frame, waits=False, opens_at=frame)
        self.moved_to(plan, frame, at)
        if self.cued is not None and (self.next is None or self.next.index != self.cued.index):
            # Cued when it came next by itself, it goes past others from here.
            self.cued = replace(self.cued, cause="cue", passed=())
        return plan

    def begin_with(self, point: ResumePoint) -> None:
        """Before anything aired: the list begins at ``point`` instead; where that item is not in it, as it was."""
        if index_of(self.playlist.items, point.item_id) is not None:
            self._resume = point
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
        self.next = self.again = self.fixed = None
        self._is_due = False

    def wait_with(self, index: int, frame: int) -> None:
        """By its own arithmetic the list goes on with the item at ``index``, when its time has come."""
        self._anchor = index - 1
        self.again, self._is_due, self._expected = None, False, None
        self.next = self._plan_after(index - 1, waits=False, frame=frame)

    def spot_of(self, item_id: str, frame: int) -> Spot | None:
        """Where the item that aired last is in the list, None when it vanished from it."""
        if self._at(self._anchor) == item_id:
            return Spot(self._anchor, frame)
        index = index_of(self.playlist.items, item_id)
        return None if index is None else Spot(index, frame)

    def cue(self, index: int, frame: int, by: str = "") -> Plan:
        following = self.next
        is_next = following is not None and following.index == index and following.airing.first_frame == 0
        if following is not None and is_next and following.opens_at <= frame:
            self.cued = following
        elif self.cued is None or self.cued.index != index:
            self.cued = replace(self._plan(index, "cue", opens_at=frame), by=by)
        else:
            self.cued = replace(self.cued, by=by)
        return self.cued

    def failed(self, plan: Plan, frame: int, *, hung: bool) -> bool:
        """``plan`` could not be played; what comes after it comes. False when this was told before, and nothing aired
        since."""
        item_id = plan.airing.item.id
        if self.cued is not None and self.cued.airing is plan.airing:
            self.cued = None
        if self.next is not None and self.next.airing is plan.airing:
            self._troubled(plan.index, frame).costly += hung
            if plan.cause == "fixed":
                self.timeline.pass_to(plan.index, frame)
            self._is_due = False
            self.next = self._plan_after(plan.index, waits=plan.waits, frame=frame)
        if self.again is not None and self.again.airing is plan.airing:
            self.again = None
        self._jumps.told(item_id)
        is_news = item_id not in self._noted
        self._noted.add(item_id)
        return is_news

    def try_again(self, plan: Plan, opens_at: int) -> None:
        """``plan``, the next, is opened anew: there is time."""
        if self.next is not None and self.next.airing is plan.airing:
            again = self._plan(
                plan.index, plan.cause, first_frame=plan.airing.first_frame, waits=plan.waits, opens_at=opens_at
            )
            again = replace(again, passed=plan.passed)
            if self.cued is self.next:
                self.cued = again
            self.next = again

    def open_anew(self, plan: Plan, frame: int) -> Plan:
        """``plan``, the next or the cued, with a source of its own that is opened now."""
        again = replace(self._plan(plan.index, plan.cause, opens_at=frame), passed=plan.passed, by=plan.by)
        if self.cued is not None and self.cued.airing is plan.airing:
            self.cued = again
        return again

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
        old, old_next, old_cued, line = self.playlist, self.next, self.cued, self.timeline
        unaired = self._last_id is None
        self.timeline = Timeline(playlist, line.rate, line.wall, line.spent, line.dropped)
        self.fixed, self._is_due = None, False
        self._anchor = anchor_in(playlist.items, old.items, self._anchor, self._last_id)
        self._troubles.clear()
        self._noted.clear()
        self._jumps.keep(item.id for item in playlist.items)
        self._first_trouble = self._older_trouble = None
        self.next = self._plan_after(self._anchor, waits=False, frame=frame)
        if unaired and old_next is not None:
            self._keep_first(old_next, frame)
        else:
            self.next = kept(old_next, self.next)
        if self.again is not None:
            is_there = self._at(self._anchor) == self.again.airing.item.id
            self.again = replace(self.again, index=self._anchor) if is_there else None
        self.cued = None if old_cued is None else self._kept_cue(old_cued, frame)

    def _plan_first(self, resume: ResumePoint | None) -> None:
        items = self.playlist.items
        index = index_of(items, resume.item_id) if resume is not None else None
        if resume is None or index is None:
            first = self.timeline.following(-1, 0) if items else NoSpot.ENDED
            if not isinstance(first, NoSpot):
                cause = "fixed" if first.cause == "fixed" else "arm"
                self.next = replace(self._plan(first.index, cause, opens_at=0), passed=first.passed)
            return
        spot = walk(self.playlist, Spot(index, resume.frame), 0)
        if isinstance(spot, Spot):
            # It was on air before: nobody takes it a second time, and no fixed start up to it is to come any more.
            self._anchor = spot.index - 1
            self.timeline.pass_to(spot.index, 0)
            self._jumps = Jumps(item.id for item in items[: spot.index])
            self.next = self._plan(spot.index, "resume", first_frame=spot.frame, waits=False, opens_at=0)
        else:
            self._anchor = index
            self._jumps = Jumps(item.id for item in items[: index + 1])
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
            return replace(self._plan(index, "cue", opens_at=frame), by=old.by)
        return Plan(old.airing, index, "cue", old.waits, old.opens_at, by=old.by)

    def _plan_after(self, index: int, *, waits: bool, frame: int) -> Plan | None:
        items = self.playlist.items
        if not items:
            return None
        expected = frame if self._expected is None else max(frame, self._expected)
        cut = self.timeline.cut(index, frame) if index >= 0 else None
        if cut is not None:
            expected = min(expected, max(frame, cut))
        following = self.timeline.following(index, expected)
        passed: tuple[Passed, ...] = ()
        if isinstance(following, NoSpot):
            if self._first_trouble is not None:
                at, cause = self._first_trouble, "follow"
            elif following is NoSpot.HELD:
                at, cause, waits, passed = 0, "loop", True, self.timeline.left_over(index, expected)
            else:
                return None
        else:
            at, cause, passed = following.index, following.cause, following.passed
        waits = cause != "fixed" and (waits or items[at].start_mode == "hold")
        return replace(self._plan(at, cause, waits=waits, opens_at=self._not_before(at, frame)), passed=passed)

    def _not_before(self, index: int, frame: int) -> int:
        trouble = self._troubles.get(index)
        if trouble is None:
            return frame
        pause = self._again_after << min(trouble.costly, 3)
        return max(trouble.failed_at + pause, frame + (self._spread if self.is_fruitless else 0))

    def _troubled(self, index: int, frame: int) -> Trouble:
        if self._first_trouble is None:
            self._first_trouble = index
        trouble = self._troubles.setdefault(index, Trouble(frame))
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
