"""Which source an item has."""

from sidecar.media.file_source import FileSource
from sidecar.media.interface import Source
from sidecar.media.live_source import LiveSource
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.model import Airing


def source_of(airing: Airing, channel: ChannelFormat) -> Source:
    """Does not block. Raises OSError or ValueError for what cannot even be tried."""
    return LiveSource(airing, channel) if airing.item.kind == "live" else FileSource(airing, channel)
