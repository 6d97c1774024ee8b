"""Which sink an output of the document becomes."""

import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Final

from sidecar.outputs.decklink import DeckLinkSink
from sidecar.outputs.decklink_address import parse_decklink_url
from sidecar.outputs.decklink_stand_in import stand_in_driver
from sidecar.outputs.file import FileSink
from sidecar.outputs.hls import HlsSink
from sidecar.outputs.interface import LeaseLeft, Sink, not_leased
from sidecar.outputs.packet import Batch
from sidecar.outputs.programme_stream import USUAL_STREAM, stream_of
from sidecar.outputs.rtmp import RtmpSink
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.srt import SrtSink
from sidecar.outputs.srt_address import parse_srt_url
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import parse_udp_url
from sidecar.protocol.channel import Output, OutputKind, SidecarDocument
from sidecar.protocol.fencing import Fencing, fencing_of

_FILE_NAME: Final = re.compile(r"\w[\w. -]{0,100}", re.ASCII)


def live_folder(media_root: Path, channel_id: str) -> Path:
    """Where the channel's HLS lies."""
    return media_root / "live" / channel_id


def recordings_folder(media_root: Path, channel_id: str) -> Path:
    """Where file outputs that are named and not placed record to."""
    return media_root / "recordings" / channel_id


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
    output: Output,
    *,
    live: Path,
    epoch: int,
    segment_length: Fraction,
    lease_left: LeaseLeft = not_leased,
    document: SidecarDocument | None = None,
    recordings: Path | None = None,
) -> Sink:
    """Does no I/O and raises nothing: see ``UnusableSink``. ``document`` is the channel's."""
    try:
        return _make_sink(output, live, epoch, segment_length, lease_left, document, recordings)
    except ValueError as error:
        return UnusableSink(output, str(error))


def _make_sink(
    output: Output,
    live: Path,
    epoch: int,
    segment_length: Fraction,
    lease_left: LeaseLeft,
    document: SidecarDocument | None,
    recordings: Path | None,
) -> Sink:
    if output.kind == "hls":
        return HlsSink(live if output.role == "programme" else live / "preview", epoch, segment_length)
    stream = USUAL_STREAM if document is None else stream_of(output, document)
    if output.kind == "udp":
        return UdpSink(parse_udp_url(output.url), lease_left if output.lease_stop else None, stream)
    if output.kind == "decklink":
        return DeckLinkSink(parse_decklink_url(output.url), stand_in_driver(os.environ))
    if output.kind == "rtmp":
        return RtmpSink(parse_rtmp_url(output.url), lease_left)
    if output.kind == "srt":
        return SrtSink(parse_srt_url(output.url), lease_left, stream)
    return FileSink(_recording(output.url, recordings), stream)


def _recording(url: str, recordings: Path | None) -> Path:
    path = Path(url.removeprefix("file://"))
    if path.is_absolute():
        return path
    name = url.removeprefix("file:")
    if recordings is None or _FILE_NAME.fullmatch(name) is None:
        raise ValueError(f"a file output needs an absolute path, or file:NAME.ts, not {url!r}")
    return recordings / name
