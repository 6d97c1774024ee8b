"""Which sink an output of the document becomes."""

from fractions import Fraction
from pathlib import Path

from sidecar.outputs.file import FileSink
from sidecar.outputs.hls import HlsSink
from sidecar.outputs.interface import Sink
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import parse_udp_url
from sidecar.protocol.channel import Output


def live_folder(media_root: Path, channel_id: str) -> Path:
    """Where the channel's HLS lies."""
    return media_root / "live" / channel_id


def make_sink(output: Output, *, live: Path, epoch: int, segment_length: Fraction) -> Sink:
    """Does no I/O. Raises ValueError for an address that cannot be one."""
    if output.kind == "hls":
        return HlsSink(live if output.role == "programme" else live / "preview", epoch, segment_length)
    if output.kind == "udp":
        return UdpSink(parse_udp_url(output.url), "lease_stop" if output.fencing == "lease_stop" else "hold")
    path = Path(output.url.removeprefix("file://"))
    if not path.is_absolute():
        raise ValueError(f"a file output needs an absolute path, not {output.url!r}")
    return FileSink(path)
