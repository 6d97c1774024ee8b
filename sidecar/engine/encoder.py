"""The programme's encoder: H.264 and AAC, one for the whole run whatever the items are."""

from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from sidecar.engine.captions import captions_remover, has_captions
from sidecar.engine.encoder_settings import encoder_threads, gop_frames, x264_options
from sidecar.media.interface import Samples
from sidecar.outputs.packet import EncodedPacket
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.rundown.rate import parse_rate

_BT709 = 1


class PictureEncoder:
    """H.264. Frame n gets timestamp n; a keyframe comes at every multiple of ``gop``, or as soon as there is a picture
    after it."""

    def __init__(self, channel: ChannelFormat, encoding: Encoding, *, threads: int, step: int = 1) -> None:
        """``step``: only every so many-th frame will come."""
        rate = parse_rate(channel.rate)
        self.gop = gop_frames(rate, encoding.gop_ms)
        self._step = step
        self._time_base = 1 / rate
        self._group = -1
        self._last: av.VideoFrame | None = None
        self._bare: av.VideoFrame | None = None  # the last picture without its captions, once it was wanted so
        self._remover = captions_remover(channel)
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = channel.width, channel.height, "yuv420p"
        codec.framerate = rate / step
        codec.time_base = self._time_base
        codec.bit_rate = encoding.video_bit_rate
        codec.thread_count = threads
        codec.color_range = ColorRange.MPEG
        codec.colorspace = Colorspace.ITU709
        codec.color_primaries = codec.color_trc = _BT709
        codec.sample_aspect_ratio = Fraction(1)
        codec.options = x264_options(encoding, self.gop)
        codec.open()
        self._codec = codec

    def encode(self, frame: int, picture: av.VideoFrame, wall_ns: int, *, captions: bool = True) -> list[EncodedPacket]:
        """Of ``picture`` only timestamp and type are set, which belong to the encoder; it may come again.

        Without ``captions`` its A53 captions are left out.
        """
        is_again = picture is self._last
        if not is_again:
            self._last, self._bare = picture, None
        if is_again or not captions:
            picture = self._without_captions(picture)
        group = frame // self.gop
        picture.pts, picture.time_base = frame, self._time_base
        # Decoders leave their own type on pictures, and the encoder would follow it.
        picture.pict_type = PictureType.NONE if group == self._group else PictureType.I
        self._group = group
        return [
            EncodedPacket(
                is_video=True,
                data=bytes(packet),
                pts=frame if packet.pts is None else packet.pts,
                duration=self._step,
                time_base=self._time_base,
                keyframe=packet.is_keyframe,
                wall_ns=wall_ns,
            )
            for packet in self._codec.encode(picture)
        ]

    def _without_captions(self, picture: av.VideoFrame) -> av.VideoFrame:
        """As one that stands is sent: its captions were sent with it, and sent again they would be typed again."""
        if self._bare is None:
            self._bare = self._remover.of(picture) if has_captions(picture) else picture
        return self._bare


class SoundEncoder:
    """AAC. Sound comes in any portions; timestamps count samples, the first packet (priming) lies before zero."""

    def __init__(self, channel: ChannelFormat, encoding: Encoding, *, first_sample: int = 0) -> None:
        """``first_sample``: where in the run the first portion lies."""
        codec = av.CodecContext.create("aac", "w")
        codec.sample_rate, codec.layout, codec.format = channel.sample_rate, "stereo", "fltp"
        codec.bit_rate = encoding.audio_bit_rate
        codec.time_base = self._time_base = Fraction(1, channel.sample_rate)
        codec.open()
        self._codec = codec
        self._sample_rate = channel.sample_rate
        self._size = codec.frame_size
        self._waiting = np.empty((2, 0), np.float32)
        self._position = first_sample

    def encode(self, sound: Samples) -> list[EncodedPacket]:
        waiting = np.concatenate([self._waiting, sound], axis=1) if self._waiting.shape[1] else sound
        packets: list[EncodedPacket] = []
        at = 0
        while waiting.shape[1] - at >= self._size:
            block = np.ascontiguousarray(waiting[:, at : at + self._size])
            packets += self._encode_block(block)
            at += self._size
        self._waiting = waiting[:, at:]
        return packets

    def finish(self) -> list[EncodedPacket]:
        """What is still inside, the last packet filled up with silence; nothing may follow."""
        rest = self._waiting.shape[1]
        packets = self.encode(np.zeros((2, self._size - rest), np.float32)) if rest else []
        return packets + self._encode_block(None)

    def _encode_block(self, block: Samples | None) -> list[EncodedPacket]:
        frame = None if block is None else self._frame(block)
        return [
            EncodedPacket(
                is_video=False,
                data=bytes(packet),
                pts=0 if packet.pts is None else packet.pts,
                duration=self._size,
                time_base=self._time_base,
                keyframe=True,
            )
            for packet in self._codec.encode(frame)
        ]

    def _frame(self, block: Samples) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = self._sample_rate, self._position, self._time_base
        self._position += self._size
        return frame


def programme_encoders(channel: ChannelFormat, encoding: Encoding) -> tuple[PictureEncoder, SoundEncoder]:
    return PictureEncoder(channel, encoding, threads=encoder_threads(channel)), SoundEncoder(channel, encoding)
