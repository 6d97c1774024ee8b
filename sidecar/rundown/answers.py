"""How the rundown clock answers a command."""

from dataclasses import dataclass

from sidecar.protocol.commands import RefusalCode
from sidecar.protocol.status import LiveStatus
from sidecar.rundown.model import Airing


class Refused(Exception):
    """A command that was not done; ``detail`` says what is in the way, in an operator's words."""

    def __init__(self, code: RefusalCode, detail: str) -> None:
        super().__init__(detail)
        self.code: RefusalCode = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was done.

    ``shows``: the next tick's frame is the first that shows the effect; otherwise there is no picture to wait for.
    ``airing`` is what that frame begins to show, where the command put an item on air.
    """

    sentence: str
    airing: Airing | None = None
    shows: bool = False


@dataclass(frozen=True, slots=True)
class OnAir:
    """The item on air, or whose last picture is held. ``position``: channel frames of it shown or passed over."""

    airing: Airing
    position: int
    duration: int | None
    started_frame: int
    late: int
    live: LiveStatus | None = None


@dataclass(frozen=True, slots=True)
class Follower:
    """What comes after what is on air. ``by_itself``: with the first frame after its last."""

    airing: Airing
    by_itself: bool
