"""The rundown clock: at output frame n, show frame m of item k. Pure, single-threaded, owned by the playout thread."""

from dataclasses import dataclass
from fractions import Fraction

from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.protocol.status import ItemNext, Picture
from sidecar.rundown.answers import Done, OnAir, Refused
from sidecar.rundown.forecast import NoSpot, Spot, index_of, walk
from sidecar.rundown.lineup import Plan, frames_in
from sidecar.rundown.model import Airing, Fact, Shown, Sources, SourceView, Supply
from sidecar.rundown.output import Airtime, Mode
from sidecar.rundown.programme import EMPTY, Order, Programme, live_status, name_of, view_of

__all__ = ["Done", "OnAir", "Refused", "RundownClock"]

GUARD_S = 1
"""Within this of a take, another is refused."""
LEAD_S = 1
"""A rejoin cuts this much later, so that the frame that should be on air by then is decoded."""


@dataclass(frozen=True, slots=True)
class _Suspended:
    """What standby interrupted at output frame ``at``. ``item_id`` is None when no item was running."""

    item_id: str | None
    position: int
    at: int
    held: bool


class RundownClock:
    """Decides what every output frame shows; each has exactly one source.

    ``sources(airing)`` must answer OPENING for an airing it does not know yet. Sources of ``kind == "slate"`` items are
    never asked for: they are shown with action ``slate``. The as-run facts of commands come out with the next tick
    (or with ``stop``). The first tick's facts begin with ``on_air``. How facts nest: ``sidecar.rundown.output``.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None = None) -> None:
        self._programme = Programme(playlist, rate, resume)
        self._lineup, self._out = self._programme.lineup, self._programme.out
        self._suspended: _Suspended | None = None
        self._taken_at: int | None = None

    def arm(self, by: str) -> None:
        """Names who put the channel on air; before the first tick."""
        self._programme.armed_by = by

    def prepare(self, sources: Sources) -> None:
        """While muted, as often as one likes: passes over what cannot be played, so that the air begins well."""
        self._programme.sources = sources
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

    def tick(self, sources: Sources) -> Shown:
        """Once per output frame, in order."""
        return self._programme.tick(sources)

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
        plans = (self._lineup.cued, self._lineup.next)
        found += [
            plan.airing
            for plan in plans
            if plan is not None and plan.opens_at <= self._out.frame and self._programme.is_near(plan)
        ]
        return tuple(airing for airing in dict.fromkeys(found) if airing.item.kind != "slate")

    # --- what is known ----------------------------------------------------------------------------------------------

    def next_item(self, sources: Sources) -> ItemNext | None:
        """What airs after the item on air: the cued item, else the list's next."""
        plan, air = self._lineup.coming, self._out.air
        if plan is None:
            return None
        follows = not plan.waits and not self._programme.hold
        is_running = air is not None and self._out.mode is Mode.ITEM and not air.is_frozen
        view = view_of(sources, plan.airing)
        return ItemNext(
            item_id=plan.airing.item.id,
            title=name_of(plan.airing.item),
            cued=plan is self._lineup.cued,
            ready=view.supply is Supply.READY,
            in_frames_left=air.left if air is not None and is_running and follows else None,
            live=live_status(plan.airing.item, view, is_wanted=self._programme.is_near(plan)),
        )

    @property
    def on_air(self) -> OnAir | None:
        air = self._out.air
        if air is None:
            return None
        live = live_status(air.airing.item, view_of(self._programme.sources, air.airing))
        return OnAir(air.airing, air.position, air.duration, air.started, air.late, live)

    @property
    def frame(self) -> int:
        """The number of the next tick's frame: how many were shown."""
        return self._out.frame

    @property
    def frames_late(self) -> int:
        """Late frames since arming, those of ``note_late`` included: what all ``late`` facts add up to."""
        return self._out.frames_late

    @property
    def is_held(self) -> bool:
        """The list does not go on by itself after what is on air, by an operator's hold or because it waits now."""
        return self._programme.hold or self._out.mode is Mode.HOLD

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
        return self._done("cue", by, f"cued: {name_of(plan.airing.item)}")

    def hold(self, by: str) -> Done:
        """Do not follow on after this item."""
        self._programme.hold = True
        return self._done("hold", by, "holds after this item")

    def play(self, by: str) -> Done:
        """Release a hold: one that was only set, or one that waits now."""
        air = self._needs_air()
        if air is not None and air.lost_at is not None and air.live is not None and self._out.mode is Mode.ITEM:
            air.live.release()
            return self._done("play", by, f"back with its next picture: {name_of(air.airing.item)}")
        coming = self._lineup.coming
        if self._out.mode is Mode.HOLD and coming is None:
            self._programme.hold = False
            done = self._done("play", by, "hold released; nothing comes next", shows=True)
            self._programme.to_filler("play", by=by)
            return done
        if self._out.mode is Mode.HOLD or (self._out.mode is Mode.FILLER and coming is not None and coming.waits):
            return self._cut_to(coming, None, "play", by)
        was_held, self._programme.hold = self._programme.hold, False
        return self._done("play", by, "hold released" if was_held else "nothing is held")

    def pause(self, by: str) -> Done:
        """Freeze the picture; the sound goes silent."""
        air = self._needs_air()
        if air is None or self._out.mode is not Mode.ITEM:
            raise Refused("nothing_to_take", "no item is on air, so there is nothing to freeze")
        if air.is_frozen:
            return self._done("pause", by, "already frozen")
        done = self._done("pause", by, f"frozen: {name_of(air.airing.item)}", shows=True)
        self._out.freeze(air, by)
        return done

    def resume(self, by: str) -> Done:
        """Let a frozen picture run on from the same frame."""
        air = self._needs_air()
        if air is None or not air.is_frozen:
            return self._done("resume", by, "the picture is not frozen")
        done = self._done("resume", by, f"runs on: {name_of(air.airing.item)}", shows=True)
        self._out.unfreeze("resume", by)
        return done

    def standby(self, by: str) -> Done:
        """Cut to the slate, at once and from anything."""
        air = self._needs_air()
        self._programme.order = None
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
        at = self._out.frame + frames_in(LEAD_S, self._programme.rate)
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

    def _needs_air(self) -> Airtime | None:
        if self._out.mode is Mode.MUTED:
            raise Refused("not_armed", "the channel is not on air")
        return self._out.air

    def _cut_to(self, plan: Plan | None, expect_item_id: str | None, cause: str, by: str) -> Done:
        self._needs_air()
        frame = self._out.frame
        if self._taken_at is not None and frame - self._taken_at < frames_in(GUARD_S, self._programme.rate):
            raise Refused("take_guard", f"the last take was less than {GUARD_S} s ago")
        if plan is None:
            raise Refused("nothing_to_take", "nothing comes next" if self.playlist.items else "the rundown is empty")
        item = plan.airing.item
        if expect_item_id is not None and item.id != expect_item_id:
            raise Refused("target_changed", f"{name_of(item)} ({item.id}) would go to air, not {expect_item_id}")
        view = view_of(self._programme.sources, plan.airing)
        if view.supply is not Supply.READY or plan.opens_at > frame:
            raise Refused("target_not_ready", self._not_ready(plan, view))
        done = self._done(cause, by, f"on air: {name_of(item)}", airing=plan.airing, shows=True)
        self._lineup.moved_to(plan, frame)
        self._programme.order = Order(plan.airing, cause, by, frame)
        self._taken_at = frame
        return done

    def _rejoin_list(self, suspended: _Suspended, by: str) -> Done:
        """No item is to be joined: the list goes on with what comes, or filler says why it does not."""
        self._programme.hold = self._programme.hold or suspended.held
        done = self._done("rejoin", by, "rejoins the rundown", shows=True)
        plan = self._lineup.coming
        if plan is not None and self._programme.may_follow(plan) and self._programme.is_ready(plan.airing):
            self._lineup.moved_to(plan, self._out.frame)
            self._programme.order = Order(plan.airing, "rejoin", by, self._out.frame)
        else:
            self._programme.to_filler("rejoin", by=by)
        return done

    def _done(self, name: str, by: str, sentence: str, *, airing: Airing | None = None, shows: bool = False) -> Done:
        self._out.fact("command", airing, cause=name, by=by, detail=sentence)
        return Done(sentence, airing, shows)

    def _not_ready(self, plan: Plan, view: SourceView) -> str:
        name = name_of(plan.airing.item)
        waited = self._out.frame - plan.opens_at
        if waited < 0:
            return f"{name} could not be played; it is opened again in {self._seconds(-waited)} s"
        if view.supply in (Supply.FAILED, Supply.ENDED):
            return f"{name} cannot be played: {view.error or EMPTY}"
        return f"{name} is being opened, for {self._seconds(waited)} s now"

    def _seconds(self, frames: int) -> str:
        return f"{float(frames / self._programme.rate):.1f}"
