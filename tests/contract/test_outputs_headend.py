"""Transport streams as a headend wants them, by an instrument that takes them apart packet by packet."""

import socket
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.engine.pacing import NS
from sidecar.outputs.interface import Sink
from sidecar.outputs.pacing import Pacer
from sidecar.outputs.packet import Batch
from sidecar.outputs.programme_stream import stream_of
from sidecar.outputs.sinks import make_sink
from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import LaterChunk, TransportStreamMuxer, least_mux_rate
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import UdpAddress
from sidecar.protocol.channel import ChannelFormat, Encoding, Output, Playlist, SidecarDocument, TransportStream
from sidecar.rundown.rate import parse_rate, samples_before
from tests.fixtures.air import ENCODING, FORMAT, WALL_NS, encoded, wait_until
from tests.instruments.transport_stream import Taken, take_apart
from tests.instruments.udp_receiver import UdpReceiver

_IP_RECVTTL = 12  # of <linux/in.h>
HEADEND = TransportStream(
    service_id=1201, service_name="Käse TV", provider="Sender Süd", transport_stream_id=77, original_network_id=0x2114,
    pmt_pid=0x64, video_pid=0x65, audio_pid=0x66,
)  # fmt: skip


def document(channel: ChannelFormat = FORMAT, encoding: Encoding = ENCODING) -> SidecarDocument:
    return SidecarDocument("c", "Channel One", channel, (), Playlist(0), encoding)


def muxed(
    output: Output, batches: list[Batch], channel: ChannelFormat = FORMAT, encoding: Encoding = ENCODING
) -> Taken:
    muxer = stream_of(output, document(channel, encoding)).muxer(make_templates(channel, encoding))
    return take_apart(b"".join(chunk for batch in batches for chunk in muxer.mux(batch)))


def noisy(frames: int, channel: ChannelFormat, encoding: Encoding) -> list[Batch]:
    """What asks the most of a constant rate: quiet for a second, then noise that changes with every picture."""
    random = np.random.default_rng(7)
    rate = parse_rate(channel.rate)
    pictures, sounds = PictureEncoder(channel, encoding, threads=1), SoundEncoder(channel, encoding)
    batches: list[Batch] = []
    for frame in range(frames):
        grey = np.full((channel.height * 3 // 2, channel.width), 128, np.uint8)
        if frame // 30 % 2:
            grey = random.integers(16, 235, grey.shape, np.uint8)
        picture = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        samples = samples_before(frame + 1, rate, 48_000) - samples_before(frame, rate, 48_000)
        packets = pictures.encode(frame, picture, WALL_NS + frame * NS // rate)
        packets += sounds.encode(random.normal(0, 0.2, (2, samples)).astype(np.float32))
        batches.append(tuple(packets))
    return batches


def test_service_and_pids_are_those_that_were_asked_for() -> None:
    found = muxed(Output("o", "udp", "udp://127.0.0.1:9", transport=HEADEND), encoded(range(60)))
    assert found.faults == []
    assert found.programmes == {1201: 0x64}
    assert found.services == {1201: ("Sender Süd", "Käse TV")}
    assert (found.transport_stream_id, found.original_network_id) == (77, 0x2114)
    assert (found.pcr_pid, found.streams) == (0x65, {0x65: 0x1B, 0x66: 0x0F})
    assert found.unlisted == set()
    assert found.open_groups(0x65) == []
    assert len(found.sdts) >= 4, "a service is named twice a second"


def test_without_a_name_the_service_is_the_channel() -> None:
    found = muxed(Output("o", "udp", "udp://127.0.0.1:9"), encoded(range(20)))
    assert found.services == {1: ("MCR Console", "Channel One")}


@pytest.mark.parametrize("rate", ["25", "24", "24000/1001", "30000/1001", "60000/1001", "10", "50"])
@pytest.mark.parametrize("mux_rate", [0, 2_500_000])
def test_clock_references_are_at_most_40_ms_apart(rate: str, mux_rate: int) -> None:
    channel = ChannelFormat(320, 180, rate)
    output = Output("o", "udp", "udp://127.0.0.1:9", transport=TransportStream(mux_rate=mux_rate))
    found = muxed(output, encoded(range(60), channel), channel)
    assert found.faults == []
    assert len(found.clocks) >= 50
    assert max(found.clock_gaps_ms()) <= 40
    assert min(found.leads_ms()) > 0


@pytest.mark.parametrize("rate", ["25", "24000/1001", "50"])
def test_a_constant_rate_is_held_by_the_packet_and_nothing_comes_late(rate: str) -> None:
    """At the lowest rate that is taken for this encode, with the hardest pictures there are."""
    channel = ChannelFormat(320, 180, rate)
    mux_rate = least_mux_rate(ENCODING, parse_rate(rate))
    output = Output("o", "udp", "udp://127.0.0.1:9", transport=TransportStream(mux_rate=mux_rate))
    found = muxed(output, noisy(240, channel, ENCODING), channel)
    assert found.faults == []
    assert found.rate_faults(mux_rate) == []
    assert found.nulls > 0
    assert min(found.leads_ms()) > 0
    assert max(found.leads_ms()) < 2200
    assert max(found.clock_gaps_ms()) <= 40
    assert max(found.table_gaps_ms(found.pats, mux_rate)) <= 100
    assert max(found.table_gaps_ms(found.pmts, mux_rate)) <= 100
    assert max(found.table_gaps_ms(found.sdts, mux_rate)) <= 1100
    assert found.open_groups(0x100) == []


@pytest.mark.parametrize(
    ("transport", "why"),
    [
        (TransportStream(mux_rate=900_000), "mux_rate 900000 is too low for this encode, which needs"),
        (TransportStream(video_pid=0x101), "two of pmt_pid, video_pid and audio_pid are the same"),
    ],
)
def test_what_no_muxer_can_make_is_an_output_that_is_down_and_says_why(transport: TransportStream, why: str) -> None:
    output = Output("o", "udp", "udp://127.0.0.1:9", transport=transport)
    sink: Sink = make_sink(output, live=None, epoch=1, segment_length=Fraction(1), document=document())  # type: ignore[arg-type] - not used
    with pytest.raises(OSError, match=why):
        sink.open(make_templates(FORMAT, ENCODING))


class Steps:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sent: list[tuple[float, int]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, datagram: bytes) -> None:
        self.sent.append((self.now, len(datagram)))


def test_datagrams_of_a_constant_rate_leave_at_their_instant() -> None:
    steps = Steps()
    pacer = Pacer(steps.send, 4_000_000, monotonic=lambda: steps.now, sleep=steps.sleep)
    for frame in range(50):
        steps.now = max(steps.now, 100 + frame / 25)
        pacer.write([bytes(20_000)])
    first = steps.sent[0][0]
    late = [at - first - number * 1316 * 8 / 4_000_000 for number, (at, _) in enumerate(steps.sent)]
    assert max(late) <= 0.0001
    assert min(late) >= -0.0021, "a few together, every 2 ms"
    assert sum(size for _, size in steps.sent) > 49 * 20_000


def test_after_a_standstill_nothing_is_hurried() -> None:
    steps = Steps()
    pacer = Pacer(steps.send, 4_000_000, monotonic=lambda: steps.now, sleep=steps.sleep)
    pacer.write([bytes(20_000)])
    steps.now += 3
    before = len(steps.sent)
    pacer.write([bytes(20_000)])
    times = [at for at, _ in steps.sent[before:]]
    assert times[-1] - times[0] > 0.03


def test_a_clock_between_two_pictures_leaves_between_them() -> None:
    channel = ChannelFormat(320, 180, "24")
    muxer = TransportStreamMuxer(make_templates(channel, ENCODING))
    steps = Steps()
    pacer = Pacer(steps.send, monotonic=lambda: steps.now, sleep=steps.sleep)
    clocks = 0
    for frame, batch in enumerate(encoded(range(10), channel)):
        steps.now = max(steps.now, 100 + frame / 24)
        chunks = muxer.mux(batch)
        pacer.write(chunks)
        if any(isinstance(chunk, LaterChunk) for chunk in chunks):
            clocks += 1
            assert steps.sent[-1][0] == pytest.approx(100 + frame / 24 + 1 / 48, abs=1e-6)
            assert steps.sent[-1][1] == 188
    assert clocks >= 8


def test_a_udp_output_leaves_by_its_interface_with_its_ttl() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        receiver.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
        sink = UdpSink(UdpAddress("127.0.0.1", receiver.getsockname()[1], ttl=9, local="127.0.0.3"))
        sink.open(make_templates(FORMAT, ENCODING))
        for batch in encoded(range(5)):
            sink.write(batch, after_gap=False)
        sink.close()
        _, ancillary, _, sender = receiver.recvmsg(2048, 64)
    assert sender[0] == "127.0.0.3"
    assert [struct.unpack("i", value)[0] for _, kind, value in ancillary if kind == socket.IP_TTL] == [9]


def test_multicast_goes_out_of_the_named_interface() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("239.77.1.2", 0))
        receiver.settimeout(5)
        group = socket.inet_aton("239.77.1.2") + socket.inet_aton("127.0.0.1")
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        sink = UdpSink(UdpAddress("239.77.1.2", receiver.getsockname()[1], ttl=1, local="127.0.0.1"))
        sink.open(make_templates(FORMAT, ENCODING))
        for batch in encoded(range(5)):
            sink.write(batch, after_gap=False)
        sink.close()
        data, sender = receiver.recvfrom(2048)
    assert (data[0], sender[0]) == (0x47, "127.0.0.1")


def test_what_a_receiver_gets_is_what_was_made_at_that_rate() -> None:
    """Over a socket, with the null packets, and no datagram but whole ones."""
    transport = TransportStream(mux_rate=2_000_000)
    stream = stream_of(Output("o", "udp", "udp://127.0.0.1:9", transport=transport), document())
    with UdpReceiver() as receiver:
        sink = UdpSink(UdpAddress("127.0.0.1", receiver.port), None, stream)
        sink.open(make_templates(FORMAT, ENCODING))
        for batch in encoded(range(30)):
            sink.write(batch, after_gap=False)
        sink.close()
        wait_until(lambda: len(receiver.reception.data()) == sink.bytes_sent, 5, "all datagrams")
    found = take_apart(receiver.reception.data())
    assert (found.faults, found.rate_faults(2_000_000)) == ([], [])
    assert {len(datagram) for datagram in receiver.reception.datagrams[:-1]} == {1316}
    spent = receiver.reception.arrivals[-1] - receiver.reception.arrivals[0]
    assert spent >= (len(receiver.reception.datagrams) - 2) * 1316 * 8 / 2_000_000 - 0.01
