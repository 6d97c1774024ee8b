"""What every output frame shows, decided from what is on the output, what comes, and what its sources can give."""

from fractions import Fraction

from sidecar.rundown.air import GRACE_S, LATE, SLATE, STILL, Frame
from sidecar.rundown.holding import shown_in
from sidecar.rundown.live import LiveFrame, LiveWatch
from sidecar.rundown.model import Shown, Sources, SourceView, Supply
from sidecar.rundown.output import Airtime, Mode
from sidecar.rundown.precedence import PATIENCE_S, Precedence
from sidecar.rundown.rate import frames_in
from sidecar.rundown.views import name_of, view_of

FLASH_S = 1
"""An item that breaks off earlier did not air properly."""
BLINK_S = Fraction(1, 5)
"""A source of unknown length that ends earlier was empty."""


class Programme(Precedence):
    """The rundown clock's state between two frames, and the rules that lead from one to the next."""

    def tick(self, sources: Sources, wall_ns: int | None = None) -> Shown:
        """Once per output frame, in order."""
        self.sources = sources
        self.see_wall(wall_ns)
        self.due = None
        out = self.out
        if out.mode is Mode.MUTED:
            first = self.lineup.next
            out.fact("on_air", cause=first.cause if first else "arm", by=self.armed_by)
        out.watch_late()
        self.watch_what_comes()
        self._watch_the_end()
        frame = self._decide()
        air = out.air
        is_lost = air is not None and air.lost_at is not None
        if out.mode not in (Mode.FILLER, Mode.STANDBY) and not is_lost:
            self.off_air.leave()
        position = self.off_air.position(frame.filler)
        if air is not None and not is_lost:
            position = max(air.airing.first_frame, air.position - 1)
        self._had_picture = frame.action != "slate"
        shown = Shown(
            frame=out.frame,
            action=frame.action,
            picture=self.picture,
            airing=air.airing if air and air.lost_at is None else frame.filler,
            position=position,
            silent=frame.silent,
            late=frame.late,
            reason=self.reason,
            facts=out.take_facts(),
        )
        out.frame += 1
        return shown

    def _decide(self) -> Frame:
        if self._follow_order() or self._start_fixed():
            return self._first_frame()
        had_order = self.order is not None
        self._watch_hold()
        if self.order is not None and not had_order and self._follow_order():
            return self._first_frame()
        match self.out.mode:
            case Mode.MUTED:
                return self._go_on("arm") or self._to_filler("arm")
            case Mode.ITEM:
                return self._item()
            case Mode.HOLD:
                return self._held()
            case Mode.STANDBY:
                return self._filler_frame(self.off_air.standby.frame(self.sources, self.out.frame))
            case Mode.FILLER:
                return self._filler()

    def _item(self) -> Frame:
        air = self.out.air
        assert air is not None
        if air.is_frozen:
            return SLATE if air.lost_at is not None and not self._had_picture else STILL
        if air.left == 0:
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
                own = air.airing.item.duration_frames
                aired_whole = own is not None and air.position >= own
                if aired_whole or (air.duration is None and shown >= frames_in(BLINK_S, self.rate)):
                    self._prove(air)
                    return self._seam(air)
                length = f" of {air.duration}" if air.duration is not None else ""
                return self._break_off(air, "ended early", f"ended after {air.position}{length} frames")
            case Supply.FAILED:
                return self._break_off(air, "failed", view.error or "the source failed")

    def _live(self, air: Airtime, view: SourceView) -> Frame:
        """A live input's time passes whether or not it gives a picture."""
        watch = air.live = air.live or LiveWatch(self.rate)
        step = watch.step(self.out.frame, is_ready=view.supply is Supply.READY)
        if step is LiveFrame.SHOW:
            self.out.find_live("live back")
            return self._next_frame()
        air.position += 1
        if step is LiveFrame.STAND:
            self.out.repeat_late(air)
            return LATE
        if air.lost_at is None:
            nothing = "it is not connected" if view.supply is Supply.OPENING else "no picture comes"
            self.out.lose_live(air, view.error or nothing)
            self.off_air.begin("ladder", self.out.frame)
        if self.off_air.rung(self.out.frame) == "last_frame" and self._had_picture:
            return STILL
        airing = self.off_air.airing(self.out.frame, self.sources)
        return SLATE if airing is None else Frame("source", silent=False, filler=airing)

    def _seam(self, air: Airtime) -> Frame:
        """Every frame of the item was shown: go on, hold, or wait a little for what comes."""
        cause = air.end_cause
        air.over = True
        if air.limit_left == 0:  # its repeat would be over as it begins
            self.lineup.end_again()
        plan = self.lineup.follows
        if self.order is not None:
            return self._wait_a_little(air, cause)
        if self.hold or (plan is not None and plan.waits) or (air.airing.item.end_mode == "take" and plan is None):
            return self._wait(cause)
        if air.airing.item.end_mode == "take" and cause != "end time" and not self.lineup.is_due:
            return self._wait(cause)
        going_on = self._go_on(cause)
        if going_on is not None:
            return going_on
        if plan is None or plan.opens_at > self.out.frame:
            return self._to_filler(cause)
        if self._is_early(plan):
            return self._to_filler("gap")
        return self._wait_a_little(air, cause)

    def _wait_a_little(self, air: Airtime, cause: str) -> Frame:
        """What comes is not there yet: the item's last picture stands, unless the item gave none at its end."""
        if air.lost_at is None:
            return self._late(air)
        return self._to_filler(cause, f"{self._item_reason(air)} until its end", show="ladder")

    def _wait(self, cause: str, detail: str = "") -> Frame:
        """The item is over, and the list waits for a take."""
        self.holding.begin(self.out.frame)
        again = self.lineup.held
        if again is not None and self.is_ready(again.airing):
            self._enter(again, cause, detail)
            return self._next_frame()
        self.out.hold_picture(cause, self.waits_for(), end_detail=detail)
        return self._held()

    def _held(self) -> Frame:
        again, plan = self.lineup.held, self.lineup.coming
        if again is not None and self.is_ready(again.airing):
            self._enter(again, "hold loop", "")
            return self._next_frame()
        shows_slate = shown_in(plan.airing.item if plan else None) == "slate"
        return STILL if self._had_picture and not shows_slate else SLATE

    def _late(self, air: Airtime) -> Frame:
        """The picture that is due did not come: the last one stands, for a while."""
        grace = frames_in(Fraction(self.rules.ladder_first_ms, 1000), self.rate)
        if air.dry < grace:
            self.out.repeat_late(air)
            return LATE
        why = f"gave no data for {float(grace / self.rate):g} s"
        if not air.over:
            return self._break_off(air, "no data", why)
        plan = self.lineup.follows
        if plan is None or self.order is not None:
            return self._to_filler("ended", show="ladder")
        self._pass_over(plan, "no data", why)
        return self._to_filler("ended", f"{name_of(plan.airing.item)}: {why}", show="ladder")

    def _break_off(self, air: Airtime, cause: str, why: str) -> Frame:
        """The item on air ended too early: at once to the next if it is ready, else filler."""
        if not air.proved:
            self.lineup.broke_off(air.airing.item.id, self.out.frame)
        self.lineup.end_again()
        plan = self.lineup.follows
        if cause == "ended early" and (self.hold or (plan is not None and plan.waits)):
            return self._wait(cause, why)
        going_on = self._go_on(cause, why)
        return going_on or self._to_filler(cause, f"{name_of(air.airing.item)}: {why}", show="ladder")

    def _filler(self) -> Frame:
        plan = self.lineup.follows
        going_on = self._go_on("")
        if going_on is not None:
            return going_on
        frame, rung = self.out.frame, self.off_air.rung(self.out.frame)
        if rung == "next" and self._climb():
            return self._next_frame()
        if self.order is None and plan is not None and self.may_follow(plan):
            seconds = PATIENCE_S if self.lineup.is_fruitless else GRACE_S
            due = self.lineup.not_before(plan) or 0
            if frame - max(self.out.began, plan.opens_at, due) >= frames_in(seconds, self.rate):
                self._pass_over(plan, "no data", f"gave no data for {seconds} s")
        if rung != self._rung and self.off_air.show == "ladder":
            self.out.fact("decision", cause="ladder", detail=f"{rung.replace('_', ' ')} is shown")
        self._rung = rung
        if rung == "last_frame" and self._had_picture:
            self.out.show_filler(None, "ladder")
            return STILL
        return self._filler_frame(self.off_air.airing(frame, self.sources))

    def _climb(self) -> bool:
        """The ladder's rung ``next``: what comes, although it waits."""
        plan = self.lineup.coming
        if plan is None or self.order is not None or not self.is_ready(plan.airing):
            return False
        self._enter(plan, "ladder", "", cause="ladder")
        self.hold = False
        return True

    def _next_frame(self) -> Frame:
        air = self.out.air
        assert air is not None
        air.dry = 0
        air.position += 1
        if air.left == 0 or self.out.frame - air.started >= frames_in(FLASH_S, self.rate):
            self._prove(air)
        return SLATE if air.airing.item.kind == "slate" else Frame("source", silent=False)

    def _prove(self, air: Airtime) -> None:
        if not air.proved:
            air.proved = True
            self.lineup.proved()

    def _go_on(self, end_cause: str, end_detail: str = "") -> Frame | None:
        """This frame is the first of what comes, if that may follow by itself and is ready."""
        plan = self.lineup.follows
        if plan is None or self.order is not None or not self.may_follow(plan):
            return None
        if not self.is_ready(plan.airing) and not self._begins_without(plan):
            return None
        if not self.may_begin(plan.airing):
            self.due = plan.airing
            return None
        self._enter(plan, end_cause or plan.cause, end_detail)
        return self._first_frame()

    def _first_frame(self) -> Frame:
        """Of what begins with this frame."""
        air = self.out.air
        if air is not None and air.airing.item.kind == "live":
            return self._live(air, view_of(self.sources, air.airing))
        return self._next_frame()
