"""From a live input's packets to channel frames: each its picture and exactly the sound that belongs to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from sidecar.media.interface import Samples
from sidecar.media.opening import OpenMedia
from sidecar.media.picture import Conform
from sidecar.media.pictures import Pictures, Shot
from sidecar.media.sound import FADE, Sound, Track
from sidecar.media.timing import Continuity, SampleAndHold
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.rate import parse_rate, samples_before

_GAP_S = 1.0
_BACK_S = 0.5
"""Time stamps that jump further than this, ahead or back, go on where they were: what was lost takes no time."""

_SOUND_LAG = Fraction(3, 2)
_WAITING_BYTES = 96 << 20
_WAITING_AT_LEAST = 4
"""Pictures wait for their sound, which multiplexers send later by up to a second, but not longer and not more."""

_PACKETS_TO_A_KEY = 300


@dataclass(frozen=True, slots=True)
class LiveMoment:
    """One channel frame of the input. ``number`` counts the input's own pictures since it was connected."""

    picture: VideoFrame
    sound: Samples
    number: int


class LiveTimeline:
    """One connection's stream, on its own clock. ``picture`` in ``media`` is not None.

    A channel frame comes out as soon as it is decided what it shows. Pictures that are missing in the stream are stood
    in for by the one before, sound by silence, so that the two stay together.
    """

    def __init__(self, media: OpenMedia, channel: ChannelFormat) -> None:
        assert media.picture is not None
        assert media.rate is not None
        self._channel = channel
        self._rate = parse_rate(channel.rate)
        self._picture = media.picture
        self._pictures = Pictures(
            media.picture, media.rate, per_field=self._rate * 2 > media.rate * 3, without_pts=False
        )
        self._continuity = Continuity(backward=_BACK_S, forward=_GAP_S)
        self._conform = Conform(channel)
        self._hold: SampleAndHold[Shot] = SampleAndHold(self._rate, 0)
        self._sound = Sound(len(media.sound), 0)
        self._tracks: dict[int, tuple[AudioStream, Track, Fraction]] = {
            stream.index: (stream, track, stream.time_base or Fraction(1, channel.sample_rate))
            for stream, track in zip(media.sound, self._sound.tracks, strict=True)
        }
        self._has_key = False
        self._before_key = 0
        self._newest = Fraction(0)  # channel frames up to the newest picture
        self._sound_comes = bool(media.sound)
        self._shown: tuple[Shot, VideoFrame] | None = None
        waiting = max(_WAITING_AT_LEAST, _WAITING_BYTES // (channel.width * channel.height * 3 // 2))
        self._most_waiting = min(Fraction(waiting), _SOUND_LAG * self._rate)

    def feed(self, packet: Packet) -> Iterator[LiveMoment]:
        """The channel frames that ``packet`` decides."""
        if packet.size:
            self._make_continuous(packet)
            if packet.stream_index == self._picture.index:
                self._feed_picture(packet)
            elif packet.stream_index in self._tracks:
                self._feed_sound(packet)
        while self._hold.decided and self._sound_is_there():
            yield self._next()

    def _feed_picture(self, packet: Packet) -> None:
        if not self._has_key:
            self._before_key += 1
            if not packet.is_keyframe and self._before_key < _PACKETS_TO_A_KEY:
                return
            self._has_key = True
        self._pictures.decode(packet)
        while self._pictures.ready:
            shot = self._pictures.ready.popleft()
            self._hold.offer(shot.time, shot.until, shot)
            self._newest = shot.time * self._rate

    def _feed_sound(self, packet: Packet) -> None:
        stream, track, base = self._tracks[packet.stream_index]
        zero = self._pictures.first
        if zero is None:
            return
        try:
            frames = stream.codec_context.decode(packet)
        except (FFmpegError, EOFError):
            return
        rate = self._channel.sample_rate
        for frame in frames:
            time = None if frame.pts is None else float(frame.pts * base - zero * self._pictures.base)
            if time is None or time > -1:
                track.feed(frame, None if time is None else time * rate)

    def _sound_is_there(self) -> bool:
        """Whether the next frame need not wait for its sound, or waits for it no longer."""
        is_there = self._sound.end >= samples_before(self._hold.index + 1, self._rate, self._channel.sample_rate) + FADE
        if is_there:
            self._sound_comes = bool(self._tracks)
        elif self._sound_comes and self._newest - self._hold.index > self._most_waiting:
            self._sound_comes = False
        return is_there or not self._sound_comes

    def _next(self) -> LiveMoment:
        index = self._hold.index
        shot = self._hold.next()
        assert shot is not None
        if self._shown is None or self._shown[0] is not shot:
            self._shown = shot, self._conform.picture(shot.frame, shot.sample_aspect)
        until = samples_before(index + 1, self._rate, self._channel.sample_rate)
        return LiveMoment(self._shown[1], self._sound.take(until), shot.number)

    def _make_continuous(self, packet: Packet) -> None:
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            return
        base = float(packet.time_base)
        length = (packet.duration or 0) * base
        offset = self._continuity.offset(packet.stream_index, stamp * base, length)
        if offset:
            ticks = round(offset / base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
