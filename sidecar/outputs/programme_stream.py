"""One transport stream as an output wants it: what its tables say, its rate, and how long a receiver must wait."""

from dataclasses import dataclass
from typing import Final

import msgspec

from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import (
    DEFAULT_TRANSPORT,
    TransportStreamMuxer,
    check_transport,
    decoder_delay_ms,
    least_mux_rate,
)
from sidecar.protocol.channel import Output, SidecarDocument, TransportStream
from sidecar.rundown.rate import parse_rate


@dataclass(frozen=True, slots=True)
class ProgrammeStream:
    """``delay_ms`` is from a picture's arrival to its decoding, in milliseconds."""

    transport: TransportStream = DEFAULT_TRANSPORT
    delay_ms: int = 300

    def muxer(self, templates: StreamTemplates) -> TransportStreamMuxer:
        return TransportStreamMuxer(templates, self.delay_ms, self.transport)


USUAL_STREAM: Final = ProgrammeStream()


def stream_of(output: Output, document: SidecarDocument) -> ProgrammeStream:
    """What ``output`` of the channel's ``document`` sends. Raises ValueError for what cannot be."""
    transport, encoding = output.transport, output.encoding or document.encoding
    check_transport(transport)
    rate = parse_rate(document.format.rate)
    least = least_mux_rate(encoding, rate)
    if transport.mux_rate and transport.mux_rate < least:
        raise ValueError(f"mux_rate {transport.mux_rate} is too low for this encode, which needs {least} bit/s")
    if not transport.service_name:
        transport = msgspec.structs.replace(transport, service_name=document.name)
    return ProgrammeStream(transport, decoder_delay_ms(transport, encoding, rate))
