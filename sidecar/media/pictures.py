"""Decoding the picture stream: every frame stamped, deinterlaced, and numbered as the source counts."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sidecar.media.picture import Deinterlacer, kind_of
from sidecar.media.timing import grid_time


@dataclass(frozen=True, slots=True)
class Shot:
    """A whole source picture, on screen from ``time`` to ``until`` seconds after the stream's first frame."""

    time: Fraction
    until: Fraction
    number: int
    frame: VideoFrame
    sample_aspect: Fraction


class Pictures:
    """Packets in, shots out. ``per_field`` makes interlaced material give a picture a field, not a frame."""

    def __init__(self, stream: VideoStream, rate: Fraction, *, per_field: bool, without_pts: bool) -> None:
        assert stream.time_base is not None
        self.ready: deque[Shot] = deque()
        self.ended = False
        self.first: int | None = None
        """The first frame's time stamp in ticks of ``base``."""
        self.base = stream.time_base
        self._stream = stream
        self._rate = rate
        self._per_field = per_field
        self._step = max(1, round(1 / rate / self.base))
        self._last: int | None = None
        self._without_pts = without_pts
        self._entry: int | None = None  # the first packet's decoding time stamp since the start or a seek
        self._delay: int | None = None  # ticks from there to the packet that made the first frame come out
        self._declared_aspect = stream.sample_aspect_ratio or Fraction(0)
        self._coded_aspect = stream.codec_context.sample_aspect_ratio or Fraction(0)
        self._deinterlacer: Deinterlacer | None = None
        self._hurrying = False

    def decode(self, packet: Packet | None) -> None:
        """Adds to ``ready``; None ends the stream. A damaged packet gives nothing."""
        if self._entry is None and packet is not None:
            self._entry = packet.dts
        try:
            frames = self._stream.codec_context.decode(packet)
        except (FFmpegError, EOFError):
            frames = []
        for frame in frames:
            self._accept(frame)
        if packet is None:
            self._drain_deinterlacer()
            self.ended = True

    def restart(self) -> None:
        """After a seek."""
        self.ready.clear()
        self.ended = False
        self._last = self._entry = self._delay = None
        self._deinterlacer = None

    def hurry(self, hurry: bool) -> None:
        """Passes over what no other picture depends on, on the way to an in point."""
        if hurry != self._hurrying and not self._without_pts:
            self._hurrying = hurry
            self._stream.codec_context.skip_frame = "NONREF" if hurry else "DEFAULT"

    def _accept(self, frame: VideoFrame) -> None:
        self._stamp(frame)
        kind = kind_of(frame, Fraction(0))
        if self._deinterlacer is not None and self._deinterlacer.kind != kind:
            self._drain_deinterlacer()
        if self._deinterlacer is None and frame.interlaced_frame:
            self._deinterlacer = Deinterlacer(kind, self.base, self._per_field)
        if self._deinterlacer is None:
            self._add(frame, self.base, frame.duration)
        else:
            self._add_deinterlaced(self._deinterlacer.pictures(frame))

    def _drain_deinterlacer(self) -> None:
        if self._deinterlacer is not None:
            self._add_deinterlaced(self._deinterlacer.pictures(None))
            self._deinterlacer = None

    def _add_deinterlaced(self, frames: list[VideoFrame]) -> None:
        for frame in frames:
            assert frame.time_base is not None
            self._add(frame, frame.time_base, 0)

    def _stamp(self, frame: VideoFrame) -> None:
        """A frame without a time stamp, or with one that does not go on, follows the last at the stream's rate."""
        last = self._last
        # PyAV's stub forgets that a frame may have no time stamp.
        ticks = self._by_decoding(frame) if self._without_pts else cast("int | None", frame.pts)
        if ticks is None or (last is not None and ticks <= last):
            ticks = 0 if last is None else last + self._step
        frame.pts = self._last = ticks
        if self.first is None:
            self.first = ticks

    def _by_decoding(self, frame: VideoFrame) -> int | None:
        """Frames come out of a decoder in order, each a constant number of packets late."""
        if frame.dts is None or self._entry is None:
            return None
        if self._delay is None:
            self._delay = frame.dts - self._entry
        return frame.dts - self._delay

    def _add(self, frame: VideoFrame, base: Fraction, duration: int) -> None:
        assert self.first is not None
        per_field = self._per_field and self._deinterlacer is not None
        rate = 2 * self._rate if per_field else self._rate
        time = grid_time(frame.pts - self.first * round(self.base / base), base, rate)
        length = grid_time(duration, base, rate) if duration > 0 else 1 / rate
        number = time * self._rate
        self.ready.append(
            Shot(
                time,
                time + length,
                int(number + Fraction(1, 8)) if per_field else round(number),
                frame,
                self._sample_aspect(),
            )
        )

    def _sample_aspect(self) -> Fraction:
        """The container's, unless the coded stream changes its own on the way."""
        coded = self._stream.codec_context.sample_aspect_ratio or Fraction(0)
        if coded != self._coded_aspect:
            self._coded_aspect = self._declared_aspect = coded
        return self._declared_aspect
