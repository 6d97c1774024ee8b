"""Channel formats and outputs as people write them: ``1080p29.97``, ``udp://239.0.0.1:5000``."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from supervisor.schemas.channel import ChannelFormat, Encoding, OutputIn, TransportStream

EXAMPLES = "720p25, 720p50, 720p59.94, 1080p25, 1080p29.97, 1080p50, 2160p25, 1280x720p25, 1920x1080p30000/1001"

_WIDTHS = {360: 640, 480: 854, 540: 960, 576: 1024, 720: 1280, 1080: 1920, 1440: 2560, 2160: 3840, 4320: 7680}
"""Square pixels at 16:9, to the nearest even width."""

_NTSC = {"23.976": 24, "23.98": 24, "29.97": 30, "47.952": 48, "47.95": 48, "59.94": 60, "119.88": 120}
"""What the trade writes for n * 1000 / 1001."""

_FASTEST = 240  # frames a second

_FORMAT = re.compile(r"(?:(?P<width>\d{1,5})x)?(?P<height>\d{1,5})(?P<scan>[pi])(?P<rate>[0-9./]{1,20})", re.ASCII)


def parse_format(text: str) -> ChannelFormat:
    """``1080p25`` or ``1280x720p30000/1001`` as a format. Raises ValueError with a sentence and examples."""
    match = _FORMAT.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"not a format: {text!r}; write one like {EXAMPLES}")
    if match["scan"] == "i":
        raise ValueError(f"{text!r} is interlaced, and channels are progressive; write one like {EXAMPLES}")
    height = int(match["height"])
    width = int(match["width"]) if match["width"] else _WIDTHS.get(height)
    if width is None:
        raise ValueError(f"how wide is {height}p? Write the width too, as in 1280x720p25; common ones: {EXAMPLES}")
    if width % 2 or height % 2 or not 64 <= width <= 7680 or not 64 <= height <= 4320:
        raise ValueError(
            f"{width}x{height} cannot be encoded: both even, from 64x64 to 7680x4320; examples: {EXAMPLES}"
        )
    return ChannelFormat(width=width, height=height, rate=_rate(match["rate"], text))


def _rate(written: str, text: str) -> str:
    if written in _NTSC:
        return f"{_NTSC[written] * 1000}/1001"
    numerator, slash, denominator = written.partition("/")
    known = numerator.isdigit() and (denominator.isdigit() if slash else True)
    if not known or not int(numerator) or (slash and not int(denominator)):
        raise ValueError(f"not a frame rate: {written!r} in {text!r}; write one like {EXAMPLES}, or a fraction as 25/2")
    over = int(denominator) if slash else 1
    if not over <= int(numerator) <= _FASTEST * over or len(numerator) > 7 or len(denominator) > 7:
        raise ValueError(
            f"a frame rate goes from 1 to {_FASTEST}, and {written!r} in {text!r} does not; examples: {EXAMPLES}"
        )
    return f"{int(numerator)}/{over}" if over > 1 else str(int(numerator))


def format_label(format_: ChannelFormat) -> str:
    """``1080p29.97`` when the width is the usual one, else ``1440x1080p25``."""
    size = f"{format_.height}" if _WIDTHS.get(format_.height) == format_.width else f"{format_.width}x{format_.height}"
    for written, nominal in _NTSC.items():
        if format_.rate == f"{nominal * 1000}/1001":
            return f"{size}p{written}"
    return f"{size}p{format_.rate}"


OUTPUTS = (
    "hls, udp://239.0.0.1:5000, udp://239.0.0.1:5000?lease_stop, srt://host:9000?latency=200, "
    "srt://:9000?mode=listener, rtmp://host/app/key, file:NAME.ts or decklink://1"
)


def parse_output(text: str) -> OutputIn:
    """An output as people write it, one of ``OUTPUTS``; the supervisor checks the rest. Raises ValueError.

    ``?lease_stop`` is no option of the address but the output's own choice: it stops when its lease ends.
    """
    written = text.strip()
    if written.lower() in ("hls", "hls:", "hls://"):
        return OutputIn(kind="hls")
    scheme = written.partition(":")[0].lower()
    if scheme in {"rtmp", "rtmps"}:
        return OutputIn(kind="rtmp", url=written)
    if scheme == "decklink":
        return OutputIn(kind="decklink", url=written)
    if scheme == "srt":
        return _with_own(OutputIn(kind="srt", url=""), written)
    if scheme == "file":
        return _with_own(OutputIn(kind="file", url=""), written)
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not an output: {text!r} ({error}); write {OUTPUTS}") from error
    if scheme != "udp":
        raise ValueError(f"not an output: {text!r}; write {OUTPUTS}")
    if not parts.hostname or not port:
        raise ValueError(f"{text!r} names no host and port; write {OUTPUTS}")
    options = [option for option in parts.query.split("&") if option]
    kept = [option for option in options if option not in {"lease_stop", "lease-stop"}]
    url = written if kept == options else parts._replace(query="&".join(kept)).geturl()
    return _with_own(OutputIn(kind="udp", url="", lease_stop=kept != options), url)


def _with_own(output: OutputIn, written: str) -> OutputIn:
    """What is the output's own and not its address's: ``mux_rate=6M``, ``service_name=..``, ``video_pid=0x65``,
    ``video_bit_rate=4M``, ``preset=..`` and so on. Raises ValueError."""
    place, _, query = written.partition("?")
    kept: list[str] = []
    own: dict[str, dict[str, str | int]] = {"transport": {}, "encoding": {}}
    for option in filter(None, query.split("&")):
        name, _, value = option.partition("=")
        group = next((key for key, model in _OWN.items() if name in model.model_fields), None)
        if group is None:
            kept.append(option)
        else:
            own[group][name] = _own_value(name, unquote(value))
    try:
        return output.model_copy(
            update={
                "url": f"{place}?{'&'.join(kept)}" if kept else place,
                "transport": TransportStream.model_validate(own["transport"]) if own["transport"] else None,
                "encoding": Encoding.model_validate(own["encoding"]) if own["encoding"] else None,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


_OWN: Final = {"transport": TransportStream, "encoding": Encoding}
_SCALES: Final = {"k": 1000, "M": 1_000_000}


def _own_value(name: str, text: str) -> str | int:
    if name in {"service_name", "provider", "preset"}:
        return text
    scale = _SCALES.get(text[-1:], 1)
    number = text[:-1] if scale > 1 else text
    try:
        return int(number, 0) * scale
    except ValueError:
        raise ValueError(f"{name} is a number, as in 4M, 128k or 0x65, not {text!r}") from None
