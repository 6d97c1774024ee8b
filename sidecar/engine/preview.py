"""The small picture beside the programme: its own scaling and encoding, on a thread of its own."""

from collections.abc import Callable, Iterator

import av
from av.video.reformatter import VideoReformatter

from sidecar.engine.encode_again import EncodeAgain
from sidecar.engine.encoder import PictureEncoder
from sidecar.engine.encoder_settings import gop_frames, preview_format, preview_step
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate

_MOST_PICTURES = 3
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
        self._thread = EncodeAgain[tuple[int, int, av.VideoFrame]](self._encode, name="preview", what="the preview")

    def start(self) -> None:
        self._thread.start()

    def offer(self, frame: int, wall_ns: int, picture: av.VideoFrame) -> None:
        if frame % self.step == 0 and self._thread.waiting < _MOST_PICTURES:
            self._thread.put((frame, wall_ns, picture))

    def close(self) -> None:
        self._thread.close()

    def join(self, timeout: float) -> bool:
        return self._thread.join(timeout)

    def _encode(self, jobs: Iterator[tuple[int, int, av.VideoFrame]]) -> None:
        encoder = PictureEncoder(self._format, self._encoding, threads=1, step=self.step)
        scaler = VideoReformatter()
        for frame, wall_ns, picture in jobs:
            small = scaler.reformat(
                picture, self._format.width, self._format.height, "yuv420p", interpolation="FAST_BILINEAR"
            )
            if small is picture:  # nothing to scale; but the programme's encoder sets timestamps on that one
                small = av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
            packets = encoder.encode(frame, small, wall_ns)
            if packets:
                self._deliver(tuple(packets))
                self._thread.came()
