"""Live inputs are tried long before they are due: really connected, a few at a time, and never the ones on air."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from sidecar.engine.live_scout import AGAIN_S, AT_ONCE, FIRST_AGAIN_S, LOOK_S, LiveScout, can_be_tried
from sidecar.media.live_connect import why_not
from sidecar.media.live_input import LiveInputs
from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import Item
from sidecar.protocol.live_url import parse_live_url
from sidecar.protocol.status import LiveFault
from tests.fixtures.air import ENCODING, FORMAT, encoded, wait_until
from tests.instruments.srt_receiver import free_udp_port


@contextmanager
def served(folder: Path) -> Iterator[int]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(60)


def test_one_that_is_there_connects_and_others_say_why_without_their_secret(tmp_path: Path) -> None:
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING))
    chunks = [chunk for batch in encoded(range(100)) for chunk in muxer.mux(batch)]
    (tmp_path / "live.ts").write_bytes(b"".join([*chunks, *muxer.finish()]))
    (tmp_path / "page.html").write_text("<html>")
    with served(tmp_path) as port:
        assert why_not(f"http://127.0.0.1:{port}/live.ts?key=secret") == ""
        assert why_not(f"http://127.0.0.1:{port}/page.html") == f"what it sends is no media: http://127.0.0.1:{port}"
    nobody = free_udp_port()
    said = why_not(f"rtmp://127.0.0.1:{nobody}/app/secret")
    assert said == f"connection refused: rtmp://127.0.0.1:{nobody}"


def item(name: str, url: str) -> Item:
    return Item(id=name, title=name, kind="live", url=url, end_mode="take")


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.long
def test_all_are_tried_a_few_at_a_time_and_again_after_a_while() -> None:
    clock, lock, free = Clock(), threading.Lock(), threading.Semaphore(0)
    waiting: list[str] = []
    asked: list[str] = []
    most = [0]

    def connect(url: str) -> str:
        with lock:
            asked.append(url)
            waiting.append(url)
            most[0] = max(most[0], len(waiting))
        assert free.acquire(timeout=30)
        with lock:
            waiting.remove(url)
        return "nobody answers" if "bad" in url else ""

    items = [item(str(number), f"rtmp://h/app/{number}") for number in range(5)]
    items += [item("bad", "rtmp://h/app/bad"), item("same", "rtmp://h/app/bad")]
    scout = LiveScout(lambda: items, connect, monotonic=clock.monotonic)
    scout.start()
    try:
        wait_until(lambda: len(waiting) == AT_ONCE, 20, "the first")
        assert scout.faults == ()
        for _ in items:
            free.release()
        wait_until(lambda: len(scout.faults) == 2, 20, "the one that does not connect")
        assert scout.faults == (LiveFault("bad", "nobody answers"), LiveFault("same", "nobody answers"))
        assert (most[0], len(asked), len(set(asked))) == (AT_ONCE, 6, 6)
        clock.now += FIRST_AGAIN_S + LOOK_S
        wait_until(lambda: len(asked) == 7, 30, "the bad one again")
        assert asked[-1] == "rtmp://h/app/bad"
        clock.now += AGAIN_S
        for _ in range(20):
            free.release()
        wait_until(lambda: {item.url for item in items} <= set(asked[6:]), 30, "all of them again")
        items.clear()
        clock.now += LOOK_S
        wait_until(lambda: scout.faults == (), 30, "that it is forgotten")
    finally:
        scout.close()
        for _ in range(20):
            free.release()


def test_a_port_that_who_airs_it_needs_is_not_tried() -> None:
    tried = ["srt://h:9000", "udp://239.1.1.1:5000", "rtmp://h/a/k", "https://h/a.m3u8"]
    left = ["srt://:9000?mode=listener", "udp://127.0.0.1:5000", "rtmp://h/a/k?listen=1", "file:///etc/passwd", None]
    assert [can_be_tried(url) for url in tried] == [True] * 4
    assert [can_be_tried(url) for url in left] == [False] * 5


@pytest.mark.long
def test_what_is_open_already_is_not_connected_a_second_time() -> None:
    """Whoever opened it: an item on air or further down, a filler, a fixed start that is opened ahead."""
    asked: list[str] = []
    open_, closed = f"rtmp://127.0.0.1:{free_udp_port()}/app/open", "rtmp://h/app/closed"
    inputs = LiveInputs()
    entered = inputs.enter(parse_live_url(open_), FORMAT)
    clock = Clock()

    def connect(url: str) -> str:
        asked.append(url)
        return ""

    items = [item("open", open_), item("closed", closed)]
    scout = LiveScout(lambda: items, connect, in_use=inputs.addresses, monotonic=clock.monotonic)
    scout.start()
    try:
        wait_until(lambda: asked == [closed], 30, "the one that is not open")
        entered.leave()
        assert entered.join(60)
        clock.now += AGAIN_S
        wait_until(lambda: open_ in asked, 30, "the one that was closed")
    finally:
        scout.close()
