"""The rundown clock: at output frame n, show frame m of item k. Pure, single-threaded, owned by the playout thread."""

from dataclasses import dataclass
from fractions import Fraction

from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.protocol.commands import RefusalCode
from sidecar.protocol.status import ItemNext, Picture
from sidecar.rundown.model import Airing, Fact, Shown, Sources


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
    """The item on air. ``position`` is the next frame of the item to be shown; all in channel frames."""

    airing: Airing
    position: int
    duration: int | None
    started_frame: int
    late: int


class RundownClock:
    """Decides what every output frame shows; each has exactly one source.

    ``sources(airing)`` must answer OPENING for an airing it does not know yet. Sources of ``kind == "slate"`` items are
    never asked for: they are shown with action ``slate``. The as-run facts of commands come out with the next tick
    (or with ``stop``). The first tick's facts begin with ``on_air``.
    """

    def __init__(self, playlist: Playlist, rate: Fraction, resume: ResumePoint | None = None) -> None:
        raise NotImplementedError

    def arm(self, by: str) -> None:
        """Names who put the channel on air; before the first tick."""
        raise NotImplementedError

    def tick(self, sources: Sources) -> Shown:
        """Once per output frame, in order."""
        raise NotImplementedError

    def wanted(self) -> tuple[Airing, ...]:
        """Airings whose source is to be open now, most urgent first; every other source is to be closed."""
        raise NotImplementedError

    def take(self, expect_item_id: str | None, by: str) -> Done:
        raise NotImplementedError

    def skip(self, by: str) -> Done:
        raise NotImplementedError

    def cue(self, item_id: str | None, by: str) -> Done:
        raise NotImplementedError

    def hold(self, by: str) -> Done:
        raise NotImplementedError

    def play(self, by: str) -> Done:
        raise NotImplementedError

    def pause(self, by: str) -> Done:
        raise NotImplementedError

    def resume(self, by: str) -> Done:
        raise NotImplementedError

    def standby(self, by: str) -> Done:
        raise NotImplementedError

    def rejoin(self, by: str) -> Done:
        raise NotImplementedError

    def replace_playlist(self, playlist: Playlist, by: str) -> Done:
        """Raises Refused ``stale_revision`` and ``invalid``."""
        raise NotImplementedError

    def stop(self, by: str) -> tuple[Fact, ...]:
        """The last facts of the run, at the frame that will not be shown. The journal's ``run_end`` is not among them."""
        raise NotImplementedError

    def next_item(self, sources: Sources) -> ItemNext | None:
        raise NotImplementedError

    @property
    def on_air(self) -> OnAir | None:
        raise NotImplementedError

    @property
    def frame(self) -> int:
        """The number of the next tick's frame: how many were shown."""
        raise NotImplementedError

    @property
    def is_held(self) -> bool:
        """The list will not go on by itself after this item."""
        raise NotImplementedError

    @property
    def picture(self) -> Picture:
        raise NotImplementedError

    @property
    def reason(self) -> str:
        raise NotImplementedError

    @property
    def playlist(self) -> Playlist:
        raise NotImplementedError
