"""MPEG-TS from encoded packets: one continuous libavformat muxer, its bytes handed out packet by packet."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.outputs.templates import StreamTemplates

AnyStream = TypeVar("AnyStream", VideoStream, AudioStream)

TS_PACKET = 188
CLOCK = 90_000  # ticks a second of MPEG timestamps
_WALL_RANGE = 1 << 32
"""Timestamps begin at the wall clock, modulo 13 hours: the next epoch then goes on above this one, which spares
receivers a step back in time, and no run meets the 33-bit wrap in its first 13 hours."""
_VIDEO_PID = 256  # libavformat gives the first stream the first elementary PID
_SYNC = 0x47


class _Written:
    """What libavformat has finished: one call for each packet, or more often for large ones.

    An object of its own, so that the muxer is part of no reference cycle.
    """

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        return len(data)

    def take(self) -> list[bytes]:
        chunks, self._chunks = self._chunks, []
        return chunks


class TransportStreamMuxer:
    """A whole stream, finished by ``finish`` or, if that is forgotten, when the object goes away.

    Continuity counters and timestamps run on for the life of the object; timestamps wrap at 33 bits as they must.

    ``decoder_delay_ms`` is how far timestamps run ahead of the program clock reference: a receiver's buffer time.
    """

    def __init__(self, templates: StreamTemplates, decoder_delay_ms: int = 300) -> None:
        self._written = _Written()
        self._base: int | None = None
        self._container: OutputContainer = av.open(
            self._written,
            "w",
            format="mpegts",
            options={
                # Tables before every picture, so that a segment can begin at any keyframe; the first packet of each
                # stream says that counters begin anew, which is what a demuxer needs at a change of epoch.
                "mpegts_flags": "pat_pmt_at_frames+initial_discontinuity",
                "pes_payload_size": "0",  # no sound is held back over a cut
                "flush_packets": "1",
                "avoid_negative_ts": "disabled",
                "max_delay": str(decoder_delay_ms * 1000),
            },
            buffer_size=TS_PACKET * 1024,
        )
        self._video = _added(self._container, templates.video)
        self._audio = _added(self._container, templates.audio)

    def mux(self, batch: Batch) -> list[bytes]:
        """The bytes that are ready after ``batch``: whole TS packets; a keyframe always begins a chunk.

        libavformat sorts by time and so keeps back up to one packet of each stream.
        """
        if not batch:
            return []
        if self._base is None:
            self._base = _base(batch[0])
        for packet in batch:
            self._container.mux_one(self._coded(packet, self._base))
        return self._written.take()

    def finish(self) -> list[bytes]:
        """What was kept back. The muxer is of no use afterwards; may be repeated."""
        self._container.close()
        return self._written.take()

    def __del__(self) -> None:
        # PyAV's containers are reference cycles, and its own destructor, run by the garbage collector, would have
        # libavformat write its end through an object that is already cleared: a crash.
        self.finish()

    def _coded(self, packet: EncodedPacket, base: int) -> Packet:
        coded = Packet(packet.data)
        ticks = base + _ticks(packet.pts, packet.time_base)
        coded.pts = coded.dts = ticks
        coded.duration = _ticks(packet.duration, packet.time_base)
        coded.time_base = Fraction(1, CLOCK)
        coded.is_keyframe = packet.keyframe
        coded.stream = self._video if packet.is_video else self._audio
        return coded


def _added(container: OutputContainer, template: AnyStream) -> AnyStream:
    # PyAV leaves the method's further keywords untyped.
    add = cast("Callable[..., AnyStream]", container.add_stream_from_template)  # pyright: ignore[reportUnknownMemberType]
    stream = add(template, opaque=True)
    stream.codec_context.thread_count = 1  # PyAV opens a decoder with every stream; it will never decode
    return stream


def _ticks(count: int, time_base: Fraction) -> int:
    return count * CLOCK * time_base.numerator // time_base.denominator


def _base(first: EncodedPacket) -> int:
    """What is added to every timestamp: at least a second, so that the encoder's priming sound is not below zero."""
    wall = first.wall_ns * CLOCK // 1_000_000_000 % _WALL_RANGE
    return CLOCK + (wall - _ticks(first.pts, first.time_base)) % _WALL_RANGE


def begins_with_keyframe(chunk: bytes) -> bool:
    """Whether a decoder can start at ``chunk``: tables, then a picture with the random access indicator."""
    for at in range(0, min(len(chunk), 6 * TS_PACKET), TS_PACKET):
        if chunk[at] != _SYNC:
            return False
        first, second, control = chunk[at + 1], chunk[at + 2], chunk[at + 3]
        if (first & 0x1F) << 8 | second == _VIDEO_PID:
            starts_unit, has_adaptation = first & 0x40, control & 0x20
            return bool(starts_unit and has_adaptation and chunk[at + 4] and chunk[at + 5] & 0x40)
    return False
