"""The rundown clock run on the server's frames: a frame is one when INFO covers it, or when its time has passed.

Nothing here does I/O. What the server shows comes in as a ``Reading``; what it should show goes out as ``last``.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from sidecar.caspar.deck import Deck, Loaded, Reading, Sight
from sidecar.caspar.line import Line
from sidecar.protocol.asrun import Proof
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.model import Airing, Fact, Shown, Sources, SourceView, Supply
from sidecar.rundown.rate import due_ns, frames_in
from sidecar.rundown.views import nothing_yet

DEAD_S: Final = Fraction(3, 2)
"""A clip that the server took and of which no frame came within this is broken."""
HANGS_FRAMES: Final = 4
"""AUTO comes up to 3 frames late (CasparCG #1393); after so many it hangs."""
STALL_FRAMES: Final = 3
REFUSES_NS: Final = 1_000_000_000
"""A server that takes nothing for so long is gone on without, by time."""
_MOST_S: Final = 5
"""Time that passed unseen beyond this, as when the machine slept, is passed over."""
_NS: Final = 1_000_000_000

Record = Callable[[Fact, int], None]
"""A fact, and when it was, UTC in nanoseconds."""
Watch = Callable[[Shown], None]
"""Every frame, in order."""


def nobody_watches(_shown: Shown) -> None:
    """Of what is shown."""


class Ticking:
    """Runs ``rundown``. ``begin`` first."""

    def __init__(
        self, rundown: RundownClock, deck: Deck, rate: Fraction, record: Record, watch: Watch = nobody_watches,
        lives: Sources = nothing_yet,
    ) -> None:  # fmt: skip
        """``lives``: what live inputs could give now."""
        self.rundown = rundown
        self.last: Shown | None = None
        self.skipped = 0
        self.stalled_since_ns: int | None = None
        """The server answers, and its channel's time stands."""
        self.blind = True
        """The server says nothing now: everything is by time."""
        self.was_there = False
        """There was a connection to it once in this run."""
        self.is_refused = False
        """It is not one that can play this channel: nothing is told it, and nothing airs."""
        self.refuses_since_ns: int | None = None
        """It answers, and takes nothing: its queue is full, or the layer is locked."""
        self._deck = deck
        self._rate = rate
        self._record = record
        self._watch = watch
        self._lives = lives
        self._line = Line(rate, 0)
        self._failed: dict[int, str] = {}
        self._unwritten: list[tuple[Fact, int]] = []
        self._unproved: Airing | None = None
        self._ended: int | None = None
        """The airing that the server has left by itself."""
        self._gap = False
        self._offset_ns = 0
        self._seen: deque[int] = deque(maxlen=16)
        """Airings of which the server showed a frame."""
        self._front: Loaded | None = None
        self._front_since_ns = self._now_ns = 0
        rundown.begins_if(self._may_begin)

    def begin(self, now_ns: int) -> None:
        """The next frame is due now."""
        self._line = Line(self._rate, now_ns - due_ns(self.rundown.frame, self._rate))

    def due(self, frame: int) -> int:
        """Monotonic nanoseconds."""
        return self._line.due(frame)

    def wall(self, frame: int) -> int:
        """UTC in nanoseconds."""
        return self._line.due(frame) + self._offset_ns

    def fail(self, airing: Airing, why: str) -> None:
        self._failed[airing.number] = why

    def has_failed(self, airing: Airing) -> bool:
        return airing.number in self._failed

    def why_not(self, airing: Airing) -> str:
        """An ordered cut to it was not made."""
        refuses = "the CasparCG server takes no commands: its queue is full, or the layer is locked"
        known = self._failed.get(airing.number) or (refuses if self.refuses_since_ns is not None else "")
        return known or "the CasparCG server did not show it in time"

    def never_came(self, fact: Fact) -> bool:
        """The end of what the list began by time, while the server told nothing, and could not air."""
        if fact.kind != "item_end" or fact.airing is None or fact.cause not in ("failed", "no data"):
            return False
        return fact.airing.number not in self._seen

    def view(self, airing: Airing) -> SourceView:
        """What the server could give of it now, as far as one knows."""
        front, under = self._deck.front, self._deck.under
        if airing.number in self._failed:
            return SourceView(Supply.FAILED, self._failed[airing.number])
        if airing.number == self._ended:
            return SourceView(Supply.ENDED)
        if airing.item.kind == "live":
            return self._of_live(airing)
        if not airing.item.path:
            return SourceView(Supply.FAILED, "it has no file")
        if front is not None and front.airing is airing:
            return SourceView(self._of_front(front))
        if under is not None and under.airing is airing:
            return SourceView(Supply.ENDED if under.left == 0 else Supply.READY)
        if self.rundown.ordered is airing or not self.was_there or self.is_refused:
            return SourceView(Supply.OPENING)
        if self._gap and not self.rundown.is_planned(airing):
            return SourceView(Supply.OPENING)
        return SourceView(Supply.READY)

    def _of_live(self, airing: Airing) -> SourceView:
        view = self._lives(airing)
        if self.rundown.ordered is airing and view.supply is Supply.READY and not self._shows(airing):
            return SourceView(Supply.OPENING)
        return view

    def _shows(self, airing: Airing) -> bool:
        front = self._deck.front
        return front is not None and front.airing is airing and (front.alive or self.blind)

    def _of_front(self, front: Loaded) -> Supply:
        comes = front.airing is not None and self.rundown.is_planned(front.airing)
        if self._gap and not comes:
            return Supply.DRY
        if front.left == 0 or (front.over and front.total is None):
            return Supply.ENDED
        # What comes by itself begins when it is seen to, and is not slow before: see _may_begin.
        return Supply.READY if front.alive or self.blind or comes else Supply.DRY

    def _may_begin(self, airing: Airing) -> bool:
        """What comes by itself is told to the server first, and begins with its first frame there: a file of which
        none comes never began. By time it goes where nobody can see, or nothing can be told."""
        front = self._deck.front
        if self._gap:
            return False
        if airing.item.kind == "live" and self._lives(airing).supply is not Supply.READY:
            return True  # its time passes without a picture
        if self.blind or self.is_refused or self.rundown.frame == 0:
            return True
        if self.refuses_since_ns is not None and self._now_ns - self.refuses_since_ns >= REFUSES_NS:
            return True
        return front is not None and front.airing is airing and front.alive

    # --- frames -----------------------------------------------------------------------------------------------------

    def replay(self, reading: Reading | None, now_ns: int, wall_ns: int) -> None:
        """Every frame that came since the last time; ``None``: the server says nothing."""
        self._offset_ns = wall_ns - now_ns
        if reading is None:
            # Nobody saw whether what was told shows anything: that is no time of its own.
            self._front_since_ns += now_ns - self._now_ns
        self._now_ns = now_ns
        self.blind = reading is None
        self._watch_front(reading, now_ns)
        self._prove(reading)
        self._pass_over_sleep(now_ns)
        if reading is None:
            self._by_time(now_ns, "inferred")
            return
        if reading.left is not None:
            self._finish(reading.left, reading.shown, now_ns)
        match reading.sight:
            case Sight.MOVING | Sight.ENDED if self._consumes(reading):
                self._by_position(reading, now_ns)
            case Sight.BLANK | Sight.FOREIGN | Sight.OPENING:
                self._by_time(now_ns, "inferred")
            case _:
                self._by_time(now_ns, "confirmed")
        if reading.woke:
            self._deck.under = None

    def tick(self, proof: Proof) -> Shown:
        """One frame."""
        rundown, deck = self.rundown, self._deck
        shown = rundown.tick(self.view, self.wall(rundown.frame))
        rundown.wanted()  # filler's next clip is chosen by being asked for
        self.last = shown
        self._watch(shown)
        if shown.action == "source":
            for loaded in (deck.front, deck.under):
                if loaded is not None and loaded.airing is shown.airing:
                    loaded.played += 1
            if self.blind and deck.back is not None and deck.back_follows and deck.back.airing is shown.airing:
                deck.follow()
                if deck.front is not None:
                    deck.front.played, deck.front.alive = 1, True
        if shown.action == "source" and not self.blind and not self._is_loaded(shown.airing):
            self._unproved = shown.airing
        for fact in shown.facts:
            self._unwritten.append((replace(fact, proof=proof), self.wall(fact.frame)))
        if self._unproved is None:
            self.write()
        return shown

    def stop(self, by: str, proof: Proof) -> None:
        """The last facts."""
        for fact in self.rundown.stop(by):
            self._unwritten.append((replace(fact, proof=proof), self.wall(fact.frame)))
        self.write()

    def write(self) -> None:
        """What waited until INFO tells of it."""
        facts, self._unwritten, self._unproved = self._unwritten, [], None
        for fact, wall_ns in facts:
            self._record(fact, wall_ns)

    def _prove(self, reading: Reading | None) -> None:
        """A cut that the server was told of after it was counted is confirmed once the server shows it."""
        airing, front = self._unproved, self._deck.front
        if airing is None:
            return
        if reading is not None and front is not None and front.airing is airing and front.alive:
            self._unwritten = [(replace(fact, proof="confirmed"), wall_ns) for fact, wall_ns in self._unwritten]
            self.write()
        elif reading is None or airing.number in self._failed or (front is not None and front.airing is not airing):
            self._unwritten = [(replace(fact, proof="inferred"), wall_ns) for fact, wall_ns in self._unwritten]
            self.write()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _watch_front(self, reading: Reading | None, now_ns: int) -> None:
        """A clip of which nothing comes is broken."""
        front, before = self._deck.front, self._front
        if front is not before:
            is_again = front is not None and before is not None and front.airing is before.airing and not before.alive
            self._front, self._front_since_ns = front, self._front_since_ns if is_again else now_ns
        if front is not None and front.airing is not None and front.alive and reading is not None:
            number = front.airing.number
            if number not in self._seen:
                self._seen.append(number)
        if front is None or front.airing is None or reading is None or front.alive or front.live:
            return
        if now_ns - self._front_since_ns < DEAD_S * _NS:
            return
        if reading.sight is Sight.OPENING:
            self.fail(front.airing, "the server took it and shows nothing of it: the file may be broken")
        elif front.airing is self.rundown.due:
            self.fail(front.airing, "the server was told it and shows nothing of it: it may not find the file")

    def _pass_over_sleep(self, now_ns: int) -> None:
        late = self._line.frames_at(now_ns) - self.rundown.frame
        if late > frames_in(_MOST_S, self._rate) and self.stalled_since_ns is None:
            self._line.pass_over(late - 1)
            self.skipped += late - 1

    def _consumes(self, reading: Reading) -> bool:
        """The rundown's frames are now those of the foreground."""
        front, last = self._deck.front, self.last
        if front is None or reading.left is not None or front.airing in (self.rundown.ordered, self.rundown.due):
            return True
        if last is None or last.airing is not front.airing:
            return False
        return last.action == "source" or last.late

    def _finish(self, left: Loaded, since: int, now_ns: int) -> None:
        """What is still missing of what the foreground followed by itself, ``since`` frames ago."""
        front, self._deck.front = self._deck.front, left
        left.alive = True
        unknown = self._line.frames_at(now_ns) - self.rundown.frame - since
        for _ in range(max(0, unknown) if left.left is None else left.left):
            if self.tick("confirmed").airing is not left.airing:
                break
        self._deck.front = front
        self._ended = None if left.airing is None else left.airing.number

    def _by_position(self, reading: Reading, now_ns: int) -> None:
        front = self._deck.front
        assert front is not None
        rundown = self.rundown
        wanted = max(0, reading.shown - front.played)
        gap = self._line.frames_at(now_ns) - rundown.frame - wanted
        is_fresh = reading.woke or reading.left is not None
        if is_fresh and gap >= 2:
            self._stand(min(gap, frames_in(_MOST_S, self._rate)))
        elif wanted and not is_fresh and gap >= STALL_FRAMES and self.stalled_since_ns is not None:
            self._line.pass_over(gap)
            self.skipped += gap
        for _ in range(wanted):
            if self.tick("confirmed").airing is not front.airing:
                break
        if reading.sight is Sight.ENDED:
            self.stalled_since_ns = None
            rest = self._line.frames_at(now_ns) - rundown.frame
            if not (self._deck.back_follows and self._deck.back_is_seen) or rest > HANGS_FRAMES:
                self._by_time(now_ns, "inferred" if self._deck.back_follows else "confirmed")
        elif wanted:
            self.stalled_since_ns = None
            self._line.seen(rundown.frame, now_ns)
        elif gap >= STALL_FRAMES and self.stalled_since_ns is None:
            self.stalled_since_ns = now_ns

    def _stand(self, frames: int) -> None:
        """The picture before it stood for so long, or played on below, until the foreground's first frame came."""
        front, under = self._deck.front, self._deck.under
        self._gap = True
        for _ in range(frames):
            self.tick("confirmed")
        self._gap = False
        self._deck.front, self._deck.under = front, under

    def _by_time(self, now_ns: int, proof: Proof) -> None:
        self.stalled_since_ns = None
        while self.rundown.frame < self._line.frames_at(now_ns):
            shown = self.tick(proof)
            if shown.action == "source" and not self._is_loaded(shown.airing):
                return  # it has to be played first

    def _is_loaded(self, airing: Airing | None) -> bool:
        loaded = (self._deck.front, self._deck.under)
        return any(one is not None and one.airing is airing for one in loaded)
