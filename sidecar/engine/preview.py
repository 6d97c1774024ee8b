"""The small picture beside the programme: its own scaling and encoding, on a thread of its own."""

import logging
import queue
import threading
import time
from collections.abc import Callable

import av
from av.video.reformatter import VideoReformatter

from sidecar.engine.encoder import PictureEncoder
from sidecar.engine.encoder_settings import gop_frames, preview_format, preview_step
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate

log = logging.getLogger(__name__)

_MOST_PICTURES = 3
_REST_AFTER_FAILURE_S = 5.0
_VIDEO_BIT_RATE = 200_000


def preview_encoding(encoding: Encoding) -> Encoding:
    """The programme's sound and keyframe distance, with a picture that costs little."""
    return Encoding(
        preset="ultrafast",
        video_bit_rate=_VIDEO_BIT_RATE,
        audio_bit_rate=encoding.audio_bit_rate,
        gop_ms=encoding.gop_ms,
    )


class PreviewThread:
    """``offer`` never waits: pictures it has no time for are left out. Failures are reported and tried again."""

    def __init__(self, channel: ChannelFormat, encoding: Encoding, deliver: Callable[[Batch], None]) -> None:
        """``deliver`` gets the preview's pictures, encoded, in this thread."""
        rate = parse_rate(channel.rate)
        self._format = preview_format(channel)
        self._encoding = preview_encoding(encoding)
        self._deliver = deliver
        self.step = preview_step(rate, gop_frames(rate, encoding.gop_ms))
        self._queue: queue.SimpleQueue[tuple[int, int, av.VideoFrame] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, frame: int, wall_ns: int, picture: av.VideoFrame) -> None:
        if frame % self.step == 0 and self._queue.qsize() < _MOST_PICTURES:
            self._queue.put((frame, wall_ns, picture))

    def close(self) -> None:
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
            except Exception:  # the programme goes on without a preview, and the preview comes back
                log.exception("the preview failed")
                time.sleep(_REST_AFTER_FAILURE_S)
            else:
                return

    def _encode_until_closed(self) -> None:
        encoder = PictureEncoder(self._format, self._encoding, threads=1, step=self.step)
        scaler = VideoReformatter()
        while (job := self._queue.get()) is not None:
            frame, wall_ns, picture = job
            small = scaler.reformat(
                picture, self._format.width, self._format.height, "yuv420p", interpolation="FAST_BILINEAR"
            )
            if small is picture:  # nothing to scale; but the programme's encoder sets timestamps on that one
                small = av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
            packets = encoder.encode(frame, small, wall_ns)
            if packets:
                self._deliver(tuple(packets))
