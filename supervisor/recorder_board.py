"""What is seen of every recorder; published when anything but its figures changes."""

from collections.abc import Callable
from typing import Final

from sidecar.protocol.status import Status
from supervisor.clock import Clock
from supervisor.events import Events
from supervisor.live import Sight
from supervisor.schemas.recorder import RecorderLive, RecorderSeen

_FIGURES: Final = {"file_frames": 0, "file_bytes": 0, "frames": 0, "free_mb": None, "heartbeat_age_ms": None}
"""They grow all the time; who wants them asks."""


class RecorderBoard:
    """Stands where a channel's live board does. Belongs to one event loop."""

    def __init__(self, events: Events, clock: Clock, alarms: Callable[[str], int]) -> None:
        self._events, self._clock, self._alarms = events, clock, alarms
        self._shown: dict[str, tuple[RecorderLive, float | None]] = {}

    def get(self, recorder_id: str) -> RecorderLive:
        """As it is seen now."""
        live, answered = self._shown.get(recorder_id, (RecorderLive(), None))
        age = None if answered is None else max(0, round((self._clock.monotonic() - answered) * 1000))
        return live.model_copy(update={"heartbeat_age_ms": age})

    def show(self, sight: Sight) -> None:
        """As ``LiveBoard.show``."""
        live = _live(sight, self._alarms(sight.channel_id))
        before = self._shown.get(sight.channel_id)
        answered = None if sight.age_s is None else self._clock.monotonic() - sight.age_s
        self._shown[sight.channel_id] = (live, answered)
        if before is None or before[0].model_copy(update=_FIGURES) != live.model_copy(update=_FIGURES):
            self._events.publish("recorder_live", RecorderSeen(recorder_id=sight.channel_id, live=live))

    def forget(self, recorder_id: str) -> None:
        self._shown.pop(recorder_id, None)


def _live(sight: Sight, alarms: int) -> RecorderLive:
    observed = "recording" if sight.observed == "on_air" else sight.observed
    live = RecorderLive(
        desired=sight.desired,
        phase=sight.phase,
        observed=observed,
        epoch=sight.epoch,
        node_id=sight.node_id,
        node_name=sight.node_name,
        decision=sight.decision,
        alarms=alarms,
    )
    return live.model_copy(update=_recording(sight.status))


def _recording(status: Status | None) -> dict[str, object]:
    said = None if status is None else status.recording
    if said is None:
        return {}
    names = ("state", "detail", "title", "path", "file_frames", "file_bytes", "files", "frames", "gaps", "lost_frames")
    return {**{name: getattr(said, name) for name in names}, "rate": said.rate or None, "free_mb": said.free_mb}
