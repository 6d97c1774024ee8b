"""What operators tell the rundown clock about what airs next and for how long."""

from dataclasses import replace
from fractions import Fraction

from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.rundown.air import Order
from sidecar.rundown.answers import Done, Refused
from sidecar.rundown.forecast import index_of
from sidecar.rundown.model import Airing, Sources, SourceView, Supply
from sidecar.rundown.output import Airtime, Mode
from sidecar.rundown.plans import Plan
from sidecar.rundown.precedence import EMPTY, PATIENCE_S
from sidecar.rundown.programme import Programme
from sidecar.rundown.rate import frames_in
from sidecar.rundown.views import name_of, view_of

GUARD_S = 1
"""Within this of a take, another is refused."""
INSIST_S = 3
"""A take that was refused because its target is not ready, and is repeated within this, goes by the off-air ladder."""
OPENING_S = 1
"""What a source takes to open, as long as this run has seen none that did."""


class Transport:
    """Every command answers with what was done, or raises Refused; its as-run fact comes out with the next tick."""

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None = None) -> None:
        self._programme = Programme(playlist, rate, resume)
        self._lineup, self._out = self._programme.lineup, self._programme.out
        self._taken_at: int | None = None
        self._refused: tuple[int, int] | None = None  # the airing that was not ready, and when
        self._opening = frames_in(OPENING_S, rate)
        self._opening_since: dict[int, int] = {}

    @property
    def playlist(self) -> Playlist:
        return self._lineup.playlist

    def take(self, expect_item_id: str | None, by: str) -> Done:
        """Cut to the cued item, else to the next. ``expect_item_id`` fixes which of them that has to be."""
        return self._cut_to(self._lineup.coming, expect_item_id, "take", by)

    def skip(self, by: str) -> Done:
        """Cut to the next item of the list; a cue stays."""
        return self._cut_to(self._lineup.next, None, "skip", by)

    def cue(self, item_id: str | None, by: str) -> Done:
        """Make an item what comes next, at the next take or seam; None clears the cue."""
        self._refused = None
        if item_id is None:
            self._lineup.cued = None
            return self._done("cue", by, "cue cleared")
        index = index_of(self.playlist.items, item_id)
        if index is None:
            raise Refused("no_such_item", f"the rundown (revision {self.playlist.revision}) has no item {item_id}")
        plan = self._lineup.cue(index, self._out.frame, by)
        return self._done("cue", by, f"cued: {name_of(plan.airing.item)}")

    def recue(self, by: str) -> Done:
        """Make the item on air, or that aired last, come next once more, from its beginning."""
        air = self._needs_air()
        item_id = air.airing.item.id if air is not None else self._lineup.last_id
        index = None if item_id is None else index_of(self.playlist.items, item_id)
        if index is None:
            raise Refused("nothing_to_take", "what aired last is not in the rundown any more")
        plan = self._lineup.cue(index, self._out.frame, by)
        return self._done("recue", by, f"cued again: {name_of(plan.airing.item)}")

    def adjust(self, ms: int, by: str, expect_item_id: str | None = None) -> Done:
        """Make the item on air longer, or shorter, by so many milliseconds; at the shortest it ends now."""
        air = self._needs_air()
        if air is None or self._out.mode is not Mode.ITEM or air.over:
            raise Refused("nothing_to_take", "no item is on air, so there is no length to change")
        name = name_of(air.airing.item)
        if expect_item_id is not None and air.airing.item.id != expect_item_id:
            meant = index_of(self.playlist.items, expect_item_id)
            expected = expect_item_id if meant is None else name_of(self.playlist.items[meant])
            raise Refused("target_changed", f"{name} is on air now, not {expected}")
        if air.duration is None:
            raise Refused("invalid", f"{name} has no length of its own: it ends by a take or with its source")
        frames = frames_in(Fraction(abs(ms), 1000), self._programme.rate)
        was = air.duration
        air.added = max(air.added + (frames if ms > 0 else -frames), air.position - (was - air.added))
        left = air.left or 0
        self._lineup.expect(self._out.frame + left, self._out.frame)
        change = (air.duration or 0) - was
        word = "longer" if change >= 0 else "shorter"
        sentence = f"{name} airs {self._seconds(abs(change))} s {word}, {self._seconds(left)} s from now"
        return self._done("adjust", by, sentence, about=air.airing)

    def drop(self, item_id: str, by: str) -> Done:
        """This item will not air."""
        return self._drop(item_id, by, is_dropped=True)

    def undrop(self, item_id: str, by: str) -> Done:
        """It will after all."""
        return self._drop(item_id, by, is_dropped=False)

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
        waits_now = self._out.mode is Mode.HOLD or self._programme.is_looping
        if waits_now and coming is None:
            self._programme.hold = False
            self._programme.holding.end()
            done = self._done("play", by, "hold released; nothing comes next", shows=True)
            self._programme.begin_filler("play", by=by)
            return done
        if waits_now or (self._out.mode is Mode.FILLER and coming is not None and coming.waits):
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
            return self._insist(plan, view, cause, by)
        done = self._done(cause, by, f"on air: {name_of(item)}", airing=plan.airing, shows=True)
        self._order(plan, cause, by)
        return done

    def _order(self, plan: Plan, cause: str, by: str, patience_s: int | None = None) -> None:
        frame = self._out.frame
        self._programme.tell_passed(self._lineup.moved_to(plan, frame))
        order = Order(plan.airing, cause, by, frame)
        self._programme.order = order if patience_s is None else replace(order, patience_s=patience_s)
        self._taken_at, self._refused = frame, None

    def _insist(self, plan: Plan, view: SourceView, cause: str, by: str) -> Done:
        """A take of what is not ready. Repeated, it leaves what is on air all the same, for the off-air ladder."""
        frame, refused = self._out.frame, self._refused
        within = refused is not None and frame - refused[1] <= frames_in(INSIST_S, self._programme.rate)
        if refused is None or refused[0] != plan.index or not within:
            self._refused = plan.index, frame
            raise Refused("target_not_ready", f"{self._not_ready(plan, view)}; a second {cause} leaves what is on air")
        name = name_of(plan.airing.item)
        if view.supply is not Supply.OPENING or plan.opens_at > frame:
            plan = self._lineup.open_anew(plan, frame)
        done = self._done(cause, by, f"leaves the item on air; {name} follows as soon as it is ready", shows=True)
        self._order(plan, cause, by, PATIENCE_S)
        self._programme.begin_filler(cause, f"opening {name}", by, show="ladder")
        return done

    def _drop(self, item_id: str, by: str, *, is_dropped: bool) -> Done:
        index = index_of(self.playlist.items, item_id)
        if index is None:
            raise Refused("no_such_item", f"the rundown (revision {self.playlist.revision}) has no item {item_id}")
        item, air = self.playlist.items[index], self._out.air
        if is_dropped and air is not None and air.airing.item.id == item_id and not air.over:
            raise Refused("invalid", f"{name_of(item)} is on air: take what is to air instead")
        self._lineup.drop(item_id, is_dropped=is_dropped, frame=self._out.frame, by=by)
        word = "will not air" if is_dropped else "will air"
        return self._done("drop" if is_dropped else "undrop", by, f"{name_of(item)} {word}")

    def _learn_opening(self, sources: Sources) -> None:
        """How long sources take to open, so that a refused take can say how long it still takes."""
        coming = self._lineup.coming
        if coming is None or coming.opens_at > self._out.frame:
            return
        number, supply = coming.airing.number, view_of(sources, coming.airing).supply
        if supply is Supply.OPENING and number not in self._opening_since:
            self._opening_since = {number: self._out.frame}
        elif supply is Supply.READY and number in self._opening_since:
            self._opening = max(1, self._out.frame - self._opening_since.pop(number))

    def _done(
        self,
        name: str,
        by: str,
        sentence: str,
        *,
        airing: Airing | None = None,
        about: Airing | None = None,
        shows: bool = False,
    ) -> Done:
        self._out.fact("command", airing or about, cause=name, by=by, detail=sentence)
        return Done(sentence, airing, shows)

    def _not_ready(self, plan: Plan, view: SourceView) -> str:
        name = name_of(plan.airing.item)
        waited = self._out.frame - plan.opens_at
        if waited < 0:
            return f"{name} could not be played; it is opened again in {self._seconds(-waited)} s"
        if view.supply in (Supply.FAILED, Supply.ENDED):
            return f"{name} cannot be played: {view.error or EMPTY}"
        if plan.airing.item.kind == "live" and view.error:
            return f"{name} is not there: {view.error}"
        to_go = max(self._opening - waited, frames_in(Fraction(1, 5), self._programme.rate))
        return f"{name} is being opened, for {self._seconds(waited)} s now; ready in about {self._seconds(to_go)} s"

    def _seconds(self, frames: int) -> str:
        return f"{float(frames / self._programme.rate):.1f}"
