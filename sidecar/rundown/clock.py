"""The rundown clock: at output frame n, show frame m of item k. Pure, single-threaded, owned by the playout thread."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.protocol.status import ItemNext, Picture
from sidecar.rundown.air import Order
from sidecar.rundown.answers import Done, Follower, OnAir, Refused
from sidecar.rundown.forecast import Spot, Walk, walk
from sidecar.rundown.model import Airing, Fact, Shown, Sources, Supply
from sidecar.rundown.output import Mode
from sidecar.rundown.rate import frames_in
from sidecar.rundown.timeline import LEAD_S, NoSpot
from sidecar.rundown.transport import Transport
from sidecar.rundown.views import live_status, name_of, view_of

__all__ = ["Done", "Follower", "OnAir", "Refused", "RundownClock"]


@dataclass(frozen=True, slots=True)
class _Suspended:
    """What standby interrupted at output frame ``at``. ``item_id`` is None when no item was running."""

    item_id: str | None
    position: int
    at: int
    added: int
    held: bool
    by: str


class RundownClock(Transport):
    """Decides what every output frame shows; each has exactly one source.

    ``sources(airing)`` must answer OPENING for an airing it does not know yet. Sources of ``kind == "slate"`` items are
    never asked for: they are shown with action ``slate``. The as-run facts of commands come out with the next tick
    (or with ``stop``). The first tick's facts begin with ``on_air``. How facts nest: ``sidecar.rundown.output``.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None = None) -> None:
        super().__init__(playlist, rate, resume)
        self._suspended: _Suspended | None = None

    def arm(self, by: str) -> None:
        """Names who put the channel on air; before the first tick."""
        self._programme.armed_by = by

    def prepare(self, sources: Sources, wall_ns: int | None = None) -> None:
        """While muted, as often as one likes: passes over what cannot be played, so that the air begins well.

        ``wall_ns``: UTC now, for what begins at a time of day.
        """
        self._programme.sources = sources
        self._programme.see_wall(wall_ns)
        self._programme.watch_what_comes()

    @property
    def first(self) -> Airing | None:
        """While muted: what the list begins with."""
        return None if self._lineup.next is None else self._lineup.next.airing

    @property
    def is_cued(self) -> bool:
        """Something else than the list's own next item comes next."""
        return self._lineup.cued is not None

    def begin_with(self, point: ResumePoint) -> None:
        """While muted: the list begins there instead. An item that is not in the list changes nothing."""
        self._lineup.begin_with(point)

    def begin_later(self, frames: int) -> None:
        """While muted: that many channel frames of ``first``, which its source has given already, are passed over."""
        self._lineup.begin_later(frames)

    def tick(self, sources: Sources, wall_ns: int | None = None) -> Shown:
        """Once per output frame, in order. ``wall_ns``: the UTC instant at which it is due; without, no time of day
        counts."""
        self._learn_opening(sources)
        return self._programme.tick(sources, wall_ns)

    def note_late(self, cause: str, detail: str) -> None:
        """The last tick's frame was late although the tick did not say so: at most once for each frame."""
        self._out.note_late(cause, detail)

    def wanted(self) -> tuple[Airing, ...]:
        """Airings whose source is to be open now, most urgent first; every other source is to be closed."""
        air = self._out.air
        found: list[Airing] = []
        if air is not None and not air.over:
            found.append(air.airing)
        if self._programme.order is not None:
            found.append(self._programme.order.airing)
        lineup, frame = self._lineup, self._out.frame
        plans = (lineup.held, lineup.cued, lineup.again, lineup.next, lineup.fixed)
        found += [
            plan.airing
            for plan in plans
            if plan is not None and plan.opens_at <= frame and self._programme.is_near(plan)
        ]
        off_air = self._programme.off_air
        found += off_air.wanted(frame, near=self._programme.is_filler_near())
        return tuple(airing for airing in dict.fromkeys(found) if airing.item.kind != "slate")

    # --- for an engine that is told ahead -----------------------------------------------------------------------------

    def begins_if(self, may_begin: Callable[[Airing], bool]) -> None:
        """What comes by itself and is ready begins only where ``may_begin`` allows it; else it is ``due``."""
        self._programme.may_begin = may_begin

    def is_planned(self, airing: Airing) -> bool:
        """It may come by itself, or by the next take: neither ordered, nor on air, nor filler."""
        lineup = self._lineup
        return any(
            plan is not None and plan.airing is airing
            for plan in (lineup.cued, lineup.again, lineup.next, lineup.fixed)
        )

    @property
    def due(self) -> Airing | None:
        """What would have begun by itself with the last frame, and was not allowed to."""
        return self._programme.due

    @property
    def ordered(self) -> Airing | None:
        """What is to be cut to as soon as its source is ready; until then what is on air stays there."""
        order = self._programme.order
        return None if order is None or self._out.frame < order.at else order.airing

    def bear_with_order(self, patience_s: int) -> None:
        """What is ordered waits for so long: nothing is wrong with it, whoever is to show it takes nothing now."""
        order = self._programme.order
        if order is not None and order.patience_s < patience_s:
            self._programme.order = replace(order, patience_s=patience_s)

    @property
    def follower(self) -> Follower | None:
        """What comes after the item on air, as far as it can be told now. None: nothing, or a slate."""
        programme, air = self._programme, self._out.air
        again = self._lineup.held
        plan = again or self._lineup.follows
        if plan is None or programme.order is not None or plan.opens_at > self._out.frame:
            return None
        if plan.airing.item.kind != "clip":
            return None
        if air is None or air.over or self._out.mode is not Mode.ITEM or air.airing.item.end_mode == "take":
            return Follower(plan.airing, by_itself=False)
        if again is not None:
            return Follower(plan.airing, by_itself=True)
        own = None if air.duration is None else air.duration - air.position
        due = self._lineup.not_before(plan)
        is_early = due is not None and (own is None or due > self._out.frame + own)
        is_cut = air.limit_left is not None and (own is None or air.limit_left < own)
        return Follower(plan.airing, not (plan.waits or programme.hold or is_early or is_cut))

    # --- what is known ----------------------------------------------------------------------------------------------

    def next_item(self, sources: Sources) -> ItemNext | None:
        """What airs after the item on air: the cued item, else the list's next."""
        plan, air = self._lineup.coming, self._out.air
        if plan is None:
            return None
        follows = not plan.waits and not self._programme.hold and self._lineup.follows is plan
        is_running = air is not None and self._out.mode is Mode.ITEM and not air.is_frozen
        left = air.left if air is not None and is_running and follows else None
        due = self._lineup.not_before(plan)
        if due is not None and follows and (left is not None or self._out.mode is Mode.FILLER):
            left = max(left or 0, due - self._out.frame)
        view = view_of(sources, plan.airing)
        return ItemNext(
            item_id=plan.airing.item.id,
            title=name_of(plan.airing.item),
            cued=self._lineup.cued is not None and plan.airing is self._lineup.cued.airing,
            ready=view.supply is Supply.READY,
            in_frames_left=left,
            live=live_status(plan.airing.item, view, is_wanted=self._programme.is_near(plan)),
        )

    @property
    def on_air(self) -> OnAir | None:
        air = self._out.air
        if air is None:
            return None
        live = live_status(air.airing.item, view_of(self._programme.sources, air.airing))
        return OnAir(air.airing, air.position, air.duration, air.started, air.late, live)

    def may_change_within(self, frames: int) -> bool:
        """What is on air ends by itself, or a fixed start comes, before so many frames have passed; or nobody knows."""
        air = self._out.air
        if air is None or air.left is None or air.left < frames:
            return True
        return self._lineup.is_fixed_within(self._out.frame, frames)

    @property
    def frame(self) -> int:
        """The number of the next tick's frame: how many were shown."""
        return self._out.frame

    @property
    def since(self) -> int | None:
        """The frame of the fact with which what is on the output began: an item, a clip of filler, the slate, a held
        picture, a live input's loss or return. None while muted."""
        return self._out.since

    @property
    def frames_late(self) -> int:
        """Late frames since arming, those of ``note_late`` included: what all ``late`` facts add up to."""
        return self._out.frames_late

    @property
    def is_held(self) -> bool:
        """The list does not go on by itself after what is on air, by an operator's hold or because it waits now."""
        return self._programme.hold or self._out.mode is Mode.HOLD or self._programme.is_looping

    @property
    def hold_left(self) -> int | None:
        """Frames until nobody has taken for too long; None: the list does not wait, or without end."""
        plan = self._lineup.coming
        return self._programme.holding.left(plan.airing.item if plan else None, self._programme.rules, self._out.frame)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Items that will not air, by an operator's word."""
        return tuple(item_id for item_id, dropped in self._lineup.timeline.dropped.items() if dropped)

    @property
    def stands_at(self) -> str | None:
        """The item that the list goes on after, whatever is on air; None: it has not begun."""
        return self._lineup.stands_at

    @property
    def picture(self) -> Picture:
        return self._programme.picture

    @property
    def reason(self) -> str:
        """Why the picture is not an item, in an operator's words; empty while an item airs."""
        return self._programme.reason

    @property
    def playlist(self) -> Playlist:
        return self._lineup.playlist

    # --- commands ---------------------------------------------------------------------------------------------------

    def standby(self, by: str) -> Done:
        """Cut to the standby clip or the slate, at once and from anything. Never refused to a channel on air."""
        air = self._needs_air()
        self._programme.order = None
        if self._out.mode is Mode.STANDBY:
            return self._done("standby", by, "already in standby")
        runs = air is not None and self._out.mode is Mode.ITEM
        self._suspended = _Suspended(
            item_id=air.airing.item.id if air is not None and runs else None,
            position=air.position if air is not None else 0,
            at=self._out.frame,
            added=air.added if air is not None and runs else 0,
            held=self.is_held,
            by=by,
        )
        self._programme.holding.end()
        done = self._done("standby", by, "standby", shows=True)
        self._out.cut_to_slate(Mode.STANDBY, "standby", by, "")
        return done

    def rejoin(self, by: str) -> Done:
        """Return from standby to what should be on air.

        That is where the list would be by its own arithmetic had standby not been; the cut comes ``LEAD_S`` later, at
        the frame due by then. Where the arithmetic cannot tell (a hold waits on the way, a length is unknown), the
        interrupted item runs on from where it was left. Is it gone from the list, or did no item run, the list goes on.
        """
        self._needs_air()
        suspended, lineup = self._suspended, self._lineup
        if self._out.mode is not Mode.STANDBY or suspended is None:
            raise Refused("nothing_to_take", "the channel is not in standby")
        at = self._out.frame + frames_in(LEAD_S, self._programme.rate)
        spot = lineup.spot_of(suspended.item_id, suspended.position) if suspended.item_id is not None else None
        if spot is None:
            return self._rejoin_list(suspended, by)
        target = walk(
            self.playlist, spot, at - suspended.at, timeline=lineup.timeline, at=suspended.at, added=suspended.added
        )
        if (
            suspended.held
            and not self._fixed_came(spot, suspended, at)
            and target != Spot(spot.index, spot.frame + at - suspended.at)
        ):
            target = NoSpot.HELD
        if target is NoSpot.ENDED:
            self._tell_missed(spot, None, suspended)
            lineup.end()
            return self._rejoin_list(suspended, by)
        if target is NoSpot.GAP:
            following = self._after_gap(spot, suspended, at)
            self._tell_missed(spot, following, suspended)
            lineup.wait_with(following, self._out.frame)
            return self._rejoin_list(suspended, by)
        if isinstance(target, NoSpot):
            target, at = spot, self._out.frame
        self._tell_missed(spot, target.index, suspended)
        plan = lineup.begin_at(target, "rejoin", self._out.frame)
        self._programme.order = Order(plan.airing, "rejoin", by, at)
        return self._done("rejoin", by, f"rejoins {name_of(plan.airing.item)}")

    def replace_playlist(self, playlist: Playlist, by: str) -> Done:
        """Raises Refused ``stale_revision`` and ``invalid``."""
        held = self.playlist.revision
        if playlist.revision < held:
            raise Refused("stale_revision", f"revision {playlist.revision} is older than the one held, {held}")
        if len({item.id for item in playlist.items}) < len(playlist.items):
            raise Refused("invalid", f"revision {playlist.revision} of the rundown has an item id twice")
        self._lineup.replace(playlist, self._out.frame)
        self._programme.off_air.load(playlist.rules)
        return self._done("playlist", by, f"rundown revision {playlist.revision}, {len(playlist.items)} items")

    def note_command(self, name: str, by: str, sentence: str) -> Done:
        """A command that is not the rundown's, done with the next frame: into the as-run with the others."""
        self._needs_air()
        return self._done(name, by, sentence, shows=True)

    def stop(self, by: str) -> tuple[Fact, ...]:
        """The last facts of the run, at the frame that will not be shown; ``run_end`` is not among them."""
        out = self._out
        out.fact("command", cause="stop", by=by, detail="stopped")
        out.leave("stop", by)
        out.air, out.mode, self._programme.order = None, Mode.MUTED, None
        return out.take_facts()

    # --- inside: commands -------------------------------------------------------------------------------------------

    def _tell_missed(self, spot: Spot, index: int | None, suspended: _Suspended) -> None:
        """What was to air after ``spot`` while the channel was in standby, up to the item at ``index``."""
        detail = "its time passed while the channel was in standby"
        self._programme.tell_passed(self._lineup.missed(spot.index, index, suspended.by, detail))

    def _steps(self, spot: Spot, suspended: _Suspended) -> Walk:
        return Walk(self._lineup.timeline, spot, suspended.at, hold=suspended.held, added=suspended.added)

    def _after_gap(self, spot: Spot, suspended: _Suspended, at: int) -> int:
        """What the list waits with in the gap that is at output frame ``at``."""
        return next((one.index for one in self._steps(spot, suspended) if one.start > at), spot.index)

    def _fixed_came(self, spot: Spot, suspended: _Suspended, at: int) -> bool:
        """Whether a fixed start would have ended the hold."""
        return any(one.index != spot.index and one.start <= at for one in self._steps(spot, suspended))

    def _rejoin_list(self, suspended: _Suspended, by: str) -> Done:
        """No item is to be joined: the list goes on with what comes, or filler says why it does not."""
        self._programme.hold = self._programme.hold or suspended.held
        done = self._done("rejoin", by, "rejoins the rundown", shows=True)
        plan = self._lineup.follows
        if plan is not None and self._programme.may_follow(plan) and self._programme.is_ready(plan.airing):
            self._programme.tell_passed(self._lineup.moved_to(plan, self._out.frame))
            self._programme.order = Order(plan.airing, "rejoin", by, self._out.frame)
        else:
            self._programme.begin_filler("rejoin", by=by)
        return done
