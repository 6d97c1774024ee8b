"""Which sink an output of the document becomes."""

import os
from fractions import Fraction
from pathlib import Path

from sidecar.outputs.decklink import DeckLinkSink
from sidecar.outputs.decklink_address import parse_decklink_url
from sidecar.outputs.decklink_stand_in import stand_in_driver
from sidecar.outputs.file import FileSink
from sidecar.outputs.hls import HlsSink
from sidecar.outputs.interface import LeaseLeft, Sink, not_leased
from sidecar.outputs.packet import Batch
from sidecar.outputs.rtmp import RtmpSink
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import parse_udp_url
from sidecar.protocol.channel import Output, OutputKind
from sidecar.protocol.fencing import Fencing, fencing_of


def live_folder(media_root: Path, channel_id: str) -> Path:
    """Where the channel's HLS lies."""
    return media_root / "live" / channel_id


class UnusableSink:
    """Stands for an output whose address cannot be one: down, with the reason, while the others play."""

    def __init__(self, output: Output, reason: str) -> None:
        self.kind: OutputKind = output.kind
        self.fencing: Fencing = fencing_of(output)
        self.bytes_sent = 0
        self.segments = 0
        self._reason = reason

    def open(self, templates: StreamTemplates) -> None:
        raise OSError(self._reason)

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        raise OSError(self._reason)

    def abandon(self) -> None:
        """There is nothing to forget."""

    def close(self, *, final: bool = True) -> None:
        """There is nothing to finish."""


def make_sink(
    output: Output, *, live: Path, epoch: int, segment_length: Fraction, lease_left: LeaseLeft = not_leased
) -> Sink:
    """Does no I/O and raises nothing: see ``UnusableSink``."""
    try:
        return _make_sink(output, live, epoch, segment_length, lease_left)
    except ValueError as error:
        return UnusableSink(output, str(error))


def _make_sink(output: Output, live: Path, epoch: int, segment_length: Fraction, lease_left: LeaseLeft) -> Sink:
    if output.kind == "hls":
        return HlsSink(live if output.role == "programme" else live / "preview", epoch, segment_length)
    if output.kind == "udp":
        return UdpSink(parse_udp_url(output.url), lease_left if output.lease_stop else None)
    if output.kind == "decklink":
        return DeckLinkSink(parse_decklink_url(output.url), stand_in_driver(os.environ))
    if output.kind == "rtmp":
        return RtmpSink(parse_rtmp_url(output.url), lease_left)
    path = Path(output.url.removeprefix("file://"))
    if not path.is_absolute():
        raise ValueError(f"a file output needs an absolute path, not {output.url!r}")
    return FileSink(path)
