"""What is shown while no item of the list is: filler in a planned gap, the off-air ladder's rungs in trouble."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from sidecar.protocol.channel import Rules, Rung
from sidecar.rundown.model import Airing, Sources
from sidecar.rundown.rate import frames_in
from sidecar.rundown.reel import Reel, clips_of, lives_of

Show = Literal["filler", "slate", "ladder"]


@dataclass(slots=True)
class OffAir:
    """Frames are output frames. ``show``: planned filler, the slate, or the ladder."""

    rate: Fraction
    clips: Reel
    live: Reel
    standby: Reel
    rules: Rules = field(default_factory=Rules)
    show: Show = "filler"
    since: int = 0

    def load(self, rules: Rules) -> None:
        self.rules = rules
        self.clips.load(clips_of(rules.filler))
        self.live.load(lives_of(rules.filler))
        self.standby.load(() if rules.standby is None or rules.standby.kind == "slate" else (rules.standby,))

    def begin(self, show: Show, frame: int) -> None:
        self.show, self.since = show, frame

    def rung(self, frame: int) -> Rung:
        """What is to be shown."""
        if self.show != "ladder":
            return self.show
        ladder = self.rules.ladder
        step = max(1, frames_in(Fraction(self.rules.ladder_next_ms, 1000), self.rate))
        return ladder[min(len(ladder) - 1, (frame - self.since) // step)]

    def airing(self, frame: int, sources: Sources) -> Airing | None:
        """The filler whose next frame is shown; None: it is the slate."""
        match self.rung(frame):
            case "filler":
                reel = self.clips
            case "live":
                reel = self.live
            case "slate" | "last_frame" | "next":
                self.leave()
                return None
        for other in (self.clips, self.live):
            if other is not reel:
                other.leave()
        return reel.frame(sources, frame)

    def position(self, airing: Airing | None) -> int:
        for reel in (self.clips, self.live, self.standby):
            if airing is not None and reel.now is airing:
                return reel.position
        return 0

    def leave(self) -> None:
        """An item airs, or the slate."""
        self.clips.leave()
        self.live.leave()

    def wanted(self, frame: int, *, near: bool) -> tuple[Airing, ...]:
        """``near``: filler may be wanted soon. The standby clip always is."""
        standby = self.standby.wanted(frame)
        if not near:
            return standby
        live = self.live.wanted(frame) if "live" in self.rules.ladder else ()
        return (*standby, *self.clips.wanted(frame), *live)
