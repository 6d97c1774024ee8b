"""What each output adds to the as-run's times, which hold where the frame leaves the playout clock. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from db.models import Output
from sidecar.protocol.channel import Encoding
from supervisor.schemas.asrun import OutputDelay
from supervisor.schemas.channel import OutputLive
from supervisor.schemas.stream_key import without_key

_SRT_MS: Final = 120
"""SRT's own where the address names none."""


def delays_of(outputs: Sequence[Output], live: Sequence[OutputLive]) -> tuple[OutputDelay, ...]:
    """In the channel's order. ``live``: what the sidecar says of them now; empty while the channel is off."""
    seen = {one.id: one for one in live}
    return tuple(_delay(output, seen.get(output.id)) for output in outputs)


def _delay(output: Output, live: OutputLive | None) -> OutputDelay:
    measured = None if live is None else live.delay_ms
    set_ms, words = _set(output, live)
    if output.kind == "hls":
        total = set_ms if measured is None else measured
    else:
        total = None if measured is None else measured + (set_ms or 0)
    return OutputDelay(
        output_id=output.id,
        kind=output.kind,
        place=without_key(output.url),
        measured_ms=measured,
        set_ms=set_ms,
        total_ms=total,
        note=words,
    )


def _set(output: Output, live: OutputLive | None) -> tuple[int | None, str]:
    match output.kind:
        case "hls":
            length = _gop_ms(output.encoding)
            return length, f"a segment of {length} ms is public once it is whole; players usually begin three back"
        case "srt":
            agreed = live.link.latency_ms if live is not None and live.link is not None else _latency_ms(output.url)
            return agreed, "the receiver holds it for SRT's latency; the network's own way is not in this"
        case "udp":
            return 0, "nothing is set; the network's own way is not in this"
        case "rtmp":
            return None, "what the far server and its players add is not known here"
        case "file":
            return 0, "nothing is set"
        case _:
            return None, "not known"


def _gop_ms(encoding: dict[str, Any] | None) -> int:
    found = (encoding or {}).get("gop_ms")
    return found if isinstance(found, int) else Encoding().gop_ms


def _latency_ms(url: str) -> int:
    """A url of the store was looked at when it was given."""
    named = [option.partition("=")[2] for option in url.partition("?")[2].split("&") if option.startswith("latency=")]
    return int(named[0]) if named and named[0].isdigit() else _SRT_MS


def in_words(delays: Sequence[OutputDelay]) -> str:
    """``hls 2034 ms; srt 161 ms; rtmp not measured``."""
    return "; ".join(f"{one.kind} {'not measured' if one.total_ms is None else f'{one.total_ms} ms'}" for one in delays)
