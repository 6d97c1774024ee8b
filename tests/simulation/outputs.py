"""A simulated sidecar's programme outputs, each with its kind's fencing, and whether frames leave by them now."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sidecar.protocol.channel import Output, OutputKind
from sidecar.protocol.status import OutputState, OutputStatus

if TYPE_CHECKING:
    from tests.simulation.sidecar import SimSidecar

SEGMENT_FRAMES: Final = 50


@dataclass(eq=False, slots=True)
class SimOutput:
    """One output. ``connected``: an RTMP session is open; a card is open; the others need none."""

    sidecar: "SimSidecar"
    output: Output
    connected: bool = False

    @property
    def kind(self) -> OutputKind:
        return self.output.kind

    @property
    def needs_session(self) -> bool:
        return self.kind in ("rtmp", "decklink")

    def may_connect(self) -> bool:
        """``session``: never without a live lease. A card needs none."""
        if self.kind == "rtmp" and self.sidecar.leased:
            return self.sidecar.lease_is_live()
        return True

    def sends(self) -> bool:
        """Whether the next frame would leave by it, as its own writer decides."""
        if not self.sidecar.moves:
            return False
        if self.needs_session:
            return self.connected
        if self.output.lease_stop and self.sidecar.leased:
            return self.sidecar.lease_is_live()
        return True

    def status(self) -> OutputStatus:
        sent = self.sidecar.frame
        state: OutputState = "up" if self.sends() else "starting" if self.sidecar.armed_at is None else "down"
        segments = sent // SEGMENT_FRAMES if self.kind == "hls" else 0
        return OutputStatus(self.output.id, self.kind, self.output.role, state, "", sent * 1000, sent, 0, segments)
