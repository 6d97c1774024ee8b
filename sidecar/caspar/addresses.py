"""Addresses of live inputs as the server is told them: options that FFmpeg takes aside here stand behind the address.

The server's producer (``modules/ffmpeg/producer/ffmpeg_producer.cpp``, ``av_input.cpp``) gives the text between the
quotes to FFmpeg as it is, with no options but its own; what looks like a page or a picture it leaves to other
producers, of which one shows web pages.
"""

import re
from typing import Final

from sidecar.caspar.amcp import quoted
from sidecar.caspar.names import PLAIN_CUT
from sidecar.protocol.live_url import LiveAddress

_UNSAFE: Final = re.compile(r"[\s\"'\\&+%]")
"""In a value of an option: FFmpeg has no one rule of how it is undone."""
_STILLS: Final = (".png", ".tga", ".bmp", ".jpg", ".jpeg", ".gif", ".tiff", ".tif", ".jp2", ".jpx", ".j2k", ".j2c")
_NOT_MEDIA: Final = frozenset((*_STILLS, ".swf", ".ct", ".html", ".htm"))
_DATAGRAMS: Final = ("fifo_size=114688", "overrun_nonfatal=1", "reuse=1", "buffer_size=2097152")
"""As in ``media.live_opening``: more than a second of most streams, and an overrun loses datagrams alone."""


def told_address(address: LiveAddress) -> str:
    """As INFO then tells it, secrets included. Raises ValueError with what is wrong, which repeats nothing secret."""
    if address.scheme in ("rtmp", "rtmps", "http", "https"):
        if address.listens:
            raise ValueError(f"a CasparCG server waits for no publisher of rtmp, but can pull: {address.shown}")
        told = address.location
    else:
        options = [f"{name}={value}" for name, value in address.options.items()]
        if any(_UNSAFE.search(option) for option in options):
            raise ValueError(f"a CasparCG server is told no blanks, quotes, &, + and % in an option: {address.shown}")
        told = "&".join([*options, *(_DATAGRAMS if address.scheme == "udp" else ())])
        told = f"{address.location}?{told}"
    if f".{told.rpartition('/')[2].rpartition('.')[2]}".casefold() in _NOT_MEDIA:  # a name that is all ending, too
        raise ValueError(f"a CasparCG server takes that for a page or a picture, by its ending: {address.shown}")
    return told


def live_parameters(told: str) -> str:
    """What follows ``PLAY 1-12 ``."""
    return f"{quoted(told)} {PLAIN_CUT}"
