"""What the demuxer gives: one bounded queue of packets for pictures and one for sound."""

from collections import deque
from collections.abc import Iterator

from av.error import FFmpegError
from av.packet import Packet

from sidecar.media.opening import OpenMedia
from sidecar.media.timing import Continuity

_QUEUED_BYTES = 32 << 20
_QUEUED_PACKETS = 4_096
"""How far one kind of packet is read ahead to find one of the other kind in a badly interleaved file."""

Queued = tuple[int, Packet | None]
"""A stream's index and a packet of it; None asks its decoder for the rest."""


class Packets:
    """Packets with continuous time stamps, read only when a queue is empty."""

    def __init__(self, media: OpenMedia) -> None:
        self.picture: deque[Queued] = deque()
        self.sound: deque[Queued] = deque()
        self.error: FFmpegError | None = None
        self._media = media
        self._queued = 0
        # A jump that long is normal between the pictures of a slide show, but not in a broadcast recording.
        discontinuous = media.container.format.name in ("mpegts", "mpeg", "flv")
        self._continuity = Continuity(forward=10.0 if discontinuous else 600.0)
        self._bases: dict[int, float] = {}
        self._demuxed = self._demux()
        self.picture_end = 0.0
        """Seconds, as the file counts, at which the last picture read so far ends."""

    def read(self) -> bool:
        """Queues one packet more; False at the end, be it the file's or that of its readable part (``error``)."""
        try:
            packet = next(self._demuxed, None)
        except FFmpegError as error:
            self.error = error
            self._flush()
            return True
        if packet is None:
            return False
        if packet.size:
            self._make_continuous(packet)
            self._queued += packet.size
            self._queue(packet.stream_index).append((packet.stream_index, packet))
        else:
            index = packet.stream.index
            self._queue(index).append((index, None))
        return True

    def take(self, queue: deque[Queued]) -> Queued:
        """The oldest of ``picture`` or ``sound``."""
        index, packet = queue.popleft()
        if packet is not None:
            self._queued -= packet.size
        return index, packet

    @property
    def crowded(self) -> bool:
        """So much is queued already that no more is read in search of the other kind."""
        return self._queued > _QUEUED_BYTES or len(self.picture) + len(self.sound) > _QUEUED_PACKETS

    def seek(self, ticks: int) -> None:
        """Goes on at the key frame at or before ``ticks`` of the picture's time base. Raises ``FFmpegError``."""
        self.picture.clear()
        self.sound.clear()
        self._queued = 0
        self._continuity.reset()
        self._media.container.seek(ticks, stream=self._media.picture)
        self._demuxed = self._demux()

    def _demux(self) -> Iterator[Packet]:
        media = self._media
        return media.container.demux((*media.sound, media.picture) if media.picture else media.sound)

    def _queue(self, stream: int) -> deque[Queued]:
        picture = self._media.picture
        return self.picture if picture is not None and stream == picture.index else self.sound

    def _flush(self) -> None:
        """What PyAV does itself at a proper end."""
        self._demuxed = iter(())
        if self._media.picture is not None:
            self.picture.append((self._media.picture.index, None))
        self.sound.extend((stream.index, None) for stream in self._media.sound)

    def _make_continuous(self, packet: Packet) -> None:
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            return
        base = self._bases.get(packet.stream_index)
        if base is None:
            base = self._bases[packet.stream_index] = float(packet.time_base)
        length = (packet.duration or 0) * base
        offset = self._continuity.offset(packet.stream_index, stamp * base, length)
        if offset:
            ticks = round(offset / base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        if self._media.picture is not None and packet.stream_index == self._media.picture.index:
            shown = packet.pts if packet.pts is not None else stamp
            self.picture_end = max(self.picture_end, shown * base + length)
