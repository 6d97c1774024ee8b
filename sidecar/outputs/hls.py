"""HLS below ``<media>/live/<channel>/``: one directory and one playlist an epoch, segments cut at keyframes.

A segment is collected in memory and written when it is whole, so nobody ever reads a half one and a killed process
leaves at most a temporary file. ``index.m3u8`` belongs to the node agent and is never touched here.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from sidecar.outputs.hls_folder import HlsFolder
from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.outputs.playlist import MediaPlaylist, Segment, date_time, target_duration
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import TransportStreamMuxer, begins_with_keyframe
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing

WINDOW = 6
"""Segments a playlist lists."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """The keyframe a segment begins with, in seconds since the run's first frame, and where the pictures before it
    ended. ``follows`` says that this is the same stream, without a gap."""

    start: Fraction
    wall_ns: int
    previous_end: Fraction
    follows: bool


class HlsSink:
    """A ``Sink`` for the directory ``place`` (``.../live/<channel>`` or ``.../live/<channel>/preview``).

    Over reopenings within the epoch the playlist goes on, with a discontinuity.
    """

    kind: OutputKind = "hls"
    fencing: Fencing = "resource"

    def __init__(self, place: Path, epoch: int, segment_length: Fraction) -> None:
        """``segment_length`` in seconds: the distance of keyframes."""
        self._folder = HlsFolder(place, epoch)
        self._target_duration = target_duration(segment_length)
        self._playlist: MediaPlaylist | None = None
        self._muxer: TransportStreamMuxer | None = None
        self._chunks: list[bytes] = []
        self._current: _Opening | None = None
        self._openings: deque[_Opening] = deque()
        self._last: EncodedPacket | None = None
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        self._folder.make()
        self._muxer = TransportStreamMuxer(templates)
        self._current, self._last = None, None
        self._openings.clear()

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if self._muxer is None:
            raise OSError("the output is not open")
        for packet in batch:
            if packet.is_video:
                self._note_picture(packet, after_gap=after_gap)
        self._take(self._muxer.mux(batch))

    def abandon(self) -> None:
        if self._muxer is not None:
            self._muxer.finish()
            self._muxer = None
        self._chunks = []

    def close(self, *, final: bool = True) -> None:
        if self._muxer is None:
            return
        rest, self._muxer = self._muxer.finish(), None
        self._take(rest)
        if self._current is not None and self._last is not None:
            self._publish(self._current, _end(self._last))
        if self._playlist is not None and final:
            self._folder.write_playlist(self._playlist.end())

    def _note_picture(self, packet: EncodedPacket, *, after_gap: bool) -> None:
        if packet.keyframe:
            start = packet.pts * packet.time_base
            follows = self._last is not None and not after_gap
            previous_end = start if follows or self._last is None else _end(self._last)
            self._openings.append(_Opening(start, packet.wall_ns, previous_end, follows))
        self._last = packet

    def _take(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            # The muxer keeps order, so the keyframes come out as they were noted.
            if begins_with_keyframe(chunk) and self._openings:
                opening = self._openings.popleft()
                if self._current is not None:
                    self._publish(self._current, opening.previous_end)
                self._current = opening
            self._chunks.append(chunk)

    def _publish(self, opening: _Opening, end: Fraction) -> None:
        if self._playlist is None:
            # As late as can be: an epoch that is being replaced may have written until now.
            self._playlist = self._folder.previous_playlist(self._target_duration, WINDOW, opening.wall_ns)
        data = b"".join(self._chunks)
        self._chunks = []
        segment = Segment(
            self._folder.uri(self.segments),
            end - opening.start,
            date_time(opening.wall_ns),
            discontinuity=not opening.follows and bool(self._playlist.segments),
        )
        playlist = self._playlist.appended(segment, WINDOW)
        self._folder.write_segment(self.segments, data)
        self._folder.write_playlist(playlist)
        self._playlist = playlist
        self.segments += 1
        self.bytes_sent += len(data)
        self._folder.tidy(playlist)


def _end(packet: EncodedPacket) -> Fraction:
    return (packet.pts + packet.duration) * packet.time_base
