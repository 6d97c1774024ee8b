"""An output's own encode: another rate or preset of the same programme, on a thread of its own."""

import logging
import queue
import threading
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
    counted, and only this output's viewers see the one before for longer. Failures are told and tried again.

    ``fault``: why nothing comes of it now, empty while something does.
    """

    def __init__(
        self, channel: ChannelFormat, encoding: Encoding, deliver: Callable[[Batch], None], *, name: str
    ) -> None:
        """``deliver`` gets every frame's packets, in this thread."""
        self._channel = channel
        self._encoding = encoding
        self._deliver = deliver
        self._most_pictures = most_pictures(channel)
        self._most_waiting = round(_PATIENCE_S * parse_rate(channel.rate))
        self._queue: queue.SimpleQueue[tuple[FrameJob, bool] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._follows = True  # the next job the one offered before it; written by whoever offers, as the next two
        self._put = 0  # pictures
        self._not_taken = 0  # pictures
        self._taken = 0  # pictures; written by this thread, as the next
        self._lost = 0  # pictures that were taken while there was no encoder
        self.fault = ""
        self._thread = threading.Thread(target=self._run, name=f"encoder-{name}", daemon=True)

    @property
    def pictures_left_out(self) -> int:
        return self._not_taken + self._lost

    def start(self) -> None:
        self._thread.start()

    def offer(self, job: FrameJob) -> None:
        if self._queue.qsize() >= self._most_waiting:
            self._not_taken += job.picture is not None
            self._follows = False
            return
        if job.picture is not None and self._put - self._taken >= self._most_pictures:
            self._not_taken += 1
            job = FrameJob(job.number, job.wall_ns, None, job.sound)
        self._put += job.picture is not None
        self._queue.put((job, self._follows))
        self._follows = True

    def close(self) -> None:
        """What waits is still encoded, where there is an encoder."""
        self._closed.set()
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
            except Exception as error:  # the others play on, and this one comes back
                log.exception("an output's own encode failed")
                self.fault = f"its own encode failed: {error}; trying again in {_REST_AFTER_FAILURE_S:.0f} s"
                if self._closed.wait(_REST_AFTER_FAILURE_S):
                    return
                self._forget_what_waits()
            else:
                return

    def _encode_until_closed(self) -> None:
        pictures = PictureEncoder(self._channel, self._encoding, threads=encoder_threads(self._channel))
        sounds: SoundEncoder | None = None
        while (taken := self._queue.get()) is not None:
            job, follows = taken
            if job.picture is not None:
                self._taken += 1
            if sounds is None or not follows:
                # One that ran on over a gap would have all sound that comes too early, for good.
                sounds = SoundEncoder(self._channel, self._encoding, first_sample=self._first_sample(job.number))
            packets = [] if job.picture is None else pictures.encode(job.number, _copy(job.picture), job.wall_ns)
            packets += sounds.encode(job.sound)
            if packets:
                self._deliver(tuple(packets))
                self.fault = ""
        if sounds is not None and (rest := sounds.finish()):
            self._deliver(tuple(rest))

    def _forget_what_waits(self) -> None:
        """What waited while there was no encoder would come in a burst, too late."""
        while True:
            try:
                taken = self._queue.get_nowait()
            except queue.Empty:
                return
            if taken is None:
                self._queue.put(None)
                return
            if taken[0].picture is not None:
                self._taken += 1
                self._lost += 1

    def _first_sample(self, frame: int) -> int:
        return samples_before(frame, parse_rate(self._channel.rate), self._channel.sample_rate)


def _copy(picture: av.VideoFrame) -> av.VideoFrame:
    """The encoders set timestamp and type on what they are given, and the programme's has the other."""
    return av.VideoFrame.from_ndarray(picture.to_ndarray(), format=picture.format.name)
