"""What the output is doing, and the as-run facts of every change of it."""

import enum
from dataclasses import dataclass

from sidecar.protocol.asrun import RecordKind
from sidecar.rundown.live import LiveWatch
from sidecar.rundown.model import Airing, Fact

NO_DATA = "no data"
"""Why a frame was late whose picture was not there."""


class Mode(enum.Enum):
    """What the output is doing. A frozen picture is a state of the item on air."""

    MUTED = "muted"
    ITEM = "item"
    HOLD = "hold"
    FILLER = "filler"
    STANDBY = "standby"


@dataclass(slots=True)
class _LateRun:
    """Late frames in a row, for one reason."""

    cause: str
    detail: str
    start: int
    frames: int = 0

    @property
    def end(self) -> int:
        return self.start + self.frames


@dataclass(slots=True)
class Airtime:
    """The item on air, or whose last picture is held; everything in channel frames."""

    airing: Airing
    started: int
    position: int  # of the item: shown or passed over
    late: int = 0
    dry: int = 0  # frames in a row that did not come
    over: bool = False  # every frame of it was shown; its last picture stands until something else is there
    proved: bool = False  # aired long enough to count as playable
    frozen_at: int | None = None
    live: LiveWatch | None = None  # of a live input
    lost_at: int | None = None  # since when its input is lost
    lost_why: str = ""
    back_at: int | None = None  # since when its input is there again
    added: int = 0  # frames an operator added to its length
    limit_left: int | None = None  # frames until the time of day ends it

    @property
    def duration(self) -> int | None:
        item = self.airing.item
        if item.duration_frames is None or item.end_mode == "take":
            return None
        return item.duration_frames + self.added

    @property
    def left(self) -> int | None:
        if self.over:
            return 0
        if self.duration is None:
            return self.limit_left
        own = max(0, self.duration - self.position)
        return own if self.limit_left is None else min(own, self.limit_left)

    @property
    def end_cause(self) -> str:
        """Why it ends where it ends by itself."""
        if self.duration is not None and self.position >= self.duration:
            return "adjust" if self.added < 0 else "ended"
        return "ended" if self.limit_left is None else "end time"

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class OnOutput:
    """Holds what is on the output; whoever changes it says why, and the facts follow.

    Facts nest: every frame since arming is inside exactly one of item (``item_start`` to ``item_end``), filler, which
    is also standby (cause ``standby``), or, after an item ended, its held last picture (``freeze_start`` with cause
    ``hold``). Every clip of filler, and the slate, is a filler of its own. A ``freeze_start`` with cause ``pause``, and
    a ``live_lost`` to its ``live_back``, lie inside their item. ``frames`` of an end counts output frames, repeats
    included. ``late`` facts lie inside what was on the output; those inside an item add up to the ``late`` of its end,
    and all of a run to ``frames_late``. The ``late`` of an ``item_start`` is how long after its fixed time it begins,
    and no such frame.
    """

    def __init__(self) -> None:
        self.frame = 0  # the output frame that comes next
        self.mode = Mode.MUTED
        self.air: Airtime | None = None
        self.began = 0  # when filler, standby or the held picture began
        self.frames_late = 0
        """Late frames since arming, whatever was on the output and whatever the reason."""
        self._late: _LateRun | None = None
        self._late_before = 0  # filler, standby or the held picture began
        self._part_began = 0  # when the filler's clip, or its slate, began
        self._filler: Airing | None = None
        self._filler_start: tuple[str, str, str] | None = None  # cause, by, detail, until its first frame is shown
        self._filler_cause = ""
        self._facts: list[Fact] = []

    def enter(
        self,
        airing: Airing,
        cause: str,
        by: str,
        *,
        end_cause: str,
        end_detail: str = "",
        detail: str = "",
        late: int | None = None,
        predicted: int | None = None,
    ) -> Airtime:
        """``airing`` begins with this frame; ``late``: so many after the frame of its fixed start."""
        self.leave(end_cause, by, end_detail)
        self.fact("item_start", airing, cause=cause, by=by, detail=detail, late=late, predicted=predicted)
        self.air = Airtime(airing, self.frame, airing.first_frame)
        self.mode = Mode.ITEM
        return self.air

    def cut_to_slate(self, mode: Mode, cause: str, by: str, detail: str) -> None:
        """Filler or standby begins with this frame."""
        self.leave(cause, by, detail)
        self.air, self.mode = None, mode
        self._begin()
        self._filler, self._filler_start, self._filler_cause = None, (cause, by, detail), cause

    def show_filler(self, airing: Airing | None, change: str = "ended") -> None:
        """This frame of filler or standby is one of ``airing``'s, or the slate; ``change``: why it is another."""
        if self._filler_start is not None:
            self._begin_filler(airing)
        elif airing != self._filler:
            self._end_filler(change)
            self._filler_start = (self._filler_cause, "", "")
            self._part_began, self._late_before = self.frame, self.frames_late
            self._begin_filler(airing)

    def _begin_filler(self, airing: Airing | None) -> None:
        if self._filler_start is not None:
            cause, by, detail = self._filler_start
            self._filler, self._filler_start = airing, None
            self.fact("filler_start", airing, cause=cause, by=by, detail=detail)

    def _end_filler(self, cause: str, by: str = "", detail: str = "") -> None:
        self._begin_filler(None)
        frames, late = self.frame - self._part_began, self.frames_late - self._late_before
        self.fact("filler_end", self._filler, cause=cause, by=by, detail=detail, frames=frames, late=late)

    def hold_picture(self, end_cause: str, detail: str, *, end_detail: str = "") -> None:
        """The item on air is over, and its last picture stands until a take."""
        self.leave(end_cause, detail=end_detail)
        if self.air is not None:
            self.air.over = True
        self.mode = Mode.HOLD
        self._begin()
        self.fact("freeze_start", self.air.airing if self.air else None, cause="hold", detail=detail)

    def _begin(self) -> None:
        self.began, self._late_before = self.frame, self.frames_late
        self._part_began = self.frame

    def leave(self, cause: str, by: str = "", detail: str = "") -> None:
        """Writes the end of what was on the output; this frame is the first without it."""
        self.end_late()
        frames, late = self.frame - self.began, self.frames_late - self._late_before
        match self.mode:
            case Mode.MUTED:
                pass
            case Mode.ITEM if self.air is not None:
                air = self.air
                self.unfreeze(cause, by)
                self.find_live(cause, by)
                total = self.frame - air.started
                self.fact("item_end", air.airing, cause=cause, by=by, detail=detail, frames=total, late=air.late)
            case Mode.HOLD if self.air is not None:
                self.fact("freeze_end", self.air.airing, cause=cause, by=by, detail=detail, frames=frames, late=late)
            case _:
                self._end_filler(cause, by, detail)

    def repeat_late(self, air: Airtime) -> None:
        """This frame's picture did not come; the last one stands in for it."""
        air.dry += 1
        self._count_late(self.frame, NO_DATA, "")

    def note_late(self, cause: str, detail: str) -> None:
        """The frame before this one was late for a reason that only whoever shows it can see."""
        self._count_late(self.frame - 1, cause, detail)

    def watch_late(self) -> None:
        """At every frame: late frames that did not go on become a fact."""
        if self._late is not None and self._late.end < self.frame:
            self._write_late()

    def end_late(self) -> None:
        """Frames come again, or nobody waits for them any more."""
        if self.air is not None:
            self.air.dry = 0
        self._write_late()

    def _count_late(self, frame: int, cause: str, detail: str) -> None:
        if self._late is not None and (self._late.cause != cause or self._late.end != frame):
            self._write_late()
        if self._late is None:
            self._late = _LateRun(cause, detail, frame)
        self._late.frames += 1
        self.frames_late += 1
        if self.air is not None and self.mode is Mode.ITEM:
            self.air.late += 1

    def _write_late(self) -> None:
        run, self._late = self._late, None
        if run is not None:
            airing = self.air.airing if self.air is not None and self.mode is Mode.ITEM else None
            self.fact(
                "late", airing, cause=run.cause, detail=run.detail, frames=run.frames, late=run.frames, frame=run.start
            )

    def freeze(self, air: Airtime, by: str) -> None:
        self.end_late()
        air.frozen_at = self.frame
        self.fact("freeze_start", air.airing, cause="pause", by=by)

    def unfreeze(self, cause: str, by: str) -> None:
        air = self.air
        if air is not None and air.frozen_at is not None:
            self.fact("freeze_end", air.airing, cause=cause, by=by, frames=self.frame - air.frozen_at)
            air.frozen_at = None

    def lose_live(self, air: Airtime, why: str) -> None:
        """This frame is the first that is shown without the input."""
        self.end_late()
        air.lost_at, air.lost_why = self.frame, why
        self.fact("live_lost", air.airing, cause="live lost", detail=why)

    def find_live(self, cause: str, by: str = "") -> None:
        """The input is shown again, or nobody waits for it any more."""
        air = self.air
        if air is not None and air.lost_at is not None:
            self.fact("live_back", air.airing, cause=cause, by=by, frames=self.frame - air.lost_at)
            air.lost_at, air.lost_why, air.back_at = None, "", self.frame

    @property
    def since(self) -> int | None:
        """The frame of the fact with which what is on the output began; None while muted."""
        air = self.air
        match self.mode:
            case Mode.MUTED:
                return None
            case Mode.ITEM if air is not None:
                begins = (air.lost_at, air.back_at, air.started)
                return next(frame for frame in begins if frame is not None)
            case _:
                return self._part_began

    def fact(
        self,
        kind: RecordKind,
        airing: Airing | None = None,
        *,
        cause: str = "",
        by: str = "",
        detail: str = "",
        frames: int | None = None,
        late: int | None = None,
        frame: int | None = None,
        predicted: int | None = None,
    ) -> None:
        at = self.frame if frame is None else frame
        self._facts.append(Fact(kind, at, airing, cause, by, detail, frames, late, predicted))

    def take_facts(self) -> tuple[Fact, ...]:
        """Everything since the last call, in order."""
        facts = tuple(self._facts)
        self._facts.clear()
        return facts
