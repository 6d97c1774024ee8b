"""What every output frame shows, decided from what is on the output, what comes, and what its sources can give."""

from dataclasses import dataclass
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.protocol.status import LiveState, LiveStatus, Picture
from sidecar.rundown.lineup import Lineup, Plan, frames_in
from sidecar.rundown.live import PRECONNECT_S, LiveFrame, LiveWatch
from sidecar.rundown.model import Airing, FrameAction, Shown, Sources, SourceView, Supply
from sidecar.rundown.output import Airtime, Mode, OnOutput

GRACE_S = 2
"""How long the last picture stands in for frames that do not come, before filler."""
PATIENCE_S = 10
"""How long a source may take to open while nobody waits for it."""
FLASH_S = 1
"""An item that breaks off earlier did not air properly."""
BLINK_S = Fraction(1, 5)
"""A source of unknown length that ends earlier was empty."""
LATE_FILE_S = 20
"""An item that cannot be opened is tried again, and not passed over, while more than this is left before its turn."""
RETRY_S = 5

EMPTY = "there is not one frame in it"


@dataclass(frozen=True, slots=True)
class Order:
    """A cut to be made as soon as its source is ready, not before output frame ``at``."""

    airing: Airing
    cause: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class _Frame:
    action: FrameAction
    late: bool = False
    silent: bool = True


_SLATE = _Frame("slate")
_STILL = _Frame("repeat")
_LATE = _Frame("repeat", late=True)


class Programme:
    """The rundown clock's state between two frames, and the rules that lead from one to the next.

    ``hold``, ``order`` and ``lineup`` are what commands change; everything else follows at the next tick.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None) -> None:
        self.rate = rate
        self.lineup = Lineup(playlist, rate, resume)
        self.out = OnOutput()
        self.hold = False
        self.order: Order | None = None
        self.armed_by = ""
        self.sources: Sources = nothing_yet
        self._why = ""  # of filler

    def tick(self, sources: Sources) -> Shown:
        """Once per output frame, in order."""
        self.sources = sources
        out = self.out
        if out.mode is Mode.MUTED:
            first = self.lineup.next
            out.fact("on_air", cause=first.cause if first else "arm", by=self.armed_by)
        out.watch_late()
        self.watch_what_comes()
        frame = self._decide()
        air = out.air
        shown = Shown(
            frame=out.frame,
            action=frame.action,
            picture=self.picture,
            airing=air.airing if air and air.lost_at is None else None,
            position=max(air.airing.first_frame, air.position - 1) if air and air.lost_at is None else 0,
            silent=frame.silent,
            late=frame.late,
            reason=self.reason,
            facts=out.take_facts(),
        )
        out.frame += 1
        return shown

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

    # --- inside: this frame -----------------------------------------------------------------------------------------

    def _decide(self) -> _Frame:
        if self._follow_order():
            return self._next_frame()
        match self.out.mode:
            case Mode.MUTED:
                return self._go_on("arm") or self.to_filler("arm")
            case Mode.ITEM:
                return self._item()
            case Mode.HOLD:
                return _STILL
            case Mode.STANDBY:
                return _SLATE
            case Mode.FILLER:
                return self._filler()

    def _item(self) -> _Frame:
        air = self.out.air
        assert air is not None
        if air.is_frozen:
            return _STILL
        if air.left == 0:
            air.over = True
            return self._seam(air)
        view = view_of(self.sources, air.airing)
        if air.airing.item.kind == "live" and view.supply is not Supply.FAILED:
            return self._live(air, view)
        match view.supply:
            case Supply.READY:
                return self._next_frame()
            case Supply.DRY | Supply.OPENING:
                return self._late(air)
            case Supply.ENDED:
                shown = air.position - air.airing.first_frame
                if air.duration is None and shown >= frames_in(BLINK_S, self.rate):
                    air.over = True
                    self._prove(air)
                    return self._seam(air)
                length = f" of {air.duration}" if air.duration is not None else ""
                return self._break_off(air, "ended early", f"ended after {air.position}{length} frames")
            case Supply.FAILED:
                return self._break_off(air, "failed", view.error or "the source failed")

    def _live(self, air: Airtime, view: SourceView) -> _Frame:
        """A live input's time passes whether or not it gives a picture."""
        watch = air.live = air.live or LiveWatch(self.rate)
        step = watch.step(self.out.frame, is_ready=view.supply is Supply.READY)
        if step is LiveFrame.SHOW:
            self.out.find_live("live back")
            return self._next_frame()
        air.position += 1
        if step is LiveFrame.STAND:
            self.out.repeat_late(air)
            return _LATE
        if air.lost_at is None:
            nothing = "it is not connected" if view.supply is Supply.OPENING else "no picture comes"
            self.out.lose_live(air, view.error or nothing)
        return _SLATE

    def _seam(self, air: Airtime) -> _Frame:
        """Every frame of the item was shown: go on, hold, or wait a little for what comes."""
        plan = self.lineup.coming
        if self.order is not None:
            return self._late(air)
        if self.hold or (plan is not None and plan.waits):
            self.out.hold_picture("ended", self.waits_for())
            return _STILL
        going_on = self._go_on("ended")
        if going_on is not None:
            return going_on
        if plan is None or plan.opens_at > self.out.frame:
            return self.to_filler("ended")
        return self._late(air)

    def _late(self, air: Airtime) -> _Frame:
        """The picture that is due did not come: the last one stands, for a while."""
        if air.dry < frames_in(GRACE_S, self.rate):
            self.out.repeat_late(air)
            return _LATE
        why = f"gave no data for {GRACE_S} s"
        if not air.over:
            return self._break_off(air, "no data", why)
        plan = self.lineup.coming
        if plan is None or self.order is not None:
            return self.to_filler("ended")
        self._pass_over(plan, "no data", why)
        return self.to_filler("ended", f"{name_of(plan.airing.item)}: {why}")

    def _break_off(self, air: Airtime, cause: str, why: str) -> _Frame:
        """The item on air ended too early: at once to the next if it is ready, else filler."""
        if not air.proved:
            self.lineup.broke_off(air.airing.item.id, self.out.frame)
        plan = self.lineup.coming
        if cause == "ended early" and (self.hold or (plan is not None and plan.waits)):
            self.out.hold_picture(cause, self.waits_for(), end_detail=why)
            return _STILL
        return self._go_on(cause, why) or self.to_filler(cause, f"{name_of(air.airing.item)}: {why}")

    def _filler(self) -> _Frame:
        plan = self.lineup.coming
        going_on = self._go_on("")
        if going_on is not None:
            return going_on
        if self.order is None and plan is not None and self.may_follow(plan):
            seconds = PATIENCE_S if self.lineup.is_fruitless else GRACE_S
            if self.out.frame - max(self.out.began, plan.opens_at) >= frames_in(seconds, self.rate):
                self._pass_over(plan, "no data", f"gave no data for {seconds} s")
        return _SLATE

    def _next_frame(self) -> _Frame:
        air = self.out.air
        assert air is not None
        air.dry = 0
        air.position += 1
        if air.left == 0 or self.out.frame - air.started >= frames_in(FLASH_S, self.rate):
            self._prove(air)
        return _SLATE if air.airing.item.kind == "slate" else _Frame("source", silent=False)

    def _prove(self, air: Airtime) -> None:
        if not air.proved:
            air.proved = True
            self.lineup.proved()

    # --- inside: what comes -----------------------------------------------------------------------------------------

    def _go_on(self, end_cause: str, end_detail: str = "") -> _Frame | None:
        """This frame is the first of what comes, if that may follow by itself and is ready."""
        plan = self.lineup.coming
        if plan is None or self.order is not None or not self.may_follow(plan):
            return None
        if not self.is_ready(plan.airing) and not self._begins_without(plan):
            return None
        self.lineup.moved_to(plan, self.out.frame)
        by = self.armed_by if plan.cause in ("arm", "resume") else ""
        air = self.out.enter(plan.airing, plan.cause, by, end_cause=end_cause or plan.cause, end_detail=end_detail)
        if plan.airing.item.kind == "live":
            return self._live(air, view_of(self.sources, plan.airing))
        return self._next_frame()

    def to_filler(self, cause: str, why: str = "", by: str = "") -> _Frame:
        self._why = why
        self.out.cut_to_slate(Mode.FILLER, cause, by, why or self._filler_reason())
        return _SLATE

    def _follow_order(self) -> bool:
        """Makes the cut an operator ordered, if it can be made now."""
        order, out = self.order, self.out
        if order is None or out.frame < order.at:
            return False
        view = view_of(self.sources, order.airing)
        if view.supply is Supply.READY:
            out.enter(order.airing, order.cause, order.by, end_cause=order.cause)
            self.order = None
            self.hold = self.hold and order.cause == "rejoin"
            return True
        is_final = view.supply in (Supply.FAILED, Supply.ENDED)
        if is_final or out.frame - order.at >= frames_in(GRACE_S, self.rate):
            self.order = None
            cause = "failed" if is_final else "no data"
            why = view.error or (EMPTY if is_final else f"gave no data for {GRACE_S} s")
            out.fact("item_skipped", order.airing, cause=cause, by=order.by, detail=why)
            if order.cause == "rejoin":
                self.to_filler(cause, f"{name_of(order.airing.item)}: {why}")
        return False

    def watch_what_comes(self) -> None:
        """Finds out early what cannot be played, while there is time to open something else."""
        for plan in (self.lineup.cued, self.lineup.next):
            if plan is None or plan.opens_at > self.out.frame:
                continue
            view = view_of(self.sources, plan.airing)
            if plan.airing.item.kind == "live" and view.supply is not Supply.FAILED:
                continue
            is_slow = self.out.frame - plan.opens_at >= frames_in(PATIENCE_S, self.rate)
            if view.supply in (Supply.FAILED, Supply.ENDED):
                if plan is self.lineup.next and self._there_is_time():
                    self.lineup.try_again(plan, self.out.frame + frames_in(RETRY_S, self.rate))
                else:
                    self._pass_over(plan, "failed", view.error or EMPTY)
            elif view.supply is not Supply.READY and is_slow and not self._there_is_time():
                self._pass_over(plan, "no data", f"gave no data for {PATIENCE_S} s")

    def _there_is_time(self) -> bool:
        air = self.out.air
        left = air.left if air is not None and self.out.mode is Mode.ITEM else None
        return left is not None and left > frames_in(LATE_FILE_S, self.rate)

    def _pass_over(self, plan: Plan, cause: str, why: str) -> None:
        if self.lineup.failed(plan, self.out.frame, hung=cause == "no data"):
            self.out.fact("item_skipped", plan.airing, cause=cause, detail=why)
        if self.out.mode is Mode.FILLER:
            self._why = f"{name_of(plan.airing.item)}: {why}"

    def may_follow(self, plan: Plan) -> bool:
        return not plan.waits and not self.hold and plan.opens_at <= self.out.frame

    def is_ready(self, airing: Airing) -> bool:
        return view_of(self.sources, airing).supply is Supply.READY

    def _begins_without(self, plan: Plan) -> bool:
        """A live item's time has come whether or not its input is there: it is joined as soon as that comes."""
        return plan.airing.item.kind == "live" and view_of(self.sources, plan.airing).supply is not Supply.FAILED

    def is_near(self, plan: Plan) -> bool:
        """Whether the source of ``plan`` is to be open by now: a live input's only shortly before its start."""
        if plan.airing.item.kind != "live" or plan is self.lineup.cued or plan.waits:
            return True
        air = self.out.air
        left = air.left if air is not None and self.out.mode is Mode.ITEM else None
        return left is None or left <= frames_in(PRECONNECT_S, self.rate)

    # --- inside: words ----------------------------------------------------------------------------------------------

    def _item_reason(self, air: Airtime) -> str:
        if air.lost_at is not None:
            waits = "; play brings it back" if air.live is not None and air.live.waits else ""
            return f"live input of {name_of(air.airing.item)} lost: {air.lost_why}{waits}"
        return "the picture is frozen" if air.is_frozen else ""

    def _filler_reason(self) -> str:
        plan = self.lineup.coming
        if plan is None:
            return self._why or ("the rundown has ended" if self.lineup.playlist.items else "the rundown is empty")
        if self.hold or plan.waits:
            return f"{self._why}; {self.waits_for()}" if self._why else self.waits_for()
        return self._why or f"opening {name_of(plan.airing.item)}"

    def waits_for(self) -> str:
        plan = self.lineup.coming
        return f"waits for a take of {name_of(plan.airing.item)}" if plan else "waits for a take"


def view_of(sources: Sources, airing: Airing) -> SourceView:
    return SourceView(Supply.READY) if airing.item.kind == "slate" else sources(airing)


def nothing_yet(_airing: Airing) -> SourceView:
    return SourceView(Supply.OPENING)


def live_status(item: Item, view: SourceView, *, is_wanted: bool = True) -> LiveStatus | None:
    """What is told of a live input whose source shows ``view``; None of any other item."""
    if item.kind != "live":
        return None
    if not is_wanted:
        return LiveStatus("idle")
    states: dict[Supply, LiveState] = {Supply.READY: "ready", Supply.OPENING: "connecting"}
    return LiveStatus(states.get(view.supply, "lost"), view.error)


def name_of(item: Item) -> str:
    return item.title or item.id
