"""What the installed wheel of FFmpeg's libraries must be able to do; docs/decisions/0003 rests on this."""

import socket
import threading
from fractions import Fraction

import av
import pytest
from av.codec import codecs_available
from av.filter import filters_available

from tests.fixtures.air import numbered_picture, read_numbers, wait_until

FRAMES = 75


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SrtListener(threading.Thread):
    """Accepts one SRT caller and decodes what it sends."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url = f"srt://127.0.0.1:{port}?mode=listener&latency=20000&listen_timeout=10000000&timeout=5000000"
        self.pictures: list[av.VideoFrame] = []
        self.corrupt = 0
        self.ended_by = ""

    def run(self) -> None:
        try:
            with av.open(self.url, "r", format="mpegts") as container:
                for packet in container.demux(video=0):
                    self.corrupt += packet.is_corrupt
                    self.pictures += packet.decode()
        except av.error.FFmpegError as error:  # how libsrt tells that the caller hung up
            self.ended_by = str(error)


def test_mpeg_ts_over_srt_arrives_whole() -> None:
    """Really sent, by a caller to a listener on loopback."""
    port = free_udp_port()
    listener = SrtListener(port)
    listener.start()
    url = f"srt://127.0.0.1:{port}?mode=caller&latency=20000&pkt_size=1316&connect_timeout=5000"
    with av.open(url, "w", format="mpegts") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for number in range(FRAMES):
            picture = numbered_picture(number, 9)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        # libsrt drops what is not yet sent when the caller closes.
        wait_until(lambda: len(listener.pictures) >= FRAMES - 2 or not listener.is_alive(), 20, "pictures over SRT")
    listener.join(60)
    assert not listener.is_alive()
    assert listener.corrupt == 0
    numbers = [seen.number for seen in read_numbers(iter(listener.pictures))]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= FRAMES - 2, listener.ended_by


@pytest.mark.parametrize("codec", ["libx264", "aac", "h264"])
def test_codecs(codec: str) -> None:
    assert codec in codecs_available


@pytest.mark.parametrize("name", ["ebur128", "ametadata"])
def test_filters(name: str) -> None:
    assert name in filters_available
