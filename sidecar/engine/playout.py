"""One channel's playout as its control sees it: start muted, arm, command, look, stop."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sidecar.journal.journal import Journal
from sidecar.protocol.channel import AfterLast, SidecarDocument
from sidecar.protocol.status import ItemNext, ItemOnAir, Loudness, OutputStatus, Picture, SidecarState, SkippedItem
from sidecar.rundown.clock import Done, RundownClock


@dataclass(frozen=True, slots=True)
class PlayoutStatus:
    """The engine's part of ``protocol.status.Status``; fields mean what they mean there."""

    state: SidecarState
    frame: int
    frames_late: int
    frames_skipped: int
    picture: Picture
    reason: str
    item: ItemOnAir | None
    next: ItemNext | None
    hold: bool
    playlist_revision: int
    after_last: AfterLast
    outputs: tuple[OutputStatus, ...]
    loudness: Loudness
    skipped: tuple[SkippedItem, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """A command that was done. ``frame`` is the output frame that first shows it, None where there is no picture
    to wait for. ``took_ms``: from ``command`` to the hand-over of that frame to the encoder."""

    sentence: str
    frame: int | None
    took_ms: float
    item_id: str | None


class CommandQueueFull(Exception):
    """More commands wait than the playout takes in a frame's time; nothing was done."""


class Playout:
    """Owns every thread between the playlist and the outputs."""

    def __init__(
        self,
        document: SidecarDocument,
        *,
        epoch: int,
        journal: Journal,
        media_root: Path,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """``may_send`` is asked before every write of an output whose fencing is ``lease_stop``, from its thread."""
        raise NotImplementedError

    def start(self) -> None:
        """Opens sources and encoder, muted: no programme output, the rundown does not run. Returns at once."""
        raise NotImplementedError

    def arm(self, by: str) -> "Future[Applied]":
        """Enters the air: outputs open, frame 0 leaves now. Once; raises RuntimeError when already armed."""
        raise NotImplementedError

    def command(self, act: Callable[[RundownClock], Done]) -> "Future[Applied]":
        """Runs ``act`` on the rundown clock between two frames, in the playout thread (it must not block).

        The future ends with ``Applied``, or with what ``act`` raised (``Refused``). Raises CommandQueueFull.
        """
        raise NotImplementedError

    def stop(self, by: str, timeout: float) -> bool:
        """Leaves the air cleanly and blocks until outputs have ended, at most ``timeout`` seconds.

        False when an output did not end in time (it is abandoned). May be repeated; also good while muted.
        The rundown's last facts are in the journal's queue when this returns; ``run_end`` is the caller's.
        """
        raise NotImplementedError

    def status(self) -> PlayoutStatus:
        """From any thread, without waiting for another."""
        raise NotImplementedError

    def thumbnail(self) -> bytes:
        """JPEG, 192 pixels wide, of what is on air, or would be first. Blocks some milliseconds: for a worker thread."""
        raise NotImplementedError
