"""The state of the rundown clock between two frames, and the changes that can be made to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sidecar.protocol.channel import Playlist, ResumePoint, Rules
from sidecar.protocol.status import Picture
from sidecar.rundown.holding import Holding
from sidecar.rundown.ladder import OffAir, Show
from sidecar.rundown.lineup import Lineup
from sidecar.rundown.live import PRECONNECT_S
from sidecar.rundown.model import Airing, FrameAction, Sources, Supply
from sidecar.rundown.output import Airtime, Mode, OnOutput
from sidecar.rundown.plans import Plan
from sidecar.rundown.rate import frames_in
from sidecar.rundown.reel import Reel
from sidecar.rundown.timeline import Passed
from sidecar.rundown.views import name_of, nothing_yet, view_of
from sidecar.rundown.wall import Wall

GRACE_S = 2
"""How long an ordered cut waits for its source."""
_FILLER_AHEAD_S = 5
"""So long before filler is due its first clip is opened."""


@dataclass(frozen=True, slots=True)
class Order:
    """A cut to be made as soon as its source is ready, not before output frame ``at``, and for ``patience_s`` long.

    ``due``: the output frame of its fixed start, where it is one that came too late.
    """

    airing: Airing
    cause: str
    by: str
    at: int
    patience_s: int = GRACE_S
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    action: FrameAction
    late: bool = False
    silent: bool = True
    filler: Airing | None = None
    """Whose frame it is, where that is not the item on air."""


SLATE = Frame("slate")
STILL = Frame("repeat")
LATE = Frame("repeat", late=True)


class Air:
    """``hold``, ``order`` and ``lineup`` are what commands change; everything else follows at the next tick."""

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None) -> None:
        self.rate = rate
        self.lineup = Lineup(playlist, rate, resume)
        self.out = OnOutput()
        self.hold = False
        self.holding = Holding(rate)
        self.order: Order | None = None
        self.armed_by = ""
        self.sources: Sources = nothing_yet
        self.may_begin: Callable[[Airing], bool] = lambda _: True
        """Asked of what comes by itself and is ready; False: it is to be told first to whoever shows it."""
        self.due: Airing | None = None
        """What would have begun with the last frame, had it been allowed to."""
        number = self.lineup.numbered
        self.off_air = OffAir(rate, Reel(rate, number), Reel(rate, number), Reel(rate, number))
        self.off_air.load(playlist.rules)
        self._wall: Wall | None = None
        self._why = ""  # of filler
        self._rung = ""
        self._hold_won: tuple[str, int | None] | None = None  # the fixed start, item and instant, that a hold stopped
        self._left_told: set[str] = set()  # what of the list's end was told not to air, since something began
        self._had_picture = False
        self._foreseen: tuple[str, int] | None = None  # when which item is to begin, as it looked when another began

    @property
    def rules(self) -> Rules:
        return self.off_air.rules

    def see_wall(self, wall_ns: int | None) -> None:
        """The next tick's frame is due at ``wall_ns``, UTC."""
        if wall_ns is None:
            return
        frame = self.out.frame
        self._wall = Wall(wall_ns, self.rate).seen(0, wall_ns) if self._wall is None else self._wall
        if self._wall.instant(frame) != wall_ns:
            self._wall = self._wall.seen(frame, wall_ns)
        self.lineup.see_wall(self._wall, frame)

    @property
    def picture(self) -> Picture:
        air = self.out.air
        match self.out.mode:
            case Mode.ITEM:
                if air is not None and air.lost_at is not None:
                    return "filler"
                return "freeze" if air is not None and air.is_frozen else "item"
            case Mode.HOLD:
                return "hold"
            case Mode.STANDBY:
                return "standby"
            case Mode.FILLER | Mode.MUTED:
                return "filler"

    @property
    def reason(self) -> str:
        """Why the picture is not an item, in an operator's words; empty while an item airs."""
        air = self.out.air
        match self.out.mode:
            case Mode.MUTED:
                return "muted"
            case Mode.ITEM:
                return "" if air is None else self._item_reason(air)
            case Mode.HOLD:
                return f"held after {name_of(air.airing.item) if air else 'an item'}; {self.waits_for()}"
            case Mode.STANDBY:
                return f"standby; rejoins {name_of(self.order.airing.item)}" if self.order else "standby"
            case Mode.FILLER:
                return self._filler_reason()

    def _enter(self, plan: Plan, end_cause: str, end_detail: str, *, cause: str = "", detail: str = "") -> None:
        """``plan`` begins with this frame, and not by an operator's order."""
        frame = self.out.frame
        late, lateness = self._lateness(self.lineup.not_before(plan))
        detail = "; ".join(filter(None, (detail, lateness)))
        if plan.cause != "hold loop":
            self.holding.end()
        self.tell_passed(self.lineup.moved_to(plan, frame))
        by = self.armed_by if plan.cause in ("arm", "resume") else ""
        self._begin(plan.airing, cause or plan.cause, by, end_cause, end_detail, detail, late)

    def _begin(
        self,
        airing: Airing,
        cause: str,
        by: str,
        end_cause: str,
        end_detail: str = "",
        detail: str = "",
        late: int | None = None,
    ) -> None:
        """With this frame; the list stands at it already."""
        item_id, at = self._foreseen or ("", None)
        predicted = at if item_id == airing.item.id else None
        self.out.enter(
            airing, cause, by, end_cause=end_cause, end_detail=end_detail, detail=detail, late=late, predicted=predicted
        )
        self.lineup.begun(airing.item.id)
        self._foreseen = None if self.hold else self.lineup.foresee(airing, self.out.frame)

    def _lateness(self, due: int | None) -> tuple[int | None, str]:
        """How many frames after ``due`` what begins with this frame begins, and that in words."""
        late = 0 if due is None else self.out.frame - due
        return (late, f"{float(late / self.rate):.2f} s late") if late > 0 else (None, "")

    def tell_passed(self, passed: tuple[Passed, ...]) -> None:
        """What does not air because something else begins, and why."""
        self._left_told.clear()
        self._tell(passed)

    def _tell_left_over(self) -> None:
        """The list has ended: what stands at its end and does not air is told once."""
        items = self.lineup.playlist.items
        left = [one for one in self.lineup.left_over(self.out.frame) if items[one.index].id not in self._left_told]
        self._left_told.update(items[one.index].id for one in left)
        self._tell(left)

    def _tell(self, passed: Sequence[Passed]) -> None:
        items = self.lineup.playlist.items
        for one in passed:
            if one.cause and one.index < len(items):
                item = items[one.index]
                by = self.lineup.dropped_by(item.id) if one.cause == "dropped" else one.by
                airing = Airing(self.lineup.numbered(), item)
                self.out.fact("item_skipped", airing, cause=one.cause, by=by, detail=one.detail)

    def begin_filler(self, cause: str, why: str = "", by: str = "", show: Show = "filler") -> None:
        """What was on the output is left; which filler this frame shows is decided with it, by the tick."""
        self._why = why
        self.off_air.begin(show, self.out.frame)
        self.out.cut_to_slate(Mode.FILLER, cause, by, why or self._filler_reason())
        self._rung = self.off_air.rung(self.out.frame)
        self._tell_left_over()

    def _to_filler(self, cause: str, why: str = "", show: Show = "filler") -> Frame:
        """This frame is the first of filler; at most once for each frame, for a reel counts what it gives."""
        self.begin_filler(cause, why, show=show)
        if self._rung == "last_frame" and self._had_picture:
            self.out.show_filler(None)
            return STILL
        return self._filler_frame(self.off_air.airing(self.out.frame, self.sources))

    def _filler_frame(self, airing: Airing | None) -> Frame:
        self.out.show_filler(airing)
        return SLATE if airing is None else Frame("source", silent=False, filler=airing)

    @property
    def is_waiting(self) -> bool:
        """The list does not go on before somebody takes."""
        plan = self.lineup.follows
        if self.hold or self.out.mode is Mode.HOLD or self.is_looping:
            return True
        return self.out.mode is Mode.FILLER and plan is not None and plan.waits

    @property
    def is_looping(self) -> bool:
        """The item before a hold airs again and again."""
        return self.out.mode is Mode.ITEM and self.holding.is_on

    def _is_early(self, plan: Plan) -> bool:
        """Its fixed time has not come."""
        due = self.lineup.not_before(plan)
        return due is not None and due > self.out.frame

    def is_filler_near(self) -> bool:
        """Whether filler may be wanted soon."""
        out, air, plan = self.out, self.out.air, self.lineup.follows
        if out.mode not in (Mode.ITEM, Mode.MUTED):
            return True
        if air is not None and (air.dry > 0 or air.over or air.lost_at is not None):
            return True
        ends = air is None or (air.left is not None and air.left <= frames_in(_FILLER_AHEAD_S, self.rate))
        return ends and (plan is None or self._is_early(plan))

    def may_follow(self, plan: Plan) -> bool:
        if plan.waits or self.hold or self._is_early(plan):
            return False
        return plan.opens_at <= self.out.frame

    def is_ready(self, airing: Airing) -> bool:
        return view_of(self.sources, airing).supply is Supply.READY

    def _begins_without(self, plan: Plan) -> bool:
        """A live item's time has come whether or not its input is there: it is joined as soon as that comes."""
        return plan.airing.item.kind == "live" and view_of(self.sources, plan.airing).supply is not Supply.FAILED

    def is_near(self, plan: Plan) -> bool:
        """Whether the source of ``plan`` is to be open by now: a live input's only shortly before its start."""
        if plan.airing.item.kind != "live" or plan is self.lineup.cued or plan is self.lineup.fixed or plan.waits:
            return True
        due = self.lineup.not_before(plan)
        if due is not None and due - self.out.frame > frames_in(PRECONNECT_S, self.rate):
            return False
        air = self.out.air
        left = air.left if air is not None and self.out.mode is Mode.ITEM else None
        return left is None or left <= frames_in(PRECONNECT_S, self.rate)

    def _item_reason(self, air: Airtime) -> str:
        if air.lost_at is not None:
            waits = "; play brings it back" if air.live is not None and air.live.waits else ""
            return f"live input of {name_of(air.airing.item)} lost: {air.lost_why}{waits}"
        return "the picture is frozen" if air.is_frozen else ""

    def _filler_reason(self) -> str:
        plan = self.lineup.follows
        if plan is None:
            return self._why or ("the rundown has ended" if self.lineup.playlist.items else "the rundown is empty")
        if self.hold or plan.waits:
            return f"{self._why}; {self.waits_for()}" if self._why else self.waits_for()
        if self._is_early(plan):
            return self._why or f"waits for the fixed start of {name_of(plan.airing.item)}"
        return self._why or f"opening {name_of(plan.airing.item)}"

    def waits_for(self) -> str:
        plan = self.lineup.coming
        take = f"waits for a take of {name_of(plan.airing.item)}" if plan else "waits for a take"
        fixed = self.lineup.next_fixed(self.out.frame) if self.rules.fixed_ends_hold else None
        if fixed is None:
            return take
        is_next = plan is not None and plan.airing.item.id == fixed.id
        return f"{take} or its fixed start" if is_next else f"{take} or the fixed start of {name_of(fixed)}"
