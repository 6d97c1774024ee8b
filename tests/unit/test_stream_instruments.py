"""The readers of HLS and UDP must find what is planted before they may say that nothing is wrong."""

import io
from fractions import Fraction

import av
import numpy as np

from tests.instruments.hls_reader import HlsRecorder, parse_playlist
from tests.instruments.udp_receiver import Reception


def transport_stream(pictures: int = 50) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format="mpegts") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "25"}
        for number in range(pictures):
            grey = np.full((90, 160, 3), number * 4 % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return target.getvalue()


def received(data: bytes, seconds_apart: float = 0.01) -> Reception:
    datagrams = [data[at : at + 1316] for at in range(0, len(data), 1316)]
    return Reception([index * seconds_apart for index in range(len(datagrams))], datagrams)


def test_a_whole_stream_has_no_continuity_error_and_every_picture() -> None:
    reception = received(transport_stream())
    assert reception.continuity_errors() == 0
    assert len(list(reception.pictures())) == 50
    assert len(reception.picture_arrivals()) == 50


def test_a_lost_datagram_and_a_second_sender_are_found() -> None:
    data = transport_stream()
    lost = received(data)
    del lost.datagrams[5], lost.arrivals[5]
    assert lost.continuity_errors() > 0
    doubled = received(data)
    other = received(transport_stream(30))
    doubled.datagrams = [d for pair in zip(doubled.datagrams, other.datagrams, strict=False) for d in pair]
    assert doubled.continuity_errors() > len(other.datagrams) // 2


def test_a_picture_that_comes_late_is_found() -> None:
    reception = Reception()
    data = transport_stream()
    for at in range(0, len(data), 188):
        packet = data[at : at + 188]
        found = Reception([0.0], [packet]).picture_arrivals()
        now = found[0][0] / 90_000 if found else (reception.arrivals[-1] if reception.arrivals else 0.0)
        late = 0.3 if found and len(reception.picture_arrivals()) == 20 else 0.0
        reception.arrivals.append(now + late)
        reception.datagrams.append(packet)
    assert max(reception.lateness()) > 0.29


PLAYLIST = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:{sequence}
#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity}
{entries}"""


def listing(sequence: int, count: int, discontinuity: int = 0) -> bytes:
    entries = "".join(f"#EXTINF:2.000,\n7/{sequence + n}.ts\n" for n in range(count))
    return PLAYLIST.format(sequence=sequence, discontinuity=discontinuity, entries=entries).encode()


def record(*playlists: bytes, missing: str = "") -> list[str]:
    at = 0

    def fetch(name: str) -> bytes:
        if name == missing:
            raise FileNotFoundError(name)
        return playlists[at] if name == "index.m3u8" else name.encode()

    recorder = HlsRecorder(fetch)
    for number in range(len(playlists)):
        at = number
        recorder.poll()
    return recorder.recording.faults


def test_a_playlist_that_runs_on_has_no_fault() -> None:
    assert record(listing(1, 3), listing(2, 3), listing(4, 3)) == []


def test_a_playlist_that_goes_back_or_leaves_a_hole_or_lists_what_is_not_there_is_found() -> None:
    assert any("went back" in fault for fault in record(listing(5, 3), listing(2, 3)))
    assert any("never listed" in fault for fault in record(listing(1, 3), listing(9, 3)))
    assert any("not there" in fault for fault in record(listing(1, 3), missing="7/2.ts"))
    assert any("discontinuity sequence" in fault for fault in record(listing(1, 3, 1), listing(2, 3, 0)))


def test_a_discontinuity_belongs_to_the_segment_after_it() -> None:
    text = listing(1, 1).decode() + "#EXT-X-DISCONTINUITY\n#EXTINF:2,\n8/2.ts\n#EXT-X-ENDLIST\n"
    playlist = parse_playlist(text)
    assert [entry.discontinuity for entry in playlist.entries] == [False, True]
    assert playlist.ended
