"""What an input is made of, for whoever copies it into a file."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

MOST_SOUND: Final = 16


@dataclass(frozen=True, slots=True)
class InputMedia:
    """One connection's streams. ``rate`` is that of its pictures. ``container`` keeps them alive and is whoever's that
    opened it."""

    container: InputContainer
    picture: VideoStream
    sound: tuple[AudioStream, ...]
    rate: Fraction

    @property
    def streams(self) -> tuple[VideoStream | AudioStream, ...]:
        return (self.picture, *self.sound)

    @property
    def format(self) -> tuple[object, ...]:
        """Equal for two connections that one file can hold."""
        video = self.picture.codec_context
        sound = ((it.codec_context.name, it.codec_context.sample_rate, it.codec_context.extradata) for it in self.sound)
        return (video.name, video.width, video.height, video.extradata, self.rate, *sound)


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded picture or piece of sound of stream ``index``, 0 for pictures; times in seconds of its own clock."""

    index: int
    packet: Packet
    dts: Fraction
    pts: Fraction
    keyframe: bool

    @property
    def is_picture(self) -> bool:
        return self.index == 0


def coded(packet: Packet, index: int) -> Coded | None:
    """None for what has no time: the end of a stream."""
    base = packet.time_base
    if packet.dts is None:
        return None
    dts = packet.dts * base
    pts = dts if packet.pts is None else packet.pts * base
    return Coded(index, packet, dts, pts, packet.is_keyframe)
