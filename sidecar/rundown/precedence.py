"""What goes before what: an ordered cut, a fixed start, a hold; and what is passed over because it cannot be played."""

from sidecar.rundown.air import Air, Order
from sidecar.rundown.forecast import Spot
from sidecar.rundown.holding import shown_in
from sidecar.rundown.model import Supply
from sidecar.rundown.output import Airtime, Mode
from sidecar.rundown.plans import Plan
from sidecar.rundown.rate import frames_in
from sidecar.rundown.timeline import LEAD_S
from sidecar.rundown.views import name_of, view_of

PATIENCE_S = 10
"""How long a source may take to open while nobody waits for it."""
LATE_FILE_S = 20
"""An item that cannot be opened is tried again, and not passed over, while more than this is left before its turn."""
RETRY_S = 5

EMPTY = "there is not one frame in it"


class Precedence(Air):
    """At every frame an ordered cut comes first, then a fixed start whose time has come, then what is on the output."""

    def _follow_order(self) -> bool:
        """Makes the cut an operator ordered, if it can be made now."""
        order, out = self.order, self.out
        if order is None or out.frame < order.at:
            return False
        view = view_of(self.sources, order.airing)
        if view.supply is Supply.READY:
            late, detail = self._lateness(order.due)
            self.order = None
            self.hold = self.hold and order.cause == "rejoin"
            self.holding.end()
            self._begin(order.airing, order.cause, order.by, order.cause, detail=detail, late=late)
            return True
        is_final = view.supply in (Supply.FAILED, Supply.ENDED)
        if is_final or out.frame - order.at >= frames_in(order.patience_s, self.rate):
            self.order = None
            cause = "failed" if is_final else "no data"
            why = view.error or (EMPTY if is_final else f"gave no data for {order.patience_s} s")
            out.fact("item_skipped", order.airing, cause=cause, by=order.by, detail=why)
            if order.cause in ("rejoin", "hold time-out") or out.mode is Mode.HOLD:
                self.begin_filler(cause, f"{name_of(order.airing.item)}: {why}", show="ladder")
        return False

    def _watch_the_end(self) -> None:
        """When the time of day ends what is on air."""
        air = self.out.air
        if air is None or self.out.mode is not Mode.ITEM:
            return
        item = air.airing.item
        if item.end_mode != "at" and item.block_until_ns is None and item.block is None:
            return
        index = self.lineup.on_list(air.airing)
        limit = None if index is None else self.lineup.timeline.limit(index)
        air.limit_left = None if limit is None else max(0, limit - self.out.frame)

    def _start_fixed(self) -> bool:
        """A fixed start whose time has come begins with this frame, where nothing that goes before it is in the way."""
        out, lineup, frame = self.out, self.lineup, self.out.frame
        index = lineup.fixed_due(frame)
        if index is None or lineup.fixed is None or lineup.fixed.index != index:
            lineup.watch_fixed(frame)
        if index is None:
            lineup.demote(frame)
        if index is None or self.order is not None or out.mode is Mode.STANDBY:
            return False
        waits = self.is_waiting
        if waits and not self.rules.fixed_ends_hold:
            self._let_hold_win(index)
            return False
        plan = lineup.promote(index, frame)
        item, air = plan.airing.item, out.air
        runs = air is not None and out.mode is Mode.ITEM and air.left != 0
        if runs and air is not None and (item.fixed_kind == "soft" or air.airing.item.before_fixed == "run_on"):
            return False
        late = lineup.timeline.lateness(index, frame)
        if late and item.late_policy == "join":
            lead, due = frames_in(LEAD_S, self.rate), frame - late
            joined = lineup.begin_at(Spot(index, late + lead), "fixed", frame, at=frame + lead)
            if waits:
                self._tell_hold_ends(joined)
            self.tell_passed(plan.passed)
            self.order = Order(joined.airing, "fixed", "", frame + lead, due=due)
            return False
        if not self.is_ready(plan.airing) and not self._begins_without(plan):
            return False
        if waits:
            self._tell_hold_ends(plan)
        self.hold = False
        self._enter(plan, self._fixed_end_cause(air), f"fixed start of {name_of(item)}")
        return True

    def _fixed_end_cause(self, air: Airtime | None) -> str:
        if air is None or self.out.mode is not Mode.ITEM or air.left != 0:
            return "fixed"
        return air.end_cause

    def _tell_hold_ends(self, plan: Plan) -> None:
        detail = f"the fixed start of {name_of(plan.airing.item)} ends the hold"
        self.out.fact("decision", plan.airing, cause="fixed", detail=detail)

    def _let_hold_win(self, index: int) -> None:
        item = self.lineup.playlist.items[index]
        if self._hold_won != (item.id, item.fixed_at_ns):
            self._hold_won = item.id, item.fixed_at_ns
            detail = f"the hold goes before the fixed start of {name_of(item)}"
            self.out.fact("decision", cause="hold", detail=detail)

    def _watch_hold(self) -> None:
        """What is to be open while the list waits, and what becomes of it when nobody takes."""
        plan, out = self.lineup.coming, self.out
        item = plan.airing.item if plan is not None else None
        waits = self.hold or (plan is not None and plan.waits)
        if waits and out.mode in (Mode.ITEM, Mode.HOLD) and shown_in(item) == "loop":
            self.lineup.hold_loop(out.frame)
        else:
            self.lineup.held = None
        if out.mode is Mode.FILLER and plan is not None and waits:
            self.holding.begin(out.frame)
        elif out.mode in (Mode.FILLER, Mode.ITEM) and not waits:
            self.holding.end()
        if self.order is None and self.holding.times_out(item, self.rules, out.frame):
            self._time_out(plan)

    def _time_out(self, plan: Plan | None) -> None:
        fallback, out = self.rules.hold_fallback, self.out
        name = name_of(plan.airing.item) if plan is not None else "what comes"
        then = {"next": f"{name} begins", "filler": "filler is shown", "slate": "the slate is shown"}[fallback]
        why = f"nobody took {name} in time"
        out.fact("decision", plan.airing if plan else None, cause="hold time-out", detail=f"{why}; {then}")
        if fallback == "next" and plan is not None:
            self.order = Order(plan.airing, "hold time-out", "", out.frame)
            self.tell_passed(self.lineup.moved_to(plan, out.frame))
        else:
            self.begin_filler("hold time-out", why, show="slate" if fallback == "slate" else "filler")

    def watch_what_comes(self) -> None:
        """Finds out early what cannot be played, while there is time to open something else."""
        for plan in (self.lineup.cued, self.lineup.again, self.lineup.next):
            if plan is None or plan.opens_at > self.out.frame:
                continue
            view = view_of(self.sources, plan.airing)
            if plan.airing.item.kind == "live" and view.supply is not Supply.FAILED:
                continue
            is_slow = self.out.frame - plan.opens_at >= frames_in(PATIENCE_S, self.rate)
            if view.supply in (Supply.FAILED, Supply.ENDED):
                if plan is self.lineup.next and self._there_is_time(plan):
                    self.lineup.try_again(plan, self.out.frame + frames_in(RETRY_S, self.rate))
                else:
                    self._pass_over(plan, "failed", view.error or EMPTY)
            elif view.supply is not Supply.READY and is_slow and not self._there_is_time(plan):
                self._pass_over(plan, "no data", f"gave no data for {PATIENCE_S} s")

    def _there_is_time(self, plan: Plan) -> bool:
        if self._is_early(plan):
            return True
        air = self.out.air
        left = air.left if air is not None and self.out.mode is Mode.ITEM else None
        return left is not None and left > frames_in(LATE_FILE_S, self.rate)

    def _pass_over(self, plan: Plan, cause: str, why: str) -> None:
        if self.lineup.failed(plan, self.out.frame, hung=cause == "no data"):
            self.out.fact("item_skipped", plan.airing, cause=cause, detail=why)
        if self.out.mode is Mode.FILLER:
            self._why = f"{name_of(plan.airing.item)}: {why}"
