"""The reader of transport streams must find what is planted before it may say that a headend takes a stream."""

from collections.abc import Callable
from functools import cache

import pytest

from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import TransportStream
from tests.fixtures.air import ENCODING, FORMAT, encoded
from tests.instruments.transport_stream import NULL_PID, PACKET, Taken, take_apart

RATE = 1_500_000
VIDEO = 0x100


@cache
def stream() -> tuple[bytes, ...]:
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING), 600, TransportStream(mux_rate=RATE))
    data = b"".join(chunk for batch in encoded(range(50)) for chunk in muxer.mux(batch))
    return tuple(data[at : at + PACKET] for at in range(0, len(data), PACKET))


def pid_of(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def has_clock(packet: bytes) -> bool:
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x10)


def taken(packets: list[bytes]) -> Taken:
    return take_apart(b"".join(packets))


def all_faults(found: Taken) -> list[str]:
    late = [f"runs dry by {-lead} ms" for lead in found.leads_ms() if lead < 0]
    gaps = [f"clock {gap} ms apart" for gap in found.clock_gaps_ms() if gap > 40]
    return found.faults + found.rate_faults(RATE) + found.open_groups(VIDEO) + late + gaps


def test_a_sound_stream_has_no_fault() -> None:
    found = taken(list(stream()))
    assert all_faults(found) == []
    assert found.nulls > 100
    assert found.services == {1: ("MCR Console", "MCR Console")}
    assert (found.pcr_pid, found.streams) == (VIDEO, {VIDEO: 0x1B, 0x101: 0x0F})


def _without(which: Callable[[bytes], bool], every: int = 1) -> list[bytes]:
    count, kept = 0, list[bytes]()
    for packet in stream():
        if which(packet):
            count += 1
            if count % every == 0:
                continue
        kept.append(packet)
    return kept


def _clock_moved(ticks: int) -> list[bytes]:
    packets = list(stream())
    at = [number for number, packet in enumerate(packets) if has_clock(packet)][20]
    changed = bytearray(packets[at])
    extension = ((changed[10] & 1) << 8 | changed[11]) + ticks
    changed[10], changed[11] = changed[10] & 0xFE | extension >> 8 & 1, extension & 0xFF
    packets[at] = bytes(changed)
    return packets


def _clock_cleared() -> list[bytes]:
    """Every second clock reference is taken out, its packet stays."""
    packets: list[bytes] = []
    count = 0
    for packet in stream():
        if has_clock(packet):
            count += 1
            if count % 4:
                changed = bytearray(packet)
                changed[5] &= 0xEF
                packets.append(bytes(changed))
                continue
        packets.append(packet)
    return packets


def _no_idr() -> list[bytes]:
    return [packet.replace(b"\x00\x00\x01\x65", b"\x00\x00\x01\x61") for packet in stream()]


def _late_unit() -> list[bytes]:
    """A second of stuffing in the middle, with no clock moved: what follows comes too late."""
    packets = list(stream())
    stuffing = [bytes([0x47, NULL_PID >> 8, NULL_PID & 0xFF, 0x10]).ljust(PACKET, b"\xff")]
    middle = len(packets) // 2
    return packets[:middle] + stuffing * 1000 + packets[middle:]


def _table_broken() -> list[bytes]:
    packets = list(stream())
    at = [number for number, packet in enumerate(packets) if pid_of(packet) == 0][3]
    changed = bytearray(packets[at])
    changed[12] ^= 0xFF
    packets[at] = bytes(changed)
    return packets


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (lambda: _without(lambda packet: pid_of(packet) == VIDEO, 40), "continuity counter"),
        (lambda: _without(lambda packet: pid_of(packet) == NULL_PID, 50), "ns off"),
        (lambda: _clock_moved(100), "ns off"),
        (_clock_cleared, "ms apart"),
        (_no_idr, "no IDR"),
        (_late_unit, "ns off"),
        (_table_broken, "fails its check"),
    ],
    ids=["lost packet", "lost null packets", "clock jitter", "sparse clock", "open group", "pause", "broken table"],
)
def test_what_is_planted_is_found(plant: Callable[[], list[bytes]], named: str) -> None:
    assert any(named in fault for fault in all_faults(taken(plant())))


def test_a_stream_that_runs_dry_and_one_of_other_pids_are_told() -> None:
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING), 0, TransportStream(mux_rate=RATE, video_pid=0x31))
    found = take_apart(b"".join(chunk for batch in encoded(range(50)) for chunk in muxer.mux(batch)))
    assert min(found.leads_ms()) < 0
    assert found.pcr_pid == 0x31
