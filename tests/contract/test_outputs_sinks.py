"""What every sink must do, whatever it writes to."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import pytest

from sidecar.outputs.file import FileSink
from sidecar.outputs.hls import HlsSink
from sidecar.outputs.interface import Sink
from sidecar.outputs.sinks import make_sink
from sidecar.outputs.templates import make_templates
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import UdpAddress
from sidecar.protocol.channel import Output
from tests.fixtures.air import ENCODING, FORMAT, encoded, read_numbers, wait_until
from tests.instruments.udp_receiver import UdpReceiver

TEMPLATES = make_templates(FORMAT, ENCODING)
GOP_S = Fraction(2, 5)


class Place(Protocol):
    """A sink and what arrived where it writes."""

    sink: Sink

    def arrived(self) -> bytes: ...


class HlsPlace:
    def __init__(self, folder: Path) -> None:
        self.folder, self.sink = folder, HlsSink(folder, 3, GOP_S)

    def arrived(self) -> bytes:
        playlist = (self.folder / "3.m3u8").read_text().splitlines()
        return b"".join((self.folder / line).read_bytes() for line in playlist if not line.startswith("#"))


class FilePlace:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "programme.ts"
        self.sink = FileSink(self.path)

    def arrived(self) -> bytes:
        return self.path.read_bytes()


class UdpPlace:
    def __init__(self, receiver: UdpReceiver) -> None:
        self.receiver = receiver
        self.sink = UdpSink(UdpAddress("127.0.0.1", receiver.port))

    def arrived(self) -> bytes:
        wait_until(lambda: len(self.receiver.reception.data()) == self.sink.bytes_sent, 5, "all datagrams")
        return self.receiver.reception.data()


@pytest.fixture(params=["hls", "file", "udp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "udp":
        with UdpReceiver() as receiver:
            yield UdpPlace(receiver)
    else:
        yield {"hls": HlsPlace, "file": FilePlace}[request.param](tmp_path)


def write(sink: Sink, frames: range, *, after_gap: bool = False) -> None:
    for number, batch in enumerate(encoded(frames)):
        sink.write(batch, after_gap=after_gap and number == 0)


def pictures(data: bytes) -> list[int | None]:
    with av.open(io.BytesIO(data), format="mpegts") as container:
        decoded: list[av.VideoFrame] = []
        for packet in container.demux(video=0):
            assert not packet.is_corrupt
            decoded += packet.decode()
    return [seen.number for seen in read_numbers(iter(decoded))]


def test_all_that_was_written_arrives(place: Place) -> None:
    place.sink.open(TEMPLATES)
    write(place.sink, range(53))
    place.sink.close()
    assert pictures(place.arrived()) == list(range(53))
    assert place.sink.bytes_sent == len(place.arrived())


def test_after_a_failed_opening_it_can_be_opened_again(place: Place) -> None:
    place.sink.abandon()
    place.sink.open(TEMPLATES)
    write(place.sink, range(20))
    sent = place.sink.bytes_sent
    place.sink.abandon()
    place.sink.open(TEMPLATES)
    write(place.sink, range(30, 40))
    place.sink.close()
    assert place.sink.bytes_sent > sent
    seen = pictures(place.arrived())
    assert seen[-10:] == list(range(30, 40))
    assert set(seen) <= {*range(20), *range(30, 40)}


def test_a_gap_does_not_spoil_what_comes_after_it(place: Place) -> None:
    place.sink.open(TEMPLATES)
    write(place.sink, range(17))
    write(place.sink, range(30, 45), after_gap=True)
    place.sink.close()
    assert pictures(place.arrived()) == [*range(17), *range(30, 45)]


def test_writing_without_opening_is_an_error_of_the_output(place: Place) -> None:
    with pytest.raises(OSError, match="not open"):
        write(place.sink, range(1))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (Output("a", "udp", "udp://nowhere"), "no port"),
        (Output("a", "udp", "udp://nowhere:1?fifo_size=7"), "unknown option"),
        (Output("b", "file", "relative.ts"), "absolute path"),
    ],
)
def test_an_address_that_cannot_be_fails_at_opening_with_the_reason(
    output: Output, reason: str, tmp_path: Path
) -> None:
    """P1: a wrong address costs that output, and never the channel."""
    sink = make_sink(output, live=tmp_path, epoch=1, segment_length=GOP_S)
    with pytest.raises(OSError, match=reason):
        sink.open(TEMPLATES)


def test_a_recording_goes_on_after_a_packet_that_was_cut_short(tmp_path: Path) -> None:
    """A process killed in the middle of a write leaves one; what follows would be out of step for ever."""
    path = tmp_path / "recordings" / "programme.ts"
    sink = FileSink(path)
    sink.open(TEMPLATES)
    write(sink, range(20))
    sink.abandon()
    with path.open("ab") as file:
        file.write(b"\x47\x01\x00" + bytes(80))
    sink.open(TEMPLATES)
    write(sink, range(30, 50))
    sink.close()
    data = path.read_bytes()
    assert len(data) % 188 == 0
    assert {data[at] for at in range(0, len(data), 188)} == {0x47}
    assert pictures(data)[-20:] == list(range(30, 50))


def test_a_named_recording_lies_below_the_channels_folder(tmp_path: Path) -> None:
    output = Output("o", "file", "file:evening.ts")
    sink = make_sink(output, live=tmp_path, epoch=1, segment_length=GOP_S, recordings=tmp_path / "recordings")
    sink.open(TEMPLATES)
    write(sink, range(5))
    sink.close()
    assert pictures((tmp_path / "recordings" / "evening.ts").read_bytes()) == list(range(5))
    for url in ("file:../evening.ts", "file:a/b.ts", "file:.hidden", "evening.ts/..", "file:"):
        sink = make_sink(
            Output("o", "file", url), live=tmp_path, epoch=1, segment_length=GOP_S, recordings=tmp_path / "recordings"
        )
        with pytest.raises(OSError, match="file:NAME"):
            sink.open(TEMPLATES)
