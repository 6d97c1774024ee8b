"""MPEG-TS as a demuxer that is not ours reads it."""

import io
import itertools
from dataclasses import replace
from fractions import Fraction

import av
import pytest

from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates, make_templates
from sidecar.outputs.transport_stream import TS_PACKET, TransportStreamMuxer, begins_with_keyframe
from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.air import ENCODING, FORMAT, encoded
from tests.instruments.udp_receiver import picture_times


@pytest.fixture(scope="module")
def templates() -> StreamTemplates:
    return make_templates(FORMAT, ENCODING)


def muxed(templates: StreamTemplates, batches: list[Batch]) -> list[bytes]:
    muxer = TransportStreamMuxer(templates)
    chunks = [chunk for batch in batches for chunk in muxer.mux(batch)]
    return chunks + muxer.finish()


def demuxed(data: bytes) -> tuple[list[Fraction], list[Fraction]]:
    """Times in seconds of pictures and of sound; asserts that nothing is corrupt."""
    times: dict[str, list[Fraction]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(data), format="mpegts") as container:
        for packet in container.demux():
            assert not packet.is_corrupt
            if packet.pts is not None:
                times[packet.stream.type].append(packet.pts * packet.time_base)
    return times["video"], times["audio"]


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "60000/1001"])
def test_every_picture_comes_out_at_its_time(rate: str) -> None:
    channel = ChannelFormat(320, 180, rate)
    video, audio = demuxed(b"".join(muxed(make_templates(channel, ENCODING), encoded(range(100), channel))))
    assert len(video) == 100
    frame = 1 / Fraction(rate)
    assert all(abs(at - video[0] - number * frame) <= Fraction(1, 90_000) for number, at in enumerate(video))
    # The encoder's priming sound lies one block before the first picture, so that sound and picture are in step.
    assert all(at - video[0] == Fraction((number - 1) * 1024, 48_000) for number, at in enumerate(audio))


def test_chunks_are_whole_packets_and_every_keyframe_begins_one(templates: StreamTemplates) -> None:
    chunks = muxed(templates, encoded(range(45)))
    assert all(len(chunk) % TS_PACKET == 0 for chunk in chunks)
    assert sum(begins_with_keyframe(chunk) for chunk in chunks) == 5
    cut = next(at for at, chunk in enumerate(chunks) if at > 10 and begins_with_keyframe(chunk))
    video, _ = demuxed(b"".join(chunks[cut:]))
    assert len(video) == 45 - 10


def test_timestamps_wrap_at_33_bits_without_a_fault(templates: StreamTemplates) -> None:
    """A run of more than 26 hours: a demuxer sees one continuous stream across the wrap."""
    before_wrap_s = (1 << 33) // 90_000 - 2
    late = [
        tuple(replace(packet, pts=packet.pts + int(before_wrap_s / packet.time_base)) for packet in batch)
        for batch in encoded(range(60))
    ]
    # The first picture's instant places the stream: as if the run had begun with the wall clock's zero.
    first = late[0][0]
    placed = [(replace(first, wall_ns=first.pts * 40_000_000), *late[0][1:]), *late[1:]]
    data = b"".join(muxed(templates, placed))
    video, audio = demuxed(data)
    assert len(video) == 60
    steps = {round((after - before) * 90_000) for before, after in itertools.pairwise(video)}
    assert steps == {3600}
    assert all(before < after for before, after in itertools.pairwise(audio))
    written = picture_times(data)
    assert written[-1] < written[0]


def test_a_muxer_that_begins_later_goes_on_at_the_same_time(templates: StreamTemplates) -> None:
    """An output that was reopened in mid-run has the same timestamps as one that never was."""
    batches = encoded(range(40))
    whole, _ = demuxed(b"".join(muxed(templates, batches)))
    rest, _ = demuxed(b"".join(muxed(templates, batches[20:])))
    assert rest == whole[20:]
