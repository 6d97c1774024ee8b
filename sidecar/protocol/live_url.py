"""The address of a live input as a value. Its passphrase, stream key and tokens are shown to nobody.

* ``srt://host:port[?mode=caller|listener&passphrase=…&pbkeylen=16|24|32&streamid=…&latency=ms]``; a listener may leave
  the host out.
* ``udp://group-or-host:port[?localaddr=address]``: an MPEG transport stream, by multicast or to this machine.
* ``rtmp://host[:port]/app/key`` and ``rtmps://…`` are pulled; with ``?listen=1`` the input waits for a publisher.
* ``http://…`` and ``https://…``: HLS, or a transport stream.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

LiveScheme = Literal["srt", "udp", "rtmp", "rtmps", "http", "https"]

HINT: Final = (
    "Write srt://host:port, srt://:port?mode=listener, udp://239.1.1.1:5000, rtmp://host/app/key or "
    "https://host/path/index.m3u8."
)
_LONGEST = 1024
_SRT_OPTIONS: Final = ("mode", "passphrase", "pbkeylen", "streamid", "latency")
_SCHEMES: Final = frozenset(get_args(LiveScheme))
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """``location`` and ``options`` are what FFmpeg is given; ``shown`` is all that may be told of it."""

    scheme: LiveScheme
    host: str
    port: int | None
    listens: bool
    location: str = field(repr=False)
    options: Mapping[str, str] = field(repr=False, hash=False)
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def shown(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{host}{port}{' (listener)' if self.listens else ''}"

    def masked(self, text: str) -> str:
        """``text`` without the secrets of this address, whoever put them there."""
        for secret in self.secrets:
            text = text.replace(secret, "•••")
        return text


def parse_live_url(url: str) -> LiveAddress:
    """Raises ValueError with what is wrong, which repeats nothing behind the port."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or any(letter in url for letter in " \"'<>\\"):
        raise ValueError(
            "the url of a live input is printable ASCII without blanks and quotes, at most 1024 characters"
        )
    scheme = url.partition(":")[0].lower()
    if scheme not in _SCHEMES:
        raise ValueError(f"a live input comes by {', '.join(get_args(LiveScheme))}, not by {scheme[:20]!r}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"this {scheme} url cannot be read: is its port a number up to 65535?") from None
    if parts.username is not None or parts.password is not None or "#" in url:
        raise ValueError("the url of a live input has no user, no password and no fragment")
    if port == 0:
        raise ValueError("the port of a live input is 1 to 65535")
    return _PARSERS[scheme](parts, port)


def shown_live_url(url: str) -> str:
    """What of ``url`` may be told to anyone, also of one that cannot be parsed."""
    try:
        return parse_live_url(url).shown
    except ValueError:
        return "an address that cannot be read"


def _srt(parts: SplitResult, port: int | None) -> LiveAddress:
    if port is None:
        raise ValueError("an srt input needs a port; write srt://host:port")
    if parts.path not in ("", "/"):
        raise ValueError("an srt input has no path; its stream is named by ?streamid=")
    options: dict[str, str] = {}
    secrets: list[str] = []
    listens = False
    for name, value in _query(parts):
        match name:
            case "mode" if value in ("caller", "listener"):
                listens = value == "listener"
            case "passphrase" if 10 <= len(value) <= 79:
                options[name] = value
                secrets.append(value)
            case "pbkeylen" if value in ("16", "24", "32"):
                options[name] = value
            case "streamid" if 1 <= len(value) <= 512:
                options[name] = value
                secrets.append(value)
            case "latency" if _is_number(value, 0, 10_000):
                options[name] = str(int(value) * 1000)  # FFmpeg counts it in microseconds
            case _:
                raise ValueError(
                    f"an srt input has no option {_named(name, _SRT_OPTIONS)}; there are mode=caller|listener, "
                    "passphrase (10 to 79 characters), pbkeylen=16|24|32, streamid and latency (ms, up to 10000); "
                    "an & within one is written %26"
                )
    host = _host(parts, default="0.0.0.0" if listens else "")  # noqa: S104 - a listener without a host is for all
    options["mode"] = "listener" if listens else "caller"
    return LiveAddress("srt", host, port, listens, _location("srt", host, port), options, tuple(secrets))


def _udp(parts: SplitResult, port: int | None) -> LiveAddress:
    if port is None:
        raise ValueError("a udp input needs a port; write udp://239.1.1.1:5000")
    if parts.path not in ("", "/"):
        raise ValueError("a udp input has no path")
    options: dict[str, str] = {}
    for name, value in _query(parts):
        if name != "localaddr" or not _is_address(value):
            raise ValueError(f"a udp input has no option {_named(name, ('localaddr',))}; there is localaddr=ADDRESS")
        options[name] = value
    host = _host(parts, default="0.0.0.0")  # noqa: S104 - as for srt
    return LiveAddress("udp", host, port, False, _location("udp", host, port), options, ())


def _rtmp(parts: SplitResult, port: int | None) -> LiveAddress:
    query = [pair for pair in parts.query.split("&") if pair]
    listens = "listen=1" in query
    rest = "&".join(pair for pair in query if pair != "listen=1")
    app, _, key = parts.path.removeprefix("/").rpartition("/")
    if not app or not key:
        raise ValueError("an rtmp input needs an app and a key; write rtmp://host/app/key")
    if listens and parts.scheme != "rtmp":
        raise ValueError("only rtmp can listen, rtmps cannot")
    key = f"{key}?{rest}" if rest else key
    host = _host(parts)
    location = f"{_location(parts.scheme, host, port)}/{app}/{key}"
    options = {"listen": "1"} if listens else {"rtmp_live": "live"}
    scheme: LiveScheme = "rtmps" if parts.scheme == "rtmps" else "rtmp"
    return LiveAddress(scheme, host, port, listens, location, options, (key,))


def _http(parts: SplitResult, port: int | None) -> LiveAddress:
    scheme: LiveScheme = "https" if parts.scheme == "https" else "http"
    host = _host(parts)
    query = f"?{parts.query}" if parts.query else ""
    location = f"{_location(scheme, host, port)}{parts.path or '/'}{query}"
    return LiveAddress(scheme, host, port, False, location, {}, (parts.query,) if parts.query else ())


def _named(name: str, known: tuple[str, ...]) -> str:
    """An option that is none is not repeated: it may be the rest of a passphrase."""
    return f"{name!r} of that value" if name in known else "like one of these"


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("the options behind the ? of a live input are name=value, joined by &") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("an option of a live input is given twice")
    return pairs


def _host(parts: SplitResult, default: str = "") -> str:
    host = parts.hostname or default
    if not host:
        raise ValueError(f"the {parts.scheme} url of a live input names no host")
    if not (_is_address(host) or (_HOST.fullmatch(host) and len(host) <= 253)):
        raise ValueError(f"the {parts.scheme} url of a live input names no host that there can be: {host[:60]!r}")
    return host


def _location(scheme: str, host: str, port: int | None) -> str:
    quoted = f"[{host}]" if ":" in host else quote(host)
    return f"{scheme}://{quoted}" if port is None else f"{scheme}://{quoted}:{port}"


def _is_number(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_PARSERS: Final[Mapping[str, Callable[[SplitResult, int | None], LiveAddress]]] = {
    "srt": _srt,
    "udp": _udp,
    "rtmp": _rtmp,
    "rtmps": _rtmp,
    "http": _http,
    "https": _http,
}
