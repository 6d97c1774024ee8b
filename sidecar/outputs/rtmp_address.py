"""``rtmp://host[:port]/app/key`` and ``rtmps://…`` as a value. The key is a password: whoever has it can go to air."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PORTS = {"rtmp": 1935, "rtmps": 443}
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class RtmpAddress:
    """``app`` may have several parts; ``key`` is the last one, with its query if it has one, and is shown to nobody."""

    host: str
    port: int
    app: str
    key: str = field(repr=False)
    secure: bool = False

    @property
    def tc_url(self) -> str:
        """What the server is told that we connected to: without the key."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "rtmps" if self.secure else "rtmp"
        port = "" if self.port == _PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{host}{port}/{self.app}"

    def masked(self, text: str) -> str:
        """``text`` without the key, whoever put it there."""
        return text.replace(self.key, "•••")


def parse_rtmp_url(url: str) -> RtmpAddress:
    """Raises ValueError with what is wrong, which names no part of the path."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or any(letter in url for letter in " \"'<>\\"):
        raise ValueError("an address of RTMP is printable ASCII without spaces and quotes, at most 1024 characters")
    parts = urlsplit(url)
    app, _, key = parts.path.removeprefix("/").rpartition("/")
    if parts.scheme not in _PORTS or not parts.hostname or not app or not key or "" in app.split("/"):
        raise ValueError("not an address of RTMP; write rtmp://host/app/key or rtmps://host/app/key")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise ValueError("an address of RTMP has no user, no password and no fragment; the key goes last")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("the port of an address of RTMP is 1 to 65535")
    key = f"{key}?{parts.query}" if parts.query else key
    return RtmpAddress(parts.hostname, port or _PORTS[parts.scheme], app, key, parts.scheme == "rtmps")
