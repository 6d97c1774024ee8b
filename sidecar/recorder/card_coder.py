"""What comes raw from a card, coded: H.264 in the card's own chroma and fields, and AAC in pairs.

A card's second of 1080i25 is a hundred megabytes. 4:2:2 stays, as do ten bits and the order of the fields; a constant
quality is held rather than a bit rate, for what is recorded is played out, cut and coded again.
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from sidecar.media.graph import chain, pictures_of
from sidecar.recorder.media import Coded, InputMedia, coded

_QUALITY: Final = "18"
_SOUND_BIT_RATE: Final = 256_000
_SAMPLE_RATE: Final = 48_000
_LOST_SOUND: Final = _SAMPLE_RATE // 50
"""Samples that a piece of sound comes later than what was counted before it, from which the card lost some."""
_OLD_NTSC: Final = (480, 486)
"""Heights whose lower field comes first."""
_PIXELS_OF_A_THREAD: Final = 1280 * 720 * 25
_MOST_THREADS: Final = 8


class CardCoder:
    """For one connection; from its thread alone. ``media`` is what a file is made for."""

    def __init__(self, picture: VideoStream, rate: Fraction, *, interlaced: bool) -> None:
        """Raises FFmpegError for a picture that cannot be coded."""
        context = picture.codec_context
        self._rate, self._base = rate, picture.time_base or Fraction(1, 1_000_000)
        deep = context.name in ("v210", "r210") or "10" in (context.pix_fmt or "")
        self._form = "yuv422p10le" if deep else "yuv422p"
        self._fields = "" if not interlaced else "bff" if context.height in _OLD_NTSC else "tff"
        self._size = (context.width, context.height)
        self._graph: Graph | None = None
        self._container = self._described()
        videos, audios = self._container.streams.video, self._container.streams.audio
        self.media = InputMedia(self._container, videos[0], tuple(audios), rate)
        self._pictures, self._sounds = self._picture_context(), _sound_context()
        self._group = max(1, round(rate))
        self._first: Fraction | None = None
        self._last = -1
        self._key_at = 0
        self._waiting = np.empty((2, 0), np.float32)
        self._sample: int | None = None

    def close(self) -> None:
        self._container.close()

    def skip(self) -> None:
        """What comes next does not follow what came last: it needs no other."""
        self._key_at = self._last + 1
        self._waiting, self._sample = np.empty((2, 0), np.float32), None

    def coded(self, packet: Packet) -> Iterator[Coded]:
        """What a raw ``packet`` of the picture, or of the sound, becomes. Raises FFmpegError."""
        for frame in packet.decode():
            if isinstance(frame, av.VideoFrame):
                yield from self._picture(frame)
            elif isinstance(frame, av.AudioFrame):
                yield from self._sound(frame)

    def _picture(self, frame: av.VideoFrame) -> Iterator[Coded]:
        """It has the card's own time, by which it gets its number: one that the card lost is left out."""
        pts = cast("int | None", frame.pts)  # which PyAV's stub forgets
        if pts is None:
            return
        at = pts * (frame.time_base or self._base)
        if self._first is None:
            self._first = at
        number = round((at - self._first) * self._rate)
        if number <= self._last:
            return  # two within the time of one
        for ready in self._prepared(frame):
            ready.pts, ready.time_base = number, 1 / self._rate
            is_key = number >= self._key_at
            ready.pict_type = PictureType.I if is_key else PictureType.NONE
            if is_key:
                self._key_at = number + self._group
            self._last = number
            for packet in self._pictures.encode(ready):
                yield from self._shifted(packet, 0)

    def _sound(self, frame: av.AudioFrame) -> Iterator[Coded]:
        """Nothing before the first picture."""
        pts = frame.pts
        if pts is None or self._first is None:
            return
        at = round((pts * (frame.time_base or self._base) - self._first) * _SAMPLE_RATE)
        if self._sample is None:
            if at < 0:
                return
            self._sample = at
        elif at - (self._sample + self._waiting.shape[1]) > _LOST_SOUND:
            # Pictures go by the card's clock: sound that is only counted would be early from here on.
            self._waiting, self._sample = np.empty((2, 0), np.float32), at
        whole = frame.to_ndarray().reshape(-1, 2).T  # interleaved, 16 bits
        came = whole.astype(np.float32) / np.float32(32_768)
        self._waiting = np.concatenate([self._waiting, came], axis=1)
        size = self._sounds.frame_size
        while self._waiting.shape[1] >= size:
            block, self._waiting = np.ascontiguousarray(self._waiting[:, :size]), self._waiting[:, size:]
            made = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            made.sample_rate, made.pts, made.time_base = _SAMPLE_RATE, self._sample, Fraction(1, _SAMPLE_RATE)
            self._sample += size
            for packet in self._sounds.encode(made):
                yield from self._shifted(packet, 1)

    def _shifted(self, packet: Packet, index: int) -> Iterator[Coded]:
        one = coded(packet, index)
        if one is not None:
            yield one

    def _prepared(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """In the encoder's form, with its fields in order: what is raw says nothing of them."""
        if self._graph is None:
            where = f"{frame.width}x{frame.height}"
            base = self._base
            source = {
                "video_size": where,
                "pix_fmt": frame.format.name,
                "time_base": f"{base.numerator}/{base.denominator}",
            }
            order = self._fields or "prog"
            steps = [("buffer", source), ("setfield", {"mode": order}), ("format", {"pix_fmts": self._form})]
            self._graph = chain([*steps, ("buffersink", {})])
        self._graph.vpush(frame)
        yield from pictures_of(self._graph)

    def _picture_context(self) -> VideoCodecContext:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        self._tell(context)
        context.open()
        return context

    def _tell(self, context: VideoCodecContext) -> None:
        width, height = self._size
        context.width, context.height, context.pix_fmt = width, height, self._form
        context.framerate, context.time_base = self._rate, 1 / self._rate
        threads = -(-width * height * self._rate // _PIXELS_OF_A_THREAD)
        context.thread_count = int(min(_MOST_THREADS, max(1, threads)))
        options = {"preset": "superfast", "tune": "zerolatency", "crf": _QUALITY, "bf": "0", "forced-idr": "1"}
        if self._fields:
            options |= {"flags": "+ildct+ilme", "x264-params": f"{self._fields}=1"}
        context.options = {**options, "g": str(max(1, round(self._rate))), "sc_threshold": "0"}

    def _described(self) -> InputContainer:
        """A container whose streams are as what is coded here: files are made after them."""
        memory = io.BytesIO()
        with av.open(memory, "w", format="nut") as container:
            # PyAV leaves add_stream's keywords untyped.
            video = container.add_stream("libx264", rate=self._rate)  # pyright: ignore[reportUnknownMemberType]
            audio = container.add_stream("aac", rate=_SAMPLE_RATE)  # pyright: ignore[reportUnknownMemberType]
            self._tell(video.codec_context)
            video.codec_context.thread_count = 1
            audio.codec_context.layout = "stereo"
            audio.codec_context.bit_rate = _SOUND_BIT_RATE
            container.mux(video.encode(av.VideoFrame(*self._size, self._form)))
            container.mux(video.encode(None))
            silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            silence.sample_rate, silence.pts, silence.time_base = _SAMPLE_RATE, 0, Fraction(1, _SAMPLE_RATE)
            container.mux(audio.encode(silence))
            container.mux(audio.encode(None))
        return av.open(io.BytesIO(memory.getvalue()), "r", format="nut")


def _sound_context() -> AudioCodecContext:
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = _SAMPLE_RATE, "stereo", "fltp"
    context.bit_rate, context.time_base = _SOUND_BIT_RATE, Fraction(1, _SAMPLE_RATE)
    context.open()
    return context
