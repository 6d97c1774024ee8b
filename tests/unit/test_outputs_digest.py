"""What of an output is sent, and what tells two lists apart: what is at its default is in neither."""

import msgspec

from sidecar.protocol.channel import Encoding, Output, TransportStream
from sidecar.protocol.outputs import outputs_digest


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
