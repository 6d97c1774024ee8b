"""RTMP's addresses, commands and chunks: what is written is read back, and nothing that comes in can do harm."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.outputs import amf
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.rtmp_chunks import SET_CHUNK_SIZE, ChunkReader, Message, chunked
from tests.fixtures.air import encoded

KEY = "s3cret-Key_1"


@pytest.mark.parametrize(
    ("url", "host", "port", "app", "key"),
    [
        (f"rtmp://a.example/live/{KEY}", "a.example", 1935, "live", KEY),
        (f"rtmps://a.example/live/{KEY}", "a.example", 443, "live", KEY),
        (f"rtmp://10.0.0.1:1936/app/instance/{KEY}", "10.0.0.1", 1936, "app/instance", KEY),
        (f"rtmp://[::1]:1935/live/{KEY}?vhost=x", "::1", 1935, "live", f"{KEY}?vhost=x"),
    ],
)
def test_an_address(url: str, host: str, port: int, app: str, key: str) -> None:
    address = parse_rtmp_url(url)
    assert (address.host, address.port, address.app, address.key) == (host, port, app, key)
    assert KEY not in address.tc_url
    assert KEY not in repr(address)
    assert address.masked(f"no such stream: {key}") == "no such stream: •••"


@pytest.mark.parametrize(
    "url",
    [f"rtmp://a.example/{KEY}", f"rtmp:///live/{KEY}", f"http://a.example/live/{KEY}", "rtmp://a.example/live/",
     f"rtmp://ada:{KEY}@a.example/live/x", f"rtmp://a.example/live/{KEY}#x", f"rtmp://a.example/live/{KEY} live=1",
     f"rtmp://a.example:0/live/{KEY}", f"rtmp://a.example:99999/live/{KEY}", f"rtmp://a.example//{KEY}",
     f"rtmp://a.example/live/{KEY}\n", f"rtmp://a.example/live/{KEY}" + "x" * 2000, f"rtmpe://a.example/live/{KEY}",
     f"file:///live/{KEY}", f"rtmp://a.example/l\u2028ive/{KEY}"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_the_key(url: str) -> None:
    with pytest.raises(ValueError, match="RTMP") as refused:
        parse_rtmp_url(url)
    assert KEY not in str(refused.value)


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(values, max_size=5))
def test_commands_are_read_back(command: list[amf.Amf]) -> None:
    assert amf.decoded(amf.encoded(*command)) == command


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_value_error(data: bytes) -> None:
    try:
        amf.decoded(data)
    except ValueError:
        return


def test_depth_has_an_end() -> None:
    with pytest.raises(ValueError, match="too deep"):
        amf.decoded(b"\x0a\x00\x00\x00\x01" * 100_000)


messages = st.builds(
    Message, st.sampled_from([4, 8, 9, 20]), st.integers(0, 9), st.binary(max_size=3000), st.integers(0, 1 << 33)
)


@given(st.lists(st.tuples(messages, st.integers(2, 63)), max_size=6), st.integers(1, 4096), st.integers(1, 500))
def test_messages_are_read_back_however_they_are_cut(sent: list[tuple[Message, int]], size: int, piece: int) -> None:
    reader = ChunkReader()
    data = chunked(Message(SET_CHUNK_SIZE, 0, struct.pack(">I", size)), 2, 128)
    data += b"".join(chunked(message, stream, size) for message, stream in sent)
    read: list[Message] = []
    for at in range(0, len(data), piece):
        read += reader.feed(data[at : at + piece])
    assert [(m.kind, m.stream_id, m.payload) for m in read] == [(m.kind, m.stream_id, m.payload) for m, _ in sent]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_no_chunks_are_more_than_a_connection_error(pieces: list[bytes]) -> None:
    reader = ChunkReader()
    try:
        for data in pieces:
            reader.feed(data)
    except ConnectionError:
        return


def test_a_giant_message_is_refused_before_it_comes() -> None:
    with pytest.raises(ConnectionError, match="16777215 bytes"):
        ChunkReader().feed(b"\x03\x00\x00\x00\xff\xff\xff\x14\x00\x00\x00\x00")


def test_the_encoder_gives_parameter_sets_with_every_keyframe() -> None:
    """On which FLV's header rests."""
    from sidecar.outputs.flv import video_header

    keyframes = [batch[0] for batch in encoded(range(25)) if batch[0].keyframe]
    assert len(keyframes) == 3
    assert len({video_header(keyframe.data) for keyframe in keyframes}) == 1
    with pytest.raises(ValueError, match="parameter sets"):
        video_header(encoded(range(2))[1][0].data)
