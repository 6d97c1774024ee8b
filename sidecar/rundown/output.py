"""What the output is doing, and the as-run facts of every change of it."""

import enum
from dataclasses import dataclass

from sidecar.protocol.asrun import RecordKind
from sidecar.rundown.model import Airing, Fact


class Mode(enum.Enum):
    """What the output is doing. A frozen picture is a state of the item on air."""

    MUTED = "muted"
    ITEM = "item"
    HOLD = "hold"
    FILLER = "filler"
    STANDBY = "standby"


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

    @property
    def duration(self) -> int | None:
        return self.airing.item.duration_frames

    @property
    def left(self) -> int | None:
        if self.over:
            return 0
        return None if self.duration is None else max(0, self.duration - self.position)

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class OnOutput:
    """Holds what is on the output; whoever changes it says why, and the facts follow.

    Facts nest: every frame since arming is inside exactly one of item (``item_start`` to ``item_end``), filler, which
    is also the standby slate (cause ``standby``), or, after an item ended, its held last picture (``freeze_start`` with
    cause ``hold``). A ``freeze_start`` with cause ``pause`` lies inside its item. ``frames`` of an end counts output
    frames, repeats included.
    """

    def __init__(self) -> None:
        self.frame = 0  # the output frame that comes next
        self.mode = Mode.MUTED
        self.air: Airtime | None = None
        self.began = 0  # when filler, standby or the held picture began
        self._facts: list[Fact] = []

    def enter(self, airing: Airing, cause: str, by: str, *, end_cause: str, end_detail: str = "") -> Airtime:
        """``airing`` begins with this frame."""
        self.leave(end_cause, by, end_detail)
        self.fact("item_start", airing, cause=cause, by=by)
        self.air = Airtime(airing, self.frame, airing.first_frame)
        self.mode = Mode.ITEM
        return self.air

    def cut_to_slate(self, mode: Mode, cause: str, by: str, detail: str) -> None:
        """Filler or standby begins with this frame."""
        self.leave(cause, by, detail)
        self.air, self.mode, self.began = None, mode, self.frame
        self.fact("filler_start", cause=cause, by=by, detail=detail)

    def hold_picture(self, end_cause: str, detail: str, *, end_detail: str = "") -> None:
        """The item on air is over, and its last picture stands until a take."""
        self.leave(end_cause, detail=end_detail)
        if self.air is not None:
            self.air.over = True
        self.mode, self.began = Mode.HOLD, self.frame
        self.fact("freeze_start", self.air.airing if self.air else None, cause="hold", detail=detail)

    def leave(self, cause: str, by: str = "", detail: str = "") -> None:
        """Writes the end of what was on the output; this frame is the first without it."""
        frames = self.frame - self.began
        match self.mode:
            case Mode.MUTED:
                pass
            case Mode.ITEM if self.air is not None:
                air = self.air
                self.end_late()
                self.unfreeze(cause, by)
                total = self.frame - air.started
                self.fact("item_end", air.airing, cause=cause, by=by, detail=detail, frames=total, late=air.late)
            case Mode.HOLD if self.air is not None:
                self.fact("freeze_end", self.air.airing, cause=cause, by=by, detail=detail, frames=frames)
            case _:
                self.fact("filler_end", cause=cause, by=by, detail=detail, frames=frames)

    def repeat_late(self, air: Airtime) -> None:
        """This frame's picture did not come; the last one stands in for it."""
        air.dry += 1
        air.late += 1

    def end_late(self) -> None:
        """Frames come again, or nobody waits for them any more."""
        air = self.air
        if air is not None and air.dry:
            self.fact("late", air.airing, cause="no data", frames=air.dry, late=air.dry, frame=self.frame - air.dry)
            air.dry = 0

    def freeze(self, air: Airtime, by: str) -> None:
        self.end_late()
        air.frozen_at = self.frame
        self.fact("freeze_start", air.airing, cause="pause", by=by)

    def unfreeze(self, cause: str, by: str) -> None:
        air = self.air
        if air is not None and air.frozen_at is not None:
            self.fact("freeze_end", air.airing, cause=cause, by=by, frames=self.frame - air.frozen_at)
            air.frozen_at = None

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
    ) -> None:
        at = self.frame if frame is None else frame
        self._facts.append(Fact(kind, at, airing, cause, by, detail, frames, late))

    def take_facts(self) -> tuple[Fact, ...]:
        """Everything since the last call, in order."""
        facts = tuple(self._facts)
        self._facts.clear()
        return facts
