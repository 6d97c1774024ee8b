"""What of an output is sent, and what tells two lists apart: what is at its default is in neither."""

import msgspec

from db.models import Channel
from sidecar.protocol.channel import (
    ChannelFormat,
    Encoding,
    Look,
    Output,
    Playlist,
    SidecarDocument,
    TransportStream,
)
from sidecar.protocol.outputs import look_digest, outputs_digest
from supervisor.loops.documents import look_of


def test_what_is_at_its_default_is_not_sent_and_not_counted_however_it_was_read() -> None:
    """An older sidecar refuses what it does not know, also at the value that means nothing."""
    made = Output("o", "udp", "udp://h:1", transport=TransportStream(mux_rate=5_000_000), encoding=Encoding())
    spelled = {
        "id": "o",
        "kind": "udp",
        "url": "udp://h:1",
        "role": "programme",
        "lease_stop": False,
        "transport": {
            "mux_rate": 5_000_000,
            "pmt_pid": 0x1000,
            "original_network_id": 0xFF01,
            "provider": "MCR Console",
        },
        "encoding": {"video_bit_rate": 3_000_000, "preset": "superfast", "gop_ms": 2_000},
    }
    read = msgspec.json.decode(msgspec.json.encode(spelled), type=Output)
    assert read == made
    assert msgspec.to_builtins(read) == {
        "id": "o",
        "kind": "udp",
        "url": "udp://h:1",
        "transport": {"mux_rate": 5_000_000},
        "encoding": {},
    }
    assert outputs_digest([read]) == outputs_digest([made])
    plain = msgspec.convert({"id": "o", "kind": "hls", "transport": msgspec.to_builtins(TransportStream())}, Output)
    assert msgspec.json.encode(plain) == b'{"id":"o","kind":"hls"}'
    assert outputs_digest([plain]) != outputs_digest([msgspec.structs.replace(plain, encoding=Encoding())])


def test_a_look_has_one_digest_whoever_made_it() -> None:
    """The supervisor from its row, a sidecar from the document that it was started with."""
    for playout in (None, {"black_s": 8}, {"logo": {"path": "/m/l.png", "categories": {"a": "off"}}, "freeze_s": 0}):
        look = look_of(Channel(playout=playout))
        form = ChannelFormat(320, 180, "25")
        document = SidecarDocument("c", "One", form, (), Playlist(1), logo=look.logo, watch=look.watch)
        read = msgspec.json.decode(msgspec.json.encode(document), type=SidecarDocument)
        assert look_digest(Look(read.logo, read.watch)) == look_digest(look)
    assert look_digest(look_of(Channel(playout={"black_s": 9}))) != look_digest(Look())
