"""What a server tells by OSC, where it answers no command."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.caspar.osc import Newest, NotOscError, read_osc
from tests.doubles.caspar.layers import Clip
from tests.doubles.caspar.osc import channel_bundles, channel_tree
from tests.doubles.caspar.server import FakeCaspar
from tests.fixtures.caspar_air import CasparAir, item

CLIPS = {"a": 250, "b": 125, "c": 60}


async def test_where_info_is_not_answered_osc_confirms_what_airs() -> None:
    async with CasparAir([item("a", 50), item("b", 30), item("c", None)], CLIPS, osc=True, reply_s=0.02) as air:
        await air.arm()
        await air.run(20)
        air.server.manners.silent_commands = {"INFO"}
        await air.run(180)
        assert air.ends() == [("a", "ended", 50, 0), ("b", "ended", 30, 0), ("c", "ended", 60, 0)]
        assert {fact.proof for fact, _ in air.facts} == {"confirmed"}
        assert (air.drive.health.answers, air.drive.health.moves) == (False, True)
        assert "known by OSC" in air.drive.health.detail


async def test_a_version_that_sends_none_to_who_asks_is_driven_by_info_alone() -> None:
    async with CasparAir([item("a", 50)], CLIPS, osc=True, version="2.3.3 f6f2c0d LTS") as air:
        await air.arm()
        await air.run(60)
        assert air.server.subscribed == set()
        assert air.ends() == [("a", "ended", 50, 0)]


def test_osc_tells_what_info_tells() -> None:
    ticks = 0.0
    server = FakeCaspar(lambda name: Clip(name, 250), lambda: ticks)
    server.do(["PLAY", "1-10", "/media/a.mp4", "IN", "10", "LENGTH", "100"], "")
    server.do(["LOADBG", "1-10", "/media/b.mp4", "AUTO"], "")
    server.do(["PLAY", "1-20", "/media/c.mp4", "LOOP"], "")
    server.do(["ADD", "1-700", "STREAM", "udp://127.0.0.1:5004", "-format", "mpegts"], "")
    ticks = 1.0
    newest = Newest(1)
    for tag in (1, 2):
        for bundle in channel_bundles(
            1, channel_tree("720p2500", server.rate, server.layers, server.outputs.ports, 25), tag
        ):
            newest.take(bundle, 0)
    told = newest.info(0)
    assert told is not None
    front = told.layers[10].foreground
    assert (front.path, front.position, front.clip_in, front.clip_length) == ("/media/a.mp4", 35, 10, 100)
    assert (front.producer, front.ticks_left, front.auto_pending) == ("ffmpeg", 75, True)
    assert told.layers[10].background.path == "/media/b.mp4"
    assert told.layers[20].foreground.loop
    assert told.ports[700].frame == 25
    assert newest.info(10**9) is None, "what is old is not told"


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_a_datagram_of_anything_is_read_or_refused(data: bytes) -> None:
    for one in (data, b"#bundle\0" + data, b"#bundle\0" + bytes(8) + struct.pack(">i", len(data)) + data):
        try:
            read_osc(one)
        except NotOscError:
            continue


def test_bundles_in_bundles_end() -> None:
    data = b"/a\0\0,\0\0\0"
    for _ in range(20):
        data = b"#bundle\0" + bytes(8) + struct.pack(">i", len(data)) + data
    with pytest.raises(NotOscError):
        read_osc(data)
