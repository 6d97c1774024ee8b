"""Live inputs by every protocol, from real senders on loopback: every frame accounted for, and nobody ever waits."""

import functools
import http.server
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sidecar.media import Moment
from sidecar.media.live_source import LiveSource
from sidecar.protocol.channel import ChannelFormat, Item
from sidecar.rundown.model import Airing, SourceView, Supply
from tests.doubles.rtmp_relay import RtmpRelay
from tests.doubles.rtmp_server import ScriptedRtmpServer
from tests.fixtures.air import read_numbers
from tests.fixtures.homes import until
from tests.fixtures.live_senders import RATE, LiveSender, SenderProcess, free_port
from tests.fixtures.patience import patience

CHANNEL = ChannelFormat(320, 180, "25")
SAMPLES = 1920
SECRET = "dont-tell-anyone"
AT_ONCE = 1.0  # seconds, for a busy machine; a call that waits for a hung connection takes several

pytestmark = [pytest.mark.realtime, pytest.mark.long]


@dataclass
class Taken:
    """What a channel got of a source. ``dry``: frame times at which it had nothing."""

    source: LiveSource
    moments: list[Moment] = field(default_factory=list)
    dry: int = 0

    @property
    def numbers(self) -> list[int]:
        numbers = [seen.number for seen in read_numbers(iter([moment.picture for moment in self.moments]))]
        assert None not in numbers
        return [number for number in numbers if number is not None]

    def steps(self) -> list[int]:
        """By how much each picture's number differs from the one before: 1 where nothing is lost or repeated."""
        numbers = self.numbers
        return [after - before for before, after in itertools.pairwise(numbers)]

    def beep_offsets(self) -> list[int]:
        """Samples between the first frame of each second and the beep that belongs to it."""
        sound = np.concatenate([moment.sound for moment in self.moments], axis=1)[0]
        offsets: list[int] = []
        for index, number in enumerate(self.numbers):
            if number % RATE == 0 and 2 <= index < len(self.moments) - 2:
                around = np.abs(sound[(index - 2) * SAMPLES : (index + 3) * SAMPLES]) > 0.1
                offsets.append(int(np.argmax(around)) - 2 * SAMPLES)
        return offsets


def live(url: str) -> LiveSource:
    return LiveSource(Airing(1, Item("0" * 32, "live", kind="live", url=url)), CHANNEL)


def view(source: LiveSource) -> SourceView:
    began = time.monotonic()
    seen = source.view()
    assert time.monotonic() - began < AT_ONCE
    return seen


def wait_for(source: LiveSource, condition: Callable[[SourceView], bool], seconds: float = 20) -> SourceView:
    seconds = patience(seconds)
    until = time.monotonic() + seconds
    while True:
        seen = view(source)
        if condition(seen):
            return seen
        assert time.monotonic() < until, f"not within {seconds} s: {seen}"
        time.sleep(0.01)


def take(source: LiveSource, seconds: float, into: Taken | None = None) -> Taken:
    """As a playout does: at every frame time one frame, if there is one."""
    taken = into or Taken(source)
    began = time.monotonic()
    for frame in range(round(seconds * RATE)):
        time.sleep(max(0.0, began + frame / RATE - time.monotonic()))
        if view(source).supply is Supply.READY:
            taken.moments.append(source.take(SAMPLES))
            assert taken.moments[-1].sound.shape == (2, SAMPLES)
        else:
            taken.dry += 1
    return taken


@contextmanager
def by_udp(_folder: Path) -> Iterator[tuple[LiveSource, LiveSender]]:
    port = free_port()
    with LiveSender(f"udp://127.0.0.1:{port}?pkt_size=1316") as sender:
        yield live(f"udp://127.0.0.1:{port}"), sender


@contextmanager
def by_multicast(_folder: Path) -> Iterator[tuple[LiveSource, LiveSender]]:
    port = free_port()
    with LiveSender(f"udp://239.255.77.7:{port}?pkt_size=1316&localaddr=127.0.0.1&ttl=0") as sender:
        yield live(f"udp://239.255.77.7:{port}?localaddr=127.0.0.1"), sender


@contextmanager
def by_srt_caller(_folder: Path) -> Iterator[tuple[LiveSource, SenderProcess]]:
    port = free_port()
    with SenderProcess(f"srt://127.0.0.1:{port}?mode=listener&passphrase={SECRET}", "mpegts") as sender:
        yield live(f"srt://127.0.0.1:{port}?passphrase={SECRET}&latency=60"), sender


@contextmanager
def by_srt_listener(_folder: Path) -> Iterator[tuple[LiveSource, SenderProcess]]:
    port = free_port()
    with SenderProcess(f"srt://127.0.0.1:{port}?mode=caller&passphrase={SECRET}", "mpegts") as sender:
        yield live(f"srt://:{port}?latency=1500&mode=listener&passphrase={SECRET}"), sender


@contextmanager
def by_rtmp_pull(_folder: Path) -> Iterator[tuple[LiveSource, SenderProcess]]:
    with RtmpRelay() as relay, SenderProcess(relay.url(SECRET)) as sender:
        yield live(relay.url(SECRET)), sender


@contextmanager
def by_rtmp_listening(_folder: Path) -> Iterator[tuple[LiveSource, SenderProcess]]:
    port = free_port(socket.SOCK_STREAM)
    with SenderProcess(f"rtmp://127.0.0.1:{port}/live/{SECRET}") as sender:
        yield live(f"rtmp://127.0.0.1:{port}/live/{SECRET}?listen=1"), sender


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def by_hls(folder: Path) -> Iterator[tuple[LiveSource, LiveSender]]:
    options = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "delete_segments"}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        index = folder / "index.m3u8"
        with LiveSender(str(index), "hls", options=options, gop=RATE) as sender:
            # A list that has just begun has nothing to be ahead by.
            until(lambda: index.exists() and index.read_text().count("#EXTINF") >= 3, 30)
            yield live(f"http://127.0.0.1:{server.server_port}/index.m3u8?token={SECRET}"), sender
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


_ATTEMPTS = 3
"""On a busy machine SRT itself drops what comes too late, and a list's segments are gone before they are read: what
never came in the source cannot count, so one whole reception of a few is asked for."""
NAMES = ["udp", "multicast", "srt caller", "srt listener", "rtmp", "rtmp listening", "hls"]
Way = Callable[[Path], AbstractContextManager[tuple[LiveSource, LiveSender | SenderProcess]]]
ALL: list[Way] = [by_udp, by_multicast, by_srt_caller, by_srt_listener, by_rtmp_pull, by_rtmp_listening, by_hls]


@pytest.mark.parametrize("way", ALL, ids=NAMES)
def test_every_frame_of_an_input_is_shown_or_counted(way: Way, tmp_path: Path) -> None:
    """Pictures go on by one but where the source counts that it passed some over; the sound stays with them."""
    for attempt in range(_ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with way(folder) as (source, _):
            wait_for(source, lambda seen: seen.supply is Supply.READY)
            taken = take(source, 4)
            source.close()
        steps = taken.steps()
        missing = sum(step - 1 for step in steps if step > 1)
        if missing == source.skipped:
            break
    assert len(steps) > 40, taken.dry
    assert missing == source.skipped
    assert sum(step == 0 for step in steps) == source.repeated
    assert all(step >= 0 for step in steps)
    offsets = taken.beep_offsets()
    assert offsets
    assert all(abs(offset) < 480 for offset in offsets), offsets  # 10 ms


@pytest.mark.parametrize("way", [by_srt_caller, by_udp, by_rtmp_pull], ids=["srt", "udp", "rtmp"])
def test_an_input_that_was_cut_comes_back(way: Way, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with way(tmp_path) as (source, sender):
        wait_for(source, lambda seen: seen.supply is Supply.READY)
        taken = take(source, 1)
        sender.cut()
        while view(source).supply is Supply.READY:
            take(source, 0.04, taken)
        why = wait_for(source, lambda seen: seen.supply is Supply.DRY and seen.error != "").error
        before = taken.numbers[-1]
        sender.restore()
        wait_for(source, lambda seen: seen.supply is Supply.READY)
        after = take(source, 1)
        source.close()
    assert after.numbers[0] > before + 1  # what was sent meanwhile is gone, and nothing old is shown
    assert "127.0.0.1" in why
    assert SECRET not in why + caplog.text


def test_a_clock_that_runs_fast_costs_single_frames_and_no_delay() -> None:
    """Two seconds more than can be kept come in twelve; picture and sound are passed over together."""
    port = free_port()
    url = f"udp://127.0.0.1:{port}"
    with LiveSender(f"{url}?pkt_size=1316", speed=RATE * 1.17) as sender:
        source = live(url)
        wait_for(source, lambda seen: seen.supply is Supply.READY)
        taken = take(source, 12)
        behind = sender.number - taken.numbers[-1]
        source.close()
    assert sum(step - 1 for step in taken.steps() if step > 1) == source.skipped >= RATE
    assert behind < 2 * RATE
    assert all(abs(offset) < 480 for offset in taken.beep_offsets())


def test_two_airings_of_one_listener_share_its_connection() -> None:
    """An item that airs twice in a row, the second opened while the first is on air: a port can be had only once."""
    port = free_port()
    with SenderProcess(f"srt://127.0.0.1:{port}?mode=caller", "mpegts"):
        first, second = live(f"srt://:{port}?mode=listener"), live(f"srt://:{port}?mode=listener")
        wait_for(first, lambda seen: seen.supply is Supply.READY)
        shown = take(first, 1)
        wait_for(second, lambda seen: seen.supply is Supply.READY)
        first.close()
        following = take(second, 1)
        second.close()
    assert following.numbers[0] - shown.numbers[-1] in range(-RATE, RATE)
    assert set(following.steps()) == {1}


def test_a_server_that_hangs_keeps_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedRtmpServer() as server:
        source = live(f"rtmp://127.0.0.1:{server.port}/live/{SECRET}")
        error = wait_for(source, lambda seen: seen.error != "", 30).error
        assert source.view().supply is Supply.OPENING
        began = time.monotonic()
        source.close()
        source.close()
        assert time.monotonic() - began < AT_ONCE
    assert error == f"no answer or no media from it: rtmp://127.0.0.1:{server.port}"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "srt://h", "pipe:0", None])
def test_what_is_no_address_is_not_tried(url: str | None) -> None:
    with pytest.raises(ValueError, match=r"live input|needs a port"):
        LiveSource(Airing(1, Item("0" * 32, "live", kind="live", url=url)), CHANNEL)
