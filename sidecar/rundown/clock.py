"""The rundown clock: at output frame n, show frame m of item k. Pure, single-threaded, owned by the playout thread."""

from dataclasses import dataclass
from fractions import Fraction

from sidecar.protocol.channel import Item, Playlist, ResumePoint
from sidecar.protocol.status import ItemNext, Picture
from sidecar.rundown.answers import Done, OnAir, Refused
from sidecar.rundown.forecast import NoSpot, Spot, index_of, walk
from sidecar.rundown.lineup import Lineup, Plan, frames_in
from sidecar.rundown.model import Airing, Fact, FrameAction, Shown, Sources, SourceView, Supply
from sidecar.rundown.output import Airtime, Mode, OnOutput

__all__ = ["Done", "OnAir", "Refused", "RundownClock"]

GRACE_S = 2
"""How long the last picture stands in for frames that do not come, before filler."""
PATIENCE_S = 10
"""How long a source may take to open while nobody waits for it."""
GUARD_S = 1
"""Within this of a take, another is refused."""
FLASH_S = 1
"""An item that breaks off earlier did not air properly."""
BLINK_S = Fraction(1, 5)
"""A source of unknown length that ends earlier was empty."""
LATE_FILE_S = 20
"""An item that cannot be opened is tried again, and not passed over, while more than this is left before its turn."""
RETRY_S = 5
LEAD_S = 1
"""A rejoin cuts this much later, so that the frame that should be on air by then is decoded."""

EMPTY = "there is not one frame in it"


@dataclass(frozen=True, slots=True)
class _Order:
    """A cut to be made as soon as its source is ready, not before output frame ``at``."""

    airing: Airing
    cause: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class _Suspended:
    """What standby interrupted at output frame ``at``. ``item_id`` is None when no item was running."""

    item_id: str | None
    position: int
    at: int
    held: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    action: FrameAction
    late: bool = False
    silent: bool = True


_SLATE = _Frame("slate")
_STILL = _Frame("repeat")
_LATE = _Frame("repeat", late=True)


class RundownClock:
    """Decides what every output frame shows; each has exactly one source.

    ``sources(airing)`` must answer OPENING for an airing it does not know yet. Sources of ``kind == "slate"`` items are
    never asked for: they are shown with action ``slate``. The as-run facts of commands come out with the next tick
    (or with ``stop``). The first tick's facts begin with ``on_air``. How facts nest: ``sidecar.rundown.output``.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None = None) -> None:
        self._rate = rate
        self._lineup = Lineup(playlist, rate, resume)
        self._out = OnOutput()
        self._why = ""  # of filler
        self._hold = False
        self._order: _Order | None = None
        self._suspended: _Suspended | None = None
        self._taken_at: int | None = None
        self._armed_by = ""
        self._sources: Sources = _nothing_yet

    def arm(self, by: str) -> None:
        """Names who put the channel on air; before the first tick."""
        self._armed_by = by

    # --- once per frame ---------------------------------------------------------------------------------------------

    def tick(self, sources: Sources) -> Shown:
        """Once per output frame, in order."""
        self._sources = sources
        out = self._out
        if out.mode is Mode.MUTED:
            first = self._lineup.next
            out.fact("on_air", cause=first.cause if first else "arm", by=self._armed_by)
        self._watch_what_comes()
        frame = self._decide()
        air = out.air
        shown = Shown(
            frame=out.frame,
            action=frame.action,
            picture=self.picture,
            airing=air.airing if air else None,
            position=max(air.airing.first_frame, air.position - 1) if air else 0,
            silent=frame.silent,
            late=frame.late,
            reason=self.reason,
            facts=out.take_facts(),
        )
        out.frame += 1
        return shown

    def wanted(self) -> tuple[Airing, ...]:
        """Airings whose source is to be open now, most urgent first; every other source is to be closed."""
        air = self._out.air
        found: list[Airing] = []
        if air is not None and not air.over:
            found.append(air.airing)
        if self._order is not None:
            found.append(self._order.airing)
        plans = (self._lineup.cued, self._lineup.next)
        found += [plan.airing for plan in plans if plan is not None and plan.opens_at <= self._out.frame]
        return tuple(airing for airing in dict.fromkeys(found) if airing.item.kind != "slate")

    # --- what is known ----------------------------------------------------------------------------------------------

    def next_item(self, sources: Sources) -> ItemNext | None:
        """What airs after the item on air: the cued item, else the list's next."""
        plan, air = self._lineup.coming, self._out.air
        if plan is None:
            return None
        follows = not plan.waits and not self._hold
        is_running = air is not None and self._out.mode is Mode.ITEM and not air.is_frozen
        return ItemNext(
            item_id=plan.airing.item.id,
            title=_name(plan.airing.item),
            cued=plan is self._lineup.cued,
            ready=_view(sources, plan.airing).supply is Supply.READY,
            in_frames_left=air.left if air is not None and is_running and follows else None,
        )

    @property
    def on_air(self) -> OnAir | None:
        air = self._out.air
        return None if air is None else OnAir(air.airing, air.position, air.duration, air.started, air.late)

    @property
    def frame(self) -> int:
        """The number of the next tick's frame: how many were shown."""
        return self._out.frame

    @property
    def is_held(self) -> bool:
        """The list does not go on by itself after what is on air, by an operator's hold or because it waits now."""
        return self._hold or self._out.mode is Mode.HOLD

    @property
    def picture(self) -> Picture:
        air = self._out.air
        match self._out.mode:
            case Mode.ITEM:
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
        air = self._out.air
        match self._out.mode:
            case Mode.MUTED:
                return "muted"
            case Mode.ITEM:
                return "the picture is frozen" if air is not None and air.is_frozen else ""
            case Mode.HOLD:
                return f"held after {_name(air.airing.item) if air else 'an item'}; {self._waits_for()}"
            case Mode.STANDBY:
                return f"standby; rejoins {_name(self._order.airing.item)}" if self._order else "standby"
            case Mode.FILLER:
                return self._filler_reason()

    @property
    def playlist(self) -> Playlist:
        return self._lineup.playlist

    # --- commands ---------------------------------------------------------------------------------------------------

    def take(self, expect_item_id: str | None, by: str) -> Done:
        """Cut to the cued item, else to the next. ``expect_item_id`` fixes which of them that has to be."""
        return self._cut_to(self._lineup.coming, expect_item_id, "take", by)

    def skip(self, by: str) -> Done:
        """Cut to the next item of the list; a cue stays."""
        return self._cut_to(self._lineup.next, None, "skip", by)

    def cue(self, item_id: str | None, by: str) -> Done:
        """Make an item what comes next, at the next take or seam; None clears the cue."""
        if item_id is None:
            self._lineup.cued = None
            return self._done("cue", by, "cue cleared")
        index = index_of(self.playlist.items, item_id)
        if index is None:
            raise Refused("no_such_item", f"the rundown (revision {self.playlist.revision}) has no item {item_id}")
        plan = self._lineup.cue(index, self._out.frame)
        return self._done("cue", by, f"cued: {_name(plan.airing.item)}")

    def hold(self, by: str) -> Done:
        """Do not follow on after this item."""
        self._hold = True
        return self._done("hold", by, "holds after this item")

    def play(self, by: str) -> Done:
        """Release a hold: one that was only set, or one that waits now."""
        self._needs_air()
        coming = self._lineup.coming
        is_idle = self._out.mode is Mode.HOLD or self._out.mode is Mode.FILLER
        if self._out.mode is Mode.HOLD or (is_idle and coming is not None and coming.waits):
            return self._cut_to(coming, None, "play", by)
        was_held, self._hold = self._hold, False
        return self._done("play", by, "hold released" if was_held else "nothing is held")

    def pause(self, by: str) -> Done:
        """Freeze the picture; the sound goes silent."""
        air = self._needs_air()
        if air is None or self._out.mode is not Mode.ITEM:
            raise Refused("nothing_to_take", "no item is on air, so there is nothing to freeze")
        if air.is_frozen:
            return self._done("pause", by, "already frozen")
        done = self._done("pause", by, f"frozen: {_name(air.airing.item)}", shows=True)
        self._out.freeze(air, by)
        return done

    def resume(self, by: str) -> Done:
        """Let a frozen picture run on from the same frame."""
        air = self._needs_air()
        if air is None or not air.is_frozen:
            return self._done("resume", by, "the picture is not frozen")
        done = self._done("resume", by, f"runs on: {_name(air.airing.item)}", shows=True)
        self._out.unfreeze("resume", by)
        return done

    def standby(self, by: str) -> Done:
        """Cut to the slate, at once and from anything."""
        air = self._needs_air()
        self._order = None
        if self._out.mode is Mode.STANDBY:
            return self._done("standby", by, "already in standby")
        runs = air is not None and self._out.mode is Mode.ITEM
        self._suspended = _Suspended(
            item_id=air.airing.item.id if air is not None and runs else None,
            position=air.position if air is not None else 0,
            at=self._out.frame,
            held=self.is_held,
        )
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
        at = self._out.frame + frames_in(LEAD_S, self._rate)
        spot = lineup.spot_of(suspended.item_id, suspended.position) if suspended.item_id is not None else None
        if spot is None:
            return self._rejoin_list(suspended, by)
        target = walk(self.playlist, spot, at - suspended.at)
        if suspended.held and target != Spot(spot.index, spot.frame + at - suspended.at):
            target = NoSpot.HELD
        if target is NoSpot.ENDED:
            lineup.end()
            return self._rejoin_list(suspended, by)
        if isinstance(target, NoSpot):
            target, at = spot, self._out.frame
        plan = lineup.begin_at(target, "rejoin", self._out.frame)
        self._order = _Order(plan.airing, "rejoin", by, at)
        return self._done("rejoin", by, f"rejoins {_name(plan.airing.item)}")

    def replace_playlist(self, playlist: Playlist, by: str) -> Done:
        """Raises Refused ``stale_revision`` and ``invalid``."""
        held = self.playlist.revision
        if playlist.revision < held:
            raise Refused("stale_revision", f"revision {playlist.revision} is older than the one held, {held}")
        if len({item.id for item in playlist.items}) < len(playlist.items):
            raise Refused("invalid", f"revision {playlist.revision} of the rundown has an item id twice")
        self._lineup.replace(playlist, self._out.frame)
        return self._done("playlist", by, f"rundown revision {playlist.revision}, {len(playlist.items)} items")

    def stop(self, by: str) -> tuple[Fact, ...]:
        """The last facts of the run, at the frame that will not be shown; ``run_end`` is not among them."""
        out = self._out
        out.fact("command", cause="stop", by=by, detail="stopped")
        out.leave("stop", by)
        out.air, out.mode, self._order = None, Mode.MUTED, None
        return out.take_facts()

    # --- inside: this frame -----------------------------------------------------------------------------------------

    def _decide(self) -> _Frame:
        if self._follow_order():
            return self._next_frame()
        match self._out.mode:
            case Mode.MUTED:
                return self._go_on("arm") or self._to_filler("arm")
            case Mode.ITEM:
                return self._item()
            case Mode.HOLD:
                return _STILL
            case Mode.STANDBY:
                return _SLATE
            case Mode.FILLER:
                return self._filler()

    def _item(self) -> _Frame:
        air = self._out.air
        assert air is not None
        if air.is_frozen:
            return _STILL
        if air.left == 0:
            air.over = True
            return self._seam(air)
        view = _view(self._sources, air.airing)
        match view.supply:
            case Supply.READY:
                return self._next_frame()
            case Supply.DRY | Supply.OPENING:
                return self._late(air)
            case Supply.ENDED:
                shown = air.position - air.airing.first_frame
                if air.duration is None and shown >= frames_in(BLINK_S, self._rate):
                    air.over = True
                    self._prove(air)
                    return self._seam(air)
                length = f" of {air.duration}" if air.duration is not None else ""
                return self._break_off(air, "ended early", f"ended after {air.position}{length} frames")
            case Supply.FAILED:
                return self._break_off(air, "failed", view.error or "the source failed")

    def _seam(self, air: Airtime) -> _Frame:
        """Every frame of the item was shown: go on, hold, or wait a little for what comes."""
        plan = self._lineup.coming
        if self._order is not None:
            return self._late(air)
        if self._hold or (plan is not None and plan.waits):
            self._out.hold_picture("ended", self._waits_for())
            return _STILL
        going_on = self._go_on("ended")
        if going_on is not None:
            return going_on
        if plan is None or plan.opens_at > self._out.frame:
            return self._to_filler("ended")
        return self._late(air)

    def _late(self, air: Airtime) -> _Frame:
        """The picture that is due did not come: the last one stands, for a while."""
        if air.dry < frames_in(GRACE_S, self._rate):
            self._out.repeat_late(air)
            return _LATE
        why = f"gave no data for {GRACE_S} s"
        if not air.over:
            return self._break_off(air, "no data", why)
        plan = self._lineup.coming
        if plan is None or self._order is not None:
            return self._to_filler("ended")
        self._pass_over(plan, "no data", why)
        return self._to_filler("ended", f"{_name(plan.airing.item)}: {why}")

    def _break_off(self, air: Airtime, cause: str, why: str) -> _Frame:
        """The item on air ended too early: at once to the next if it is ready, else filler."""
        if not air.proved:
            self._lineup.broke_off(air.airing.item.id, self._out.frame)
        plan = self._lineup.coming
        if cause == "ended early" and (self._hold or (plan is not None and plan.waits)):
            self._out.hold_picture(cause, self._waits_for(), end_detail=why)
            return _STILL
        return self._go_on(cause, why) or self._to_filler(cause, f"{_name(air.airing.item)}: {why}")

    def _filler(self) -> _Frame:
        plan = self._lineup.coming
        going_on = self._go_on("")
        if going_on is not None:
            return going_on
        if self._order is None and plan is not None and self._may_follow(plan):
            seconds = PATIENCE_S if self._lineup.is_fruitless else GRACE_S
            if self._out.frame - max(self._out.began, plan.opens_at) >= frames_in(seconds, self._rate):
                self._pass_over(plan, "no data", f"gave no data for {seconds} s")
        return _SLATE

    def _next_frame(self) -> _Frame:
        air = self._out.air
        assert air is not None
        self._out.end_late()
        air.position += 1
        if air.left == 0 or self._out.frame - air.started >= frames_in(FLASH_S, self._rate):
            self._prove(air)
        return _SLATE if air.airing.item.kind == "slate" else _Frame("source", silent=False)

    def _prove(self, air: Airtime) -> None:
        if not air.proved:
            air.proved = True
            self._lineup.proved()

    # --- inside: what comes -----------------------------------------------------------------------------------------

    def _go_on(self, end_cause: str, end_detail: str = "") -> _Frame | None:
        """This frame is the first of what comes, if that may follow by itself and is ready."""
        plan = self._lineup.coming
        if plan is None or self._order is not None or not self._may_follow(plan) or not self._is_ready(plan.airing):
            return None
        self._lineup.moved_to(plan, self._out.frame)
        by = self._armed_by if plan.cause in ("arm", "resume") else ""
        self._out.enter(plan.airing, plan.cause, by, end_cause=end_cause or plan.cause, end_detail=end_detail)
        return self._next_frame()

    def _to_filler(self, cause: str, why: str = "", by: str = "") -> _Frame:
        self._why = why
        self._out.cut_to_slate(Mode.FILLER, cause, by, why or self._filler_reason())
        return _SLATE

    def _follow_order(self) -> bool:
        """Makes the cut an operator ordered, if it can be made now."""
        order, out = self._order, self._out
        if order is None or out.frame < order.at:
            return False
        view = _view(self._sources, order.airing)
        if view.supply is Supply.READY:
            out.enter(order.airing, order.cause, order.by, end_cause=order.cause)
            self._order, self._suspended = None, None
            self._hold = self._hold and order.cause == "rejoin"
            return True
        is_final = view.supply in (Supply.FAILED, Supply.ENDED)
        if is_final or out.frame - order.at >= frames_in(GRACE_S, self._rate):
            self._order = None
            cause = "failed" if is_final else "no data"
            why = view.error or (EMPTY if is_final else f"gave no data for {GRACE_S} s")
            out.fact("item_skipped", order.airing, cause=cause, by=order.by, detail=why)
            if order.cause == "rejoin":
                self._to_filler(cause, f"{_name(order.airing.item)}: {why}")
        return False

    def _watch_what_comes(self) -> None:
        """Finds out early what cannot be played, while there is time to open something else."""
        for plan in (self._lineup.cued, self._lineup.next):
            if plan is None or plan.opens_at > self._out.frame:
                continue
            view = _view(self._sources, plan.airing)
            is_slow = self._out.frame - plan.opens_at >= frames_in(PATIENCE_S, self._rate)
            if view.supply in (Supply.FAILED, Supply.ENDED):
                if self._there_is_time(plan):
                    self._lineup.try_again(plan, self._out.frame + frames_in(RETRY_S, self._rate))
                else:
                    self._pass_over(plan, "failed", view.error or EMPTY)
            elif view.supply is not Supply.READY and is_slow and not self._there_is_time(plan):
                self._pass_over(plan, "no data", f"gave no data for {PATIENCE_S} s")

    def _there_is_time(self, plan: Plan) -> bool:
        air = self._out.air
        left = air.left if air is not None and self._out.mode is Mode.ITEM else None
        return plan is self._lineup.next and left is not None and left > frames_in(LATE_FILE_S, self._rate)

    def _pass_over(self, plan: Plan, cause: str, why: str) -> None:
        if self._lineup.failed(plan, self._out.frame, hung=cause == "no data"):
            self._out.fact("item_skipped", plan.airing, cause=cause, detail=why)
        if self._out.mode is Mode.FILLER:
            self._why = f"{_name(plan.airing.item)}: {why}"

    def _may_follow(self, plan: Plan) -> bool:
        return not plan.waits and not self._hold and plan.opens_at <= self._out.frame

    def _is_ready(self, airing: Airing) -> bool:
        return _view(self._sources, airing).supply is Supply.READY

    # --- inside: commands -------------------------------------------------------------------------------------------

    def _needs_air(self) -> Airtime | None:
        if self._out.mode is Mode.MUTED:
            raise Refused("not_armed", "the channel is not on air")
        return self._out.air

    def _cut_to(self, plan: Plan | None, expect_item_id: str | None, cause: str, by: str) -> Done:
        self._needs_air()
        frame = self._out.frame
        if self._taken_at is not None and frame - self._taken_at < frames_in(GUARD_S, self._rate):
            raise Refused("take_guard", f"the last take was less than {GUARD_S} s ago")
        if plan is None:
            raise Refused("nothing_to_take", "nothing comes next" if self.playlist.items else "the rundown is empty")
        item = plan.airing.item
        if expect_item_id is not None and item.id != expect_item_id:
            raise Refused("target_changed", f"{_name(item)} ({item.id}) would go to air, not {expect_item_id}")
        view = _view(self._sources, plan.airing)
        if view.supply is not Supply.READY or plan.opens_at > frame:
            raise Refused("target_not_ready", self._not_ready(plan, view))
        done = self._done(cause, by, f"on air: {_name(item)}", airing=plan.airing, shows=True)
        self._lineup.moved_to(plan, frame)
        self._order = _Order(plan.airing, cause, by, frame)
        self._taken_at = frame
        return done

    def _rejoin_list(self, suspended: _Suspended, by: str) -> Done:
        """No item is to be joined: the list goes on with what comes, or filler says why it does not."""
        self._hold = self._hold or suspended.held
        done = self._done("rejoin", by, "rejoins the rundown", shows=True)
        plan = self._lineup.coming
        if plan is not None and self._may_follow(plan) and self._is_ready(plan.airing):
            self._lineup.moved_to(plan, self._out.frame)
            self._order = _Order(plan.airing, "rejoin", by, self._out.frame)
        else:
            self._to_filler("rejoin", by=by)
        return done

    def _done(self, name: str, by: str, sentence: str, *, airing: Airing | None = None, shows: bool = False) -> Done:
        self._out.fact("command", airing, cause=name, by=by, detail=sentence)
        return Done(sentence, airing, shows)

    # --- inside: words ----------------------------------------------------------------------------------------------

    def _filler_reason(self) -> str:
        plan = self._lineup.coming
        if plan is None:
            return self._why or ("the rundown has ended" if self.playlist.items else "the rundown is empty")
        if self._hold or plan.waits:
            return f"{self._why}; {self._waits_for()}" if self._why else self._waits_for()
        return self._why or f"opening {_name(plan.airing.item)}"

    def _waits_for(self) -> str:
        plan = self._lineup.coming
        return f"waits for a take of {_name(plan.airing.item)}" if plan else "waits for a take"

    def _not_ready(self, plan: Plan, view: SourceView) -> str:
        name = _name(plan.airing.item)
        waited = self._out.frame - plan.opens_at
        if waited < 0:
            return f"{name} could not be played; it is opened again in {self._seconds(-waited)} s"
        if view.supply in (Supply.FAILED, Supply.ENDED):
            return f"{name} cannot be played: {view.error or EMPTY}"
        return f"{name} is being opened, for {self._seconds(waited)} s now"

    def _seconds(self, frames: int) -> str:
        return f"{float(frames / self._rate):.1f}"


def _view(sources: Sources, airing: Airing) -> SourceView:
    return SourceView(Supply.READY) if airing.item.kind == "slate" else sources(airing)


def _nothing_yet(_airing: Airing) -> SourceView:
    return SourceView(Supply.OPENING)


def _name(item: Item) -> str:
    return item.title or item.id
