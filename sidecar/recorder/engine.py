"""A recorder as the sidecar's control channel sees it: an engine like the playout, that records instead."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from sidecar.engine.playout import PlayoutStatus
from sidecar.engine.thumbnail import Thumbnailer
from sidecar.journal import Journal
from sidecar.outputs.sinks import recordings_folder
from sidecar.protocol.channel import Playlist, SidecarDocument
from sidecar.protocol.recording import Recording, RecordingStatus
from sidecar.protocol.status import Loudness, OutputFaults, OutputState, OutputStatus, SidecarState
from sidecar.recorder.inputs import InputThread
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.sources import source_of
from sidecar.rundown.rate import parse_rate

_TICK_S: Final = 0.2
_OUTPUT: Final = "recording"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Beat:
    """When the watching thread last came round; ``frames`` of armed time had gone by then."""

    frames: int = 0


class RecorderEngine:
    """Owns the input's thread and the one that watches. ``status`` and ``thumbnail`` may be asked from any thread."""

    def __init__(
        self, document: SidecarDocument, what: Recording, *, epoch: int, journal: Journal, media_root: Path,
        environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Raises ValueError for what cannot be recorded."""
        source = source_of(what.input, environment)
        self._recorder = Recorder(
            document, what, epoch=epoch, journal=journal, folder=recordings_folder(media_root, document.channel_id),
            shown=source.shown, patience=source.patience, clock=clock,
        )  # fmt: skip
        self._input = InputThread(source, self._recorder)
        self._rate = parse_rate(document.format.rate)
        self._beat = _Beat()
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="recorder", daemon=True)
        self._thumbnails = threading.Lock()

    def start(self) -> None:
        """Connects, and records nothing before it is armed."""
        self._recorder.begin()
        self._watching.start()
        self._input.start()

    @property
    def is_armed(self) -> bool:
        return self._recorder.armed_for is not None

    def arm(self, by: str) -> None:
        """Raises RuntimeError when it is being stopped."""
        if self._stopping.is_set():
            raise RuntimeError("the recorder is being stopped")
        self._recorder.arm(by)

    def replace_jobs(self, jobs: Playlist) -> None:
        self._recorder.replace_jobs(jobs)

    @property
    def revision(self) -> int:
        return self._recorder.jobs.revision

    def stop(self, by: str, timeout: float, *, final: bool = True) -> bool:
        """Whether the recording was ended well within ``timeout`` seconds. ``final`` says nothing to a file."""
        self._stopping.set()
        self._input.close()
        return self._recorder.end(by, timeout)

    def status(self) -> PlayoutStatus:
        recording = self._recorder.status()
        jobs = self._recorder.jobs
        return PlayoutStatus(
            state=self._state(),
            frame=self._beat.frames,
            frames_late=0,
            frames_skipped=0,
            picture="item" if recording.state == "recording" else "hold",
            reason=recording.detail,
            item=None,
            next=None,
            hold=False,
            playlist_revision=jobs.revision,
            after_last=jobs.after_last,
            outputs=(_as_output(recording),),
            outputs_digest="",
            loudness=Loudness(None, None, None),
            skipped=(),
            faults=OutputFaults(),
            logo=None,
            recording=recording,
        )

    def thumbnail(self) -> bytes:
        """A JPEG of the last picture that needs no other. Raises ValueError while there is none."""
        key = self._recorder.key
        if key is None:
            raise ValueError("no picture has come yet")
        with self._thumbnails:
            picture = _decoded(*key)
            return Thumbnailer(lambda: picture).jpeg()

    def _state(self) -> SidecarState:
        if self._stopping.is_set():
            return "stopping"
        return "on_air" if self.is_armed else "muted"

    def _watch(self) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                self._recorder.tick()
            except Exception:
                # Without a beat the supervisor replaces this process.
                log.exception("the recorder's watch failed")
                continue
            armed = self._recorder.armed_for
            if armed is not None:
                self._beat.frames = max(self._beat.frames + 1, int(armed * self._rate))


def _as_output(recording: RecordingStatus) -> OutputStatus:
    states: dict[str, OutputState] = {"recording": "up", "waiting": "starting"}
    return OutputStatus(
        id=_OUTPUT,
        kind="file",
        role="programme",
        state=states.get(recording.state, "down"),
        detail=recording.detail,
        bytes_sent=recording.file_bytes,
        frames_sent=recording.frames,
        frames_dropped=recording.lost_frames,
    )


def _decoded(codec: str, configuration: bytes | None, data: bytes) -> av.VideoFrame:
    context = av.CodecContext.create(codec, "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} codes no pictures")
    context.extradata = configuration
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except FFmpegError as error:
        raise ValueError(f"the last picture cannot be decoded: {error}") from error
    if not frames:
        raise ValueError("the last picture cannot be decoded")
    return frames[0]
