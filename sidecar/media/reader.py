"""Reading an open file from an item's first frame on: shots, and sound on the item's own clock."""

from fractions import Fraction

from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet

from sidecar.media.opening import OpenMedia, Unusable
from sidecar.media.packets import Packets
from sidecar.media.pictures import Pictures, Shot
from sidecar.media.sound import Sound, Track

_SAMPLE_RATE = 48_000

_PREROLL = Fraction(3, 20)
"""Seconds read before an in point, so that overlapping sound frames (AAC, Opus) have settled by then."""

_PREROLL_SECONDS = float(_PREROLL)

_SEEK_BACKS = (_PREROLL, Fraction(3), Fraction(15))
"""Seconds before the in point to seek to, one after the other, until a decodable picture lies before it."""

_WORTH_SEEKING = Fraction(2)
_HURRY_UNTIL = Fraction(1)
"""Nearer than this many seconds to the in point every picture is decoded, even one no other depends on."""


class SeekFailed(Exception):
    """The in point can only be reached by reading up to it."""


class Reader:
    """Reads ``media`` from ``in_point`` seconds after its first frame, the item's zero, passing over ``skip`` seconds.

    Raises ``Unusable`` when there is nothing to give, and ``SeekFailed`` where ``seek`` was asked for in vain; the
    file is then to be opened again.
    """

    def __init__(self, media: OpenMedia, in_point: Fraction, skip: Fraction, *, per_field: bool, seek: bool) -> None:
        self._packets = Packets(media)
        self.in_point = in_point
        self.first: Fraction
        """Seconds, as the file counts, of its first picture, or sound where it has none."""
        self._start = in_point + skip
        self._pictures: Pictures | None = None
        self.sound = Sound(len(media.sound), round(skip * _SAMPLE_RATE))
        # Sound is placed to the sample, for which floating point is exact enough over days of file time.
        self._skip = float(skip)
        self._tracks: dict[int, tuple[AudioStream, Track, float]] = {
            stream.index: (stream, track, float(stream.time_base or 0))
            for stream, track in zip(media.sound, self.sound.tracks, strict=True)
        }
        if media.picture is None:
            self.first = self._first_sound()
            self._zero = float(self.first + in_point)
            return
        assert media.rate is not None
        pictures = self._pictures = Pictures(
            media.picture, media.rate, per_field=per_field, without_pts=media.is_without_pts
        )
        if not self._find_shot(pictures):
            raise Unusable("no picture in it could be decoded")
        assert pictures.first is not None
        self.first = pictures.first * pictures.base
        self._zero = float(self.first + in_point)
        if seek and media.seekable and self._start > _WORTH_SEEKING:
            self._seek(pictures, pictures.first)

    @property
    def error(self) -> FFmpegError | None:
        """Why reading stopped before the file's end."""
        return self._packets.error

    @property
    def pictures_ended(self) -> bool:
        """No shot follows."""
        return self._pictures is None or (self._pictures.ended and not self._pictures.ready)

    def next_shot(self) -> Shot | None:
        """The next one; None at the end, and while sound comes in such a length without pictures that it goes on."""
        pictures = self._pictures
        return pictures.ready.popleft() if pictures is not None and self._find_shot(pictures) else None

    def read_sound(self, until: int) -> None:
        """Decodes sound up to sample ``until`` of the item, or as far as there is any."""
        while self.sound.end < until:
            while not self._packets.sound:
                if self._packets.crowded or not self._packets.read():
                    return
            self._decode_sound(*self._packets.take(self._packets.sound))

    def _find_shot(self, pictures: Pictures) -> bool:
        while not pictures.ready:
            if pictures.ended:
                return False
            while not self._packets.picture:
                if self._packets.crowded or not self._packets.read():
                    return False
            packet = self._packets.take(self._packets.picture)[1]
            if packet is not None and packet.pts is not None and pictures.first is not None:
                time = (packet.pts - pictures.first) * pictures.base
                pictures.hurry(time < self._start - _HURRY_UNTIL)
            pictures.decode(packet)
        return True

    def _seek(self, pictures: Pictures, first: int) -> None:
        for back in _SEEK_BACKS:
            ticks = first + int((self._start - back) / pictures.base)
            try:
                self._packets.seek(max(first, ticks))
            except FFmpegError as error:
                raise SeekFailed from error
            pictures.restart()
            if self._find_shot(pictures) and pictures.ready[0].time <= self._start:
                return
        raise SeekFailed

    def _first_sound(self) -> Fraction:
        while not self._packets.sound:
            if not self._packets.read():
                raise Unusable("no sound in it could be decoded")
        packet = self._packets.sound[0][1]
        return Fraction(0) if packet is None or packet.pts is None else packet.pts * packet.time_base

    def _decode_sound(self, index: int, packet: Packet | None) -> None:
        stream, track, base = self._tracks[index]
        zero = self._zero
        if packet is not None and packet.pts is not None:
            ends = (packet.pts + (packet.duration or 0)) * base
            if ends < zero + self._skip - _PREROLL_SECONDS:
                return
        try:
            frames = stream.codec_context.decode(packet)
        except (FFmpegError, EOFError):
            frames = []
        for frame in frames:
            track.feed(frame, None if frame.pts is None else (frame.pts * base - zero) * _SAMPLE_RATE)
        if packet is None:
            track.finish(round((self._packets.picture_end - zero) * _SAMPLE_RATE))
