"""Misses: our own, counted in a row. Absence is not age, and an answer without progress is a miss."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from sidecar.protocol.status import SidecarState


@dataclass(frozen=True, slots=True)
class Answer:
    """A poll that was answered. ``lost`` is how many frames were late or skipped since arming."""

    epoch: int
    state: SidecarState
    frame: int
    lost: int


@dataclass(frozen=True, slots=True)
class Silence:
    """A poll that was not answered well, and why."""

    why: str


Heard: TypeAlias = Answer | Silence


@dataclass(frozen=True, slots=True)
class Pulse:
    """What our polls told about one sidecar. A new observer starts with zero misses, whatever was before.

    ``stands_still``: the misses are answers without progress. ``late_at`` is our monotonic time at which late frames
    were last seen to grow.
    """

    epoch: int
    misses: int = 0
    why: str = ""
    stands_still: bool = False
    frame: int | None = None
    lost: int | None = None
    late_at: float | None = None

    def after(self, heard: Heard, now: float) -> "Pulse":
        """The pulse after one more poll of the regular round."""
        match heard:
            case Silence(why):
                return replace(self, misses=self.misses + 1, why=why, stands_still=False)
            case Answer(epoch=epoch) if epoch != self.epoch:
                why = f"it answers for epoch {epoch}"
                return replace(self, misses=self.misses + 1, why=why, stands_still=False)
            case Answer(state="on_air", frame=frame) if self.frame is not None and frame <= self.frame:
                why = f"its frames stand still at {frame}"
                return replace(self, misses=self.misses + 1, why=why, stands_still=True, frame=frame)
            case Answer(state=state, frame=frame, lost=lost):
                grew = self.lost is not None and lost > self.lost
                return Pulse(
                    epoch=self.epoch,
                    frame=frame if state == "on_air" else None,
                    lost=lost,
                    late_at=now if grew else self.late_at,
                )

    def cleared(self) -> "Pulse":
        """After a tick of our own that came late: we were away, so what we missed says nothing about the sidecar."""
        return replace(self, misses=0, why="", stands_still=False, frame=None)
