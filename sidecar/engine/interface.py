"""What plays a channel, as its control sees it: start muted, arm, command, look, stop."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from sidecar.engine.command_queue import Applied
from sidecar.engine.entrance import Entrance
from sidecar.engine.pacing import instant
from sidecar.engine.playout_thread import AirView
from sidecar.protocol.channel import AfterLast, LogoOverride, Look, Output
from sidecar.protocol.recording import RecordingStatus
from sidecar.protocol.status import (
    EngineHealth,
    ItemNext,
    ItemOnAir,
    LiveFault,
    LogoStatus,
    Loudness,
    OutputFaults,
    OutputStatus,
    Picture,
    SidecarState,
    SkippedItem,
)
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
    outputs_digest: str
    loudness: Loudness
    skipped: tuple[SkippedItem, ...]
    faults: OutputFaults
    logo: LogoStatus | None
    hold_left_ms: int | None = None
    dropped: tuple[str, ...] = ()
    live_faults: tuple[LiveFault, ...] = ()
    recording: RecordingStatus | None = None
    look_digest: str = ""
    engine: EngineHealth | None = None
    since_frame: int | None = None


class Engine(Protocol):
    """Two there are: ``engine.playout.Playout`` decodes and encodes in this process, ``caspar.playout.CasparPlayout``
    drives a CasparCG server. Both run the same rundown clock; every method may be called from any thread."""

    def start(self) -> None:
        """Makes ready, muted."""
        ...

    def arm(self, by: str, entrance: Entrance | None = None) -> "Future[Applied]":
        """Enters the air, once. ``entrance``: where the list begins, when that is not where the document said.

        Raises CommandQueueFull, and then may be tried again; RuntimeError when armed or stopped before.
        """
        ...

    @property
    def arming(self) -> "Future[Applied] | None":
        """What ``arm`` gave when it was called; None before."""
        ...

    def command(self, act: Callable[[RundownClock], Done]) -> "Future[Applied]":
        """Runs ``act`` on the rundown clock between two frames (it must not block).

        The future ends with ``Applied`` when the frame that shows it is there, or with what ``act`` raised
        (``Refused``); it is cancelled when the engine stops first. Raises CommandQueueFull.
        """
        ...

    def logo(self, show: LogoOverride, by: str) -> "Future[Applied]":
        """As ``command``; may end with Refused."""
        ...

    def replace_look(self, look: Look) -> None:
        """Logo and thresholds from now on, where the engine has them (``PlayoutStatus.look_digest``)."""
        ...

    @property
    def outputs(self) -> tuple[Output, ...]:
        """As they were last wanted."""
        ...

    def replace_outputs(self, outputs: tuple[Output, ...]) -> str:
        """What the programme goes to from now on; a sentence on what that changed."""
        ...

    def stop(self, by: str, timeout: float, *, final: bool = True) -> bool:
        """Leaves the air cleanly, within ``timeout`` seconds; False when something did not end in time. Not ``final``:
        the channel is to go on in another run."""
        ...

    def status(self) -> PlayoutStatus:
        """Waits for nothing."""
        ...

    def thumbnail(self) -> bytes:
        """JPEG, 192 pixels wide. Blocks some ms: for a worker thread."""
        ...


def status_of(
    view: AirView, *, outputs: tuple[OutputStatus, ...], outputs_digest: str, loudness: Loudness, faults: OutputFaults,
    logo: LogoStatus | None, live_faults: tuple[LiveFault, ...] = (), look_digest: str = "",
    engine: EngineHealth | None = None,
) -> PlayoutStatus:  # fmt: skip
    """What every engine tells of its rundown, and what this one tells beside it."""
    return PlayoutStatus(
        state=view.state,
        frame=view.frame,
        frames_late=view.late,
        frames_skipped=view.skipped,
        picture=view.picture,
        reason=view.reason,
        item=_item_on_air(view),
        next=view.next,
        hold=view.hold,
        playlist_revision=view.playlist_revision,
        after_last=view.after_last,
        outputs=outputs,
        outputs_digest=outputs_digest,
        loudness=loudness,
        skipped=view.skipped_items,
        faults=faults,
        logo=logo,
        hold_left_ms=view.hold_left_ms,
        dropped=view.dropped,
        live_faults=live_faults,
        look_digest=look_digest,
        engine=engine,
        since_frame=view.since_frame,
    )


def _item_on_air(view: AirView) -> ItemOnAir | None:
    """For the status."""
    on_air = view.on_air
    if on_air is None:
        return None
    item = on_air.airing.item
    return ItemOnAir(
        item_id=item.id,
        title=item.title,
        airing=on_air.airing.number,
        position_frames=on_air.position,
        duration_frames=on_air.duration,
        started_frame=on_air.started_frame,
        started_at=instant(view.on_air_since_ns),
        asset_id=item.asset_id,
        live=on_air.live,
    )
