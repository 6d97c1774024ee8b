"""What an output may be: checks that a schema cannot make.

No message repeats an RTMP or SRT url: whoever has its key can send in the channel's place, and messages are kept in
logs.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from db.repositories.channels import OutputSpec
from supervisor.errors import Invalid
from supervisor.schemas.channel import OutputIn, OutputKind
from supervisor.schemas.stream_key import without_key

LEAD_ELSEWHERE: Final = frozenset({"udp", "srt", "rtmp"})
"""Kinds whose url names a host."""

_UDP_HINT: Final = "Write udp://239.1.1.1:5000 or udp://10.0.0.7:5000?ttl=8."
_RTMP_HINT: Final = "Write rtmp://host/app/key or rtmps://host:443/app/key."
_SRT_HINT: Final = (
    "Write srt://host:port to call a receiver, or srt://:9000?mode=listener to be called; "
    "blanks and signs in a passphrase or streamid as %20 and so on."
)
_FILE_HINT: Final = "It is written to <media root>/recordings/<channel id>/."
_FILE: Final = re.compile(r"file:\w[\w. -]{0,100}", re.ASCII)
_SRT_OPTIONS: Final[Mapping[str, Callable[[str], bool]]] = {
    "mode": lambda text: text in {"caller", "listener"},
    "latency": lambda text: text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 60_000,
    "passphrase": lambda text: 10 <= len(text.encode()) <= 79,
    "pbkeylen": lambda text: text in {"16", "24", "32"},
    "streamid": lambda text: len(text.encode()) <= 512,
}
_SRT_WANTED: Final = {
    "mode": "caller or listener", "latency": "0 to 60000 milliseconds", "passphrase": "10 to 79 characters",
    "pbkeylen": "16, 24 or 32", "streamid": "at most 512 characters",
}  # fmt: skip
_CARD_HINT: Final = "Write decklink://1, or decklink://1?key=2 for fill and key; cards are counted from 1."
_HOST: Final = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?", re.ASCII | re.IGNORECASE
)
_RTMP_PATH: Final = re.compile(r"/[\w.~!$&'()*+,;=:@%-]+(/[\w.~!$&'()*+,;=:@%-]+)+", re.ASCII)
_RTMP_QUERY: Final = re.compile(r"[\w.~!$&'()*+,;=:@%/?-]*", re.ASCII)
_CARD: Final = re.compile(r"decklink://([1-9][0-9]?)(?:\?key=([1-9][0-9]?))?", re.ASCII)


def output_specs(outputs: Sequence[OutputIn]) -> list[OutputSpec]:
    """Outputs as they are stored. Raises Invalid."""
    for output in outputs:
        _CHECKS[output.kind](output.url)
        _check_own(output)
        if output.lease_stop and output.kind != "udp":
            raise Invalid(
                f"lease_stop is an udp output's choice, and this one is {output.kind}",
                hint="Leave it out: the others have a rule of their own, which mcr channel show says.",
            )
    if sum(output.kind == "hls" for output in outputs) > 1:
        raise Invalid("a channel has at most one hls output: its place follows from the channel")
    urls = [output.url for output in outputs if output.url]
    if len(set(urls)) != len(urls):
        raise Invalid("two outputs have the same url")
    cards = [index for output in outputs if output.kind == "decklink" for index in cards_of(output.url)]
    if len(set(cards)) != len(cards):
        raise Invalid("two outputs use the same card port", hint=_CARD_HINT)
    return [
        OutputSpec(
            output.kind,
            output.url,
            output.lease_stop,
            None if output.transport is None else output.transport.model_dump(),
            None if output.encoding is None else output.encoding.model_dump(),
        )
        for output in outputs
    ]


def require_node(kinds: Sequence[str], node_id: object) -> None:
    """A card is in one machine: raises Invalid for a channel with a decklink output and no node to play on."""
    if "decklink" in kinds and node_id is None:
        raise Invalid(
            "a decklink output needs the node that the card is in",
            hint="Give node_id (mcr channel add --node NAME), or another output.",
        )


def cards_of(url: str) -> tuple[int, ...]:
    """The card ports of a decklink output, counted from 1: the fill, and the key where there is one. Raises Invalid."""
    match = _CARD.fullmatch(url)
    if match is None:
        raise Invalid(f"{_told(url)[:60]!r} names no card", hint=_CARD_HINT)
    ports = tuple(int(group) for group in match.groups() if group is not None)
    if len(set(ports)) != len(ports):
        raise Invalid(f"{url!r} has fill and key on one port", hint=_CARD_HINT)
    return ports


def _check_hls(url: str) -> None:
    if url:
        raise Invalid("an hls output has no url", hint="Its place is <media root>/live/<channel id>/.")


def _check_card(url: str) -> None:
    cards_of(url)


def _check_udp(url: str) -> None:
    """``udp://host:port[?ttl=..&localaddr=..]``. Raises Invalid."""
    shown = _told(url)
    parts, port = _split(url, repr(shown), _UDP_HINT)
    if parts.scheme != "udp":
        raise Invalid(f"a udp output goes to udp://host:port, not to {shown!r}", hint=_UDP_HINT)
    if not parts.hostname or not port:
        raise Invalid(f"the url {shown!r} lacks a host or a port", hint=_UDP_HINT)
    if parts.username is not None or parts.password is not None or parts.path not in {"", "/"} or parts.fragment:
        raise Invalid(f"the url {shown!r} has more than host, port and options", hint=_UDP_HINT)
    for option in filter(None, parts.query.split("&")):
        name, _, value = option.partition("=")
        if name == "ttl" and value.isascii() and value.isdigit() and 1 <= int(value) <= 255:
            continue
        if name == "localaddr" and _is_address(value):
            continue
        raise Invalid(
            f"the url {shown!r} has the option {option!r}: only ttl=1..255 and localaddr=ADDRESS",
            hint="lease_stop is a field of the output and not of its url." if name == "lease_stop" else _UDP_HINT,
        )


def _check_srt(url: str) -> None:
    """Raises Invalid, without passphrase and stream id."""
    parts, port = _split(url, "of the srt output", _SRT_HINT)
    host = parts.hostname or ""
    if parts.scheme != "srt" or not port or parts.username is not None or parts.path not in {"", "/"} or "#" in url:
        raise Invalid("an srt output goes to srt://host:port, with options and nothing else", hint=_SRT_HINT)
    options: dict[str, str] = {}
    for option in filter(None, parts.query.split("&")):
        name, equals, value = option.partition("=")
        if name not in _SRT_OPTIONS or not equals or name in options:
            raise Invalid(
                f"the srt output has the option {name[:20]!r}: there are {', '.join(_SRT_OPTIONS)}, each once",
                hint=_SRT_HINT,
            )
        if not _SRT_OPTIONS[name](unquote(value)):
            raise Invalid(f"the srt output's {name} cannot be: {_SRT_WANTED[name]}", hint=_SRT_HINT)
        options[name] = value
    is_listener = options.get("mode") == "listener"
    if not (_is_address(host) or _HOST.fullmatch(host) or (is_listener and not host)) or len(host) > 253:
        raise Invalid("the srt output names no host", hint=_SRT_HINT)


def _check_file(url: str) -> None:
    """``file:NAME``, which no path can be: recordings lie below the media root and nowhere else. Raises Invalid."""
    if _FILE.fullmatch(url) is None:
        shown = _told(url)[:60]
        raise Invalid(f"a file output is file:NAME.ts, a name without folders, not {shown!r}", hint=_FILE_HINT)


def _check_own(output: OutputIn) -> None:
    """Raises Invalid for what this kind has nothing of, and for a stream that no muxer can make."""
    transport = output.transport
    if transport is not None and output.kind not in {"udp", "srt", "file"}:
        raise Invalid(f"transport is for udp, srt and file outputs, and this one is {output.kind}")
    if output.encoding is not None and output.kind == "decklink":
        raise Invalid("a decklink output is not encoded: leave encoding out")
    if transport is not None and len({transport.pmt_pid, transport.video_pid, transport.audio_pid}) < 3:
        raise Invalid("pmt_pid, video_pid and audio_pid are three different numbers")


def _check_rtmp(url: str) -> None:
    """``rtmp://`` or ``rtmps://host[:port]/app/key``. Raises Invalid, without the key."""
    shown = without_key(url)[:200]
    parts, port = _split(url, "of the rtmp output", _RTMP_HINT)
    if parts.scheme not in {"rtmp", "rtmps"}:
        raise Invalid("an rtmp output's url begins with rtmp:// or rtmps://", hint=_RTMP_HINT)
    if parts.username is not None or parts.password is not None:
        raise Invalid(f"{shown!r} has a user in it", hint=_RTMP_HINT)
    host = parts.hostname or ""
    if not (_is_address(host) or _HOST.fullmatch(host)) or len(host) > 253:
        raise Invalid(f"{shown!r} names no host", hint=_RTMP_HINT)
    if port == 0:
        raise Invalid(f"{shown!r} has no port that can be reached", hint=_RTMP_HINT)
    if _RTMP_PATH.fullmatch(parts.path) is None:
        raise Invalid(f"{shown!r} needs an app and a key, as one word each", hint=_RTMP_HINT)
    if "#" in url or _RTMP_QUERY.fullmatch(parts.query) is None:
        raise Invalid(f"{shown!r} has characters in its key that cannot be sent", hint=_RTMP_HINT)


def _split(url: str, shown: str, hint: str) -> tuple[SplitResult, int | None]:
    if any(character.isspace() or not character.isprintable() for character in url):
        raise Invalid(f"the url {shown} holds blanks or controls", hint=hint)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # What urllib says of a bad port repeats no more of the url than that.
        raise Invalid(f"the url {shown} cannot be read: {error}", hint=hint) from None
    return parts, port


def _told(url: str) -> str:
    """Also of another kind's url, or of one with a password in it."""
    scheme, mark, rest = without_key(url).partition("://")
    return (f"{scheme}://***@{rest.rpartition('@')[2]}" if mark and "@" in rest else f"{scheme}{mark}{rest}")[:200]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_CHECKS: Final[Mapping[OutputKind, Callable[[str], None]]] = {
    "hls": _check_hls,
    "udp": _check_udp,
    "srt": _check_srt,
    "file": _check_file,
    "rtmp": _check_rtmp,
    "decklink": _check_card,
}
