"""An output's own encode: another rate or preset of the same programme, on a thread of its own."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

import av

from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.engine.encoder_settings import encoder_threads
from sidecar.engine.encoder_thread import FrameJob, most_pictures
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate, samples_before

log = logging.getLogger(__name__)

_REST_AFTER_FAILURE_S: Final = 5.0
_PATIENCE_S: Final = 10


class OwnEncode:
    """``offer`` is the programme encoder's thread's and never waits: pictures it has no time for are left out and
    counted, and only this output's viewers see the one before for longer. Failures are reported and tried again."""

    def __init__(
        self, channel: ChannelFormat, encoding: Encoding, deliver: Callable[[Batch], None], *, name: str
    ) -> None:
        """``deliver`` gets every frame's packets, in this thread."""
        self._channel = channel
        self._encoding = encoding
        self._deliver = deliver
        self._most_pictures = most_pictures(channel)
        self._most_waiting = round(_PATIENCE_S * parse_rate(channel.rate))
        self._queue: queue.SimpleQueue[FrameJob | None] = queue.SimpleQueue()
        self._put = 0  # pictures; written by whoever offers
        self._taken = 0  # written by this thread
        self.pictures_left_out = 0
        self._thread = threading.Thread(target=self._run, name=f"encoder-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, job: FrameJob) -> None:
        if self._queue.qsize() >= self._most_waiting:
            self.pictures_left_out += job.picture is not None
            return
        if job.picture is not None and self._put - self._taken >= self._most_pictures:
            self.pictures_left_out += 1
            job = FrameJob(job.number, job.wall_ns, None, job.sound)
        self._put += job.picture is not None
        self._queue.put(job)

    def close(self) -> None:
        """What waits is still encoded."""
        self._queue.put(None)

    def join(self, timeout: float) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                self._encode_until_closed()
            except Exception:  # the others play on, and this one comes back
                log.exception("an output's own encode failed")
                time.sleep(_REST_AFTER_FAILURE_S)
            else:
                return

    def _encode_until_closed(self) -> None:
        pictures = PictureEncoder(self._channel, self._encoding, threads=encoder_threads(self._channel))
        sounds: SoundEncoder | None = None
        while (job := self._queue.get()) is not None:
            if job.picture is not None:
                self._taken += 1
            if sounds is None:
                sounds = SoundEncoder(self._channel, self._encoding, first_sample=self._first_sample(job.number))
            packets = [] if job.picture is None else pictures.encode(job.number, _copy(job.picture), job.wall_ns)
            packets += sounds.encode(job.sound)
            if packets:
                self._deliver(tuple(packets))
        if sounds is not None and (rest := sounds.finish()):
            self._deliver(tuple(rest))

    def _first_sample(self, frame: int) -> int:
        return samples_before(frame, parse_rate(self._channel.rate), self._channel.sample_rate)


def _copy(picture: av.VideoFrame) -> av.VideoFrame:
    """The encoders set timestamp and type on what they are given, and the programme's has the other."""
    return av.VideoFrame.from_ndarray(picture.to_ndarray(), format=picture.format.name)
