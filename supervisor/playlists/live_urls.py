"""Where a live input may come from. No message repeats an url: it may hold a passphrase or a key."""

from typing import Final
from urllib.parse import urlsplit

from supervisor.errors import Invalid

LIVE_SCHEMES: Final = ("srt", "rtmp", "rtmps", "udp", "http", "https")


def check_live_url(url: str) -> None:
    """Raises Invalid."""
    schemes = ", ".join(LIVE_SCHEMES)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("this url has characters that no url has", hint=f"One of {schemes}.")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise Invalid("this url cannot be read", hint="Write it as in srt://203.0.113.7:9000?mode=caller.") from None
    if parts.scheme not in LIVE_SCHEMES:
        raise Invalid(f"a live input does not come by {parts.scheme[:16]!r}", hint=f"One of {schemes}.")
    if not host and not (parts.scheme in ("srt", "udp") and parts.port is not None):
        raise Invalid("this url names no host", hint="Write it as in srt://203.0.113.7:9000?mode=caller.")
