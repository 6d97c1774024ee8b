"""MPEG-TS from encoded packets: one continuous libavformat muxer, its bytes handed out packet by packet."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import Final, TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import Encoding, TransportStream

AnyStream = TypeVar("AnyStream", VideoStream, AudioStream)

TS_PACKET = 188
CLOCK = 90_000  # ticks a second of MPEG timestamps
_WALL_RANGE = 1 << 32
"""Timestamps begin at the wall clock, modulo 13 hours: the next epoch then goes on above this one, which spares
receivers a step back in time, and no run meets the 33-bit wrap in its first 13 hours."""
_VIDEO_PID = TransportStream().video_pid
_SYNC = 0x47
_CLOCK_EVERY: Final = Fraction(40, 1000)
"""Seconds from one clock reference to the next at most: what DVB asks for (TR 101 290, 2.3.2)."""
_SHORTEST_DELAY_MS = 300
_DELAY_MARGIN_MS = 100


DEFAULT_TRANSPORT: Final = TransportStream()


class LaterChunk(bytes):
    """A clock reference between two pictures: ``after_s`` seconds after the picture that came before it."""

    after_s: float = 0.0


def overhead_rate(frames_a_second: Fraction) -> int:
    """Bits a second that packet headers, tables, clock and stuffing take at most, beside a twentieth of what they
    carry: tables come before every picture, and a picture's and a sound's last packet is filled up."""
    return ceil((frames_a_second * 5 + 47 + 60) * TS_PACKET * 8)


def least_mux_rate(encoding: Encoding, frames_a_second: Fraction) -> int:
    """The lowest constant rate that carries ``encoding`` at any time, in bits a second."""
    carried = encoding.video_bit_rate + encoding.audio_bit_rate
    return carried + carried // 20 + overhead_rate(frames_a_second)


def decoder_delay_ms(transport: TransportStream, encoding: Encoding, frames_a_second: Fraction) -> int:
    """How long a receiver must wait before it decodes: at a constant rate, until the largest picture that the
    encoder's buffer of one second allows has come through."""
    if not transport.mux_rate:
        return _SHORTEST_DELAY_MS
    free = transport.mux_rate - encoding.audio_bit_rate - overhead_rate(frames_a_second)
    through_ms = ceil(Fraction(encoding.video_bit_rate * 1000 * 21, max(1, free) * 20))
    return max(_SHORTEST_DELAY_MS, min(through_ms, 2000) + _DELAY_MARGIN_MS)


def check_transport(transport: TransportStream) -> None:
    """Raises ValueError for what no muxer can make of one stream."""
    pids = (transport.pmt_pid, transport.video_pid, transport.audio_pid)
    if len(set(pids)) < len(pids):
        raise ValueError("two of pmt_pid, video_pid and audio_pid are the same")


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

    def __init__(
        self,
        templates: StreamTemplates,
        decoder_delay_ms: int = _SHORTEST_DELAY_MS,
        transport: TransportStream = DEFAULT_TRANSPORT,
    ) -> None:
        self._frame_time = 1 / Fraction(templates.video.base_rate or 25)
        self._transport = transport
        self._counter = 0  # of the picture's last packet
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
                "mpegts_transport_stream_id": str(transport.transport_stream_id),
                "mpegts_original_network_id": str(transport.original_network_id),
                "mpegts_service_id": str(transport.service_id),
                "mpegts_pmt_start_pid": str(transport.pmt_pid),
                "pat_period": "0.08",
                "muxrate": str(transport.mux_rate or 1),  # 1 is libavformat's word for none
            },
            buffer_size=TS_PACKET * 1024,
        )
        self._container.metadata["service_name"] = transport.service_name or "MCR Console"
        self._container.metadata["service_provider"] = transport.provider
        self._video = _added(self._container, templates.video, transport.video_pid)
        self._audio = _added(self._container, templates.audio, transport.audio_pid)

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
        chunks = self._written.take()
        # At a constant rate libavformat keeps the clock itself; else it writes one with each picture and no more.
        if self._frame_time > _CLOCK_EVERY and not self._transport.mux_rate:
            return self._clocked(chunks)
        return chunks

    def finish(self) -> list[bytes]:
        """What was kept back. The muxer is of no use afterwards; may be repeated."""
        self._container.close()
        return self._written.take()

    def __del__(self) -> None:
        # PyAV's containers are reference cycles, and its own destructor, run by the garbage collector, would have
        # libavformat write its end through an object that is already cleared: a crash.
        self.finish()

    def _clocked(self, chunks: list[bytes]) -> list[bytes]:
        """With the clock references between each picture and the next. Two pictures may come at once, when sound kept
        the first one back; then it is too late to wait between them."""
        pid, parts = self._transport.video_pid, ceil(self._frame_time / _CLOCK_EVERY)
        clocked: list[bytes] = []
        ticks: int | None = None
        for chunk in chunks:
            found = _clock_of(chunk, pid)
            if found is not None and ticks is not None:
                clocked += [bytes(one) for one in self._between(ticks, parts)]
            ticks = ticks if found is None else found
            clocked.append(chunk)
            self._counter = _last_counter(chunk, pid, self._counter)
        return clocked if ticks is None else [*clocked, *self._between(ticks, parts)]

    def _between(self, ticks: int, parts: int) -> list[LaterChunk]:
        steps = [self._frame_time * part / parts for part in range(1, parts)]
        pid = self._transport.video_pid
        return [_clock_packet(pid, self._counter, ticks + int(step * CLOCK) * 300, float(step)) for step in steps]

    def _coded(self, packet: EncodedPacket, base: int) -> Packet:
        coded = Packet(packet.data)
        ticks = base + _ticks(packet.pts, packet.time_base)
        coded.pts = coded.dts = ticks
        coded.duration = _ticks(packet.duration, packet.time_base)
        coded.time_base = Fraction(1, CLOCK)
        coded.is_keyframe = packet.keyframe
        coded.stream = self._video if packet.is_video else self._audio
        return coded


def _clock_of(chunk: bytes, pid: int) -> int | None:
    """The first clock reference of ``pid`` in whole packets, in ticks of 27 MHz."""
    for at in range(0, len(chunk), TS_PACKET):
        mine = (chunk[at + 1] & 0x1F) << 8 | chunk[at + 2] == pid
        if mine and chunk[at + 3] & 0x20 and chunk[at + 4] and chunk[at + 5] & 0x10:
            return (int.from_bytes(chunk[at + 6 : at + 10], "big") << 1 | chunk[at + 10] >> 7) * 300
    return None


def _last_counter(chunk: bytes, pid: int, before: int) -> int:
    for at in range(len(chunk) - TS_PACKET, -1, -TS_PACKET):
        if (chunk[at + 1] & 0x1F) << 8 | chunk[at + 2] == pid:
            return chunk[at + 3] & 0x0F
    return before


def _clock_packet(pid: int, counter: int, ticks: int, after_s: float) -> LaterChunk:
    """A packet of adaptation field alone, which does not count (ISO/IEC 13818-1, 2.4.3.3)."""
    base, extension = divmod(ticks % ((1 << 33) * 300), 300)
    clock = (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big")
    head = bytes([_SYNC, pid >> 8, pid & 0xFF, 0x20 | counter, TS_PACKET - 5, 0x10])
    chunk = LaterChunk((head + clock).ljust(TS_PACKET, b"\xff"))
    chunk.after_s = after_s
    return chunk


def _added(container: OutputContainer, template: AnyStream, pid: int) -> AnyStream:
    # PyAV leaves the method's further keywords untyped.
    add = cast("Callable[..., AnyStream]", container.add_stream_from_template)  # pyright: ignore[reportUnknownMemberType]
    stream = add(template, opaque=True)
    stream.id = pid
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
