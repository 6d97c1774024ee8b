"""``srt://host:port?mode=caller|listener&latency=MS&passphrase=…&pbkeylen=16|24|32&streamid=…`` as a value.

Options are written as srt-live-transmit does, latency in milliseconds. Passphrase and stream id are passwords: whoever
has them can take the programme, or send in its place.
"""

from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

SrtMode = Literal["caller", "listener"]

USUAL_LATENCY_MS: Final = 120
_LONGEST: Final = 1024
_MOST_LATENCY_MS: Final = 60_000
_FORM: Final = "write srt://host:port, or srt://0.0.0.0:port?mode=listener"


@dataclass(frozen=True, slots=True)
class SrtAddress:
    """``host`` is whom a caller calls, or the address that a listener listens on. A listener with a ``stream_id``
    takes only callers that name it."""

    host: str
    port: int
    mode: SrtMode = "caller"
    latency_ms: int = USUAL_LATENCY_MS
    passphrase: str = field(default="", repr=False)
    key_bytes: int = 16
    stream_id: str = field(default="", repr=False)


def parse_srt_url(url: str) -> SrtAddress:
    """Raises ValueError with what is wrong, which repeats no option's value that is secret."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or any(letter in url for letter in " \"'<>\\"):
        raise ValueError("an address of SRT is printable ASCII without spaces and quotes, at most 1024 characters")
    parts = urlsplit(url)
    if parts.scheme != "srt" or parts.path not in ("", "/") or parts.username is not None or "#" in url:
        raise ValueError(f"not an address of SRT; {_FORM}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not port:
        raise ValueError(f"an address of SRT has a port from 1 to 65535; {_FORM}")
    options = _options(parts.query)
    mode = options.get("mode", "caller")
    if mode not in ("caller", "listener"):
        raise ValueError("mode is caller or listener")
    host = parts.hostname or ""
    if not host and mode == "caller":
        raise ValueError(f"a caller needs a host to call; {_FORM}")
    passphrase, stream_id = options.get("passphrase", ""), options.get("streamid", "")
    if passphrase and not 10 <= len(passphrase.encode()) <= 79:
        raise ValueError("a passphrase of SRT has 10 to 79 characters")
    if len(stream_id.encode()) > 512:
        raise ValueError("a streamid of SRT has at most 512 characters")
    latency_ms = _number(options, "latency", USUAL_LATENCY_MS, 0, _MOST_LATENCY_MS)
    key_bytes = _number(options, "pbkeylen", 16, 16, 32)
    if key_bytes not in (16, 24, 32):
        raise ValueError("pbkeylen is 16, 24 or 32")
    return SrtAddress(host or "0.0.0.0", port, mode, latency_ms, passphrase, key_bytes, stream_id)  # noqa: S104


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for option in filter(None, query.split("&")):
        name, equals, value = option.partition("=")
        if name not in ("mode", "latency", "passphrase", "pbkeylen", "streamid") or not equals or name in options:
            # Nothing of it is repeated: it may be the rest of a passphrase.
            raise ValueError(
                "the options are mode, latency, passphrase, pbkeylen and streamid, each once and with =; "
                "an & within one is written %26"
            )
        options[name] = unquote(value)
    return options


def _number(options: dict[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = options.get(name, str(usual))
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise ValueError(f"{name} is {least} to {most}")
    return int(text)
