"""What checks ahead of air need to know of a file beside its length: looked at in a few places, within a budget."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sidecar.media.opening import OpenMedia

Scan = Literal["progressive", "interlaced"]

QUIET: Final = 0.001
"""Of full scale, -60 dBFS: a sound that never peaks above it counts as silence."""
PLACES: Final = 5
PICTURES: Final = 24
"""Decoded in each place; captions are in every one of a captioned file or in every other."""
SECONDS: Final = Fraction(2)
"""Of sound decoded in each place."""
BUDGET: Final = 2.0
"""Seconds of work; what was not looked at by then stays open."""
_PACKETS: Final = 200
_REORDERED: Final = 16
"""Time stamps at either end of a run of packets whose neighbours may lie outside it."""
_LABEL: Final = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d)[:;.](\d{2,3})", re.ASCII)
_CAPTION_CODECS: Final = frozenset({"eia_608", "cc_dec"})


@dataclass(frozen=True, slots=True)
class Traits:
    """None: not known. ``tracks`` are the layouts of all sound streams in the file's order (``mono``, ``5.1``…),
    ``silent`` is of the sound that airs, ``captions`` of CEA-608/708 in the picture or in a track of its own."""

    start_timecode: str | None = None
    scan: Scan | None = None
    aspect: Fraction | None = None
    variable_rate: bool | None = None
    captions: bool | None = None
    tracks: tuple[str, ...] = ()
    silent: bool | None = None


def traits(media: OpenMedia, length: Fraction | None) -> Traits:
    """``length`` in seconds. Seeks in the file, and leaves it anywhere. Never raises for what the file holds."""
    seen = _Seen()
    if media.seekable:
        _look(media, length, seen)
    picture = media.picture
    captioned = any(_codec(stream) in _CAPTION_CODECS for stream in media.container.streams)
    return Traits(
        start_timecode=start_timecode(media),
        scan=None if not seen.pictures else "interlaced" if seen.interlaced * 2 > seen.pictures else "progressive",
        aspect=None if picture is None else _aspect(picture, turned=seen.turned),
        variable_rate=None if picture is None or media.rate is None else _varies(seen.stamps, picture, media.rate),
        captions=True if captioned or seen.captions else False if seen.pictures else None,
        tracks=tuple(map(_layout, media.container.streams.audio)),
        silent=None if not seen.samples else seen.peak < QUIET,
    )


def start_timecode(media: OpenMedia) -> str | None:
    """The label of the file's first frame as its container or a stream of it tells; None where none does."""
    told: list[str | None] = [media.container.metadata.get("timecode")]
    told += [stream.metadata.get("timecode") for stream in media.container.streams]
    for text in told:
        if text and (found := _LABEL.fullmatch(text.strip())):
            separator = ";" if ";" in text or "." in text else ":"
            return f"{found[1]}:{found[2]}:{found[3]}{separator}{found[4]}"
    return None


@dataclass(slots=True)
class _Seen:
    pictures: int = 0
    interlaced: int = 0
    captions: bool = False
    turned: bool = False
    samples: int = 0
    peak: float = 0.0
    stamps: list[list[int]] = field(default_factory=list[list[int]])
    """Time stamps of runs of packets, one list a place; a place with an unstamped packet has none."""


def _look(media: OpenMedia, length: Fraction | None, seen: _Seen) -> None:
    until = time.monotonic() + BUDGET
    streams: list[Stream] = [*([media.picture] if media.picture else []), *media.sound]
    places = range(PLACES) if length is not None and length > PLACES * SECONDS else range(1)
    for place in places:
        # Before the beginning, for the first: a transport stream is entered behind its first key picture else.
        start = Fraction(-1) if length is None or not place else length * place / PLACES
        try:
            media.container.seek(_origin(media) + int(start * 1_000_000), backward=True)
            for stream in streams:
                if isinstance(stream, VideoStream | AudioStream):
                    stream.codec_context.flush_buffers()
            _look_here(media, streams, seen, until, SECONDS if len(places) > 1 else length or SECONDS)
        except (FFmpegError, OSError, ValueError):
            continue
        if time.monotonic() > until:
            return


def _origin(media: OpenMedia) -> int:
    """Where the file's time begins, in microseconds."""
    return media.container.start_time or 0


def _look_here(media: OpenMedia, streams: Sequence[Stream], seen: _Seen, until: float, seconds: Fraction) -> None:
    stamps: list[int] = []
    stamped, pictures = True, 0
    heard = {stream.index: Fraction(0) for stream in media.sound}
    for packet in media.container.demux(*streams):
        if time.monotonic() > until:
            break
        if not packet.size:
            continue
        if isinstance(packet.stream, VideoStream):
            stamp = packet.dts if media.is_without_pts or packet.pts is None else packet.pts
            stamped = stamped and stamp is not None
            if stamp is not None and len(stamps) < _PACKETS:
                stamps.append(stamp)
            if pictures < PICTURES:
                pictures += _see(_decoded(packet), seen)
        elif heard.get(packet.stream_index, seconds) < seconds:
            heard[packet.stream_index] += _hear(_decoded(packet), seen)
        full = media.picture is None or (pictures >= PICTURES and len(stamps) >= _PACKETS // 2)
        if full and all(enough >= seconds for enough in heard.values()):
            break
    if stamped:
        seen.stamps.append(stamps)


def _decoded(packet: Packet) -> Iterable[object]:
    try:
        return packet.decode()
    except (FFmpegError, EOFError):
        return ()


def _see(frames: Iterable[object], seen: _Seen) -> int:
    count = 0
    for frame in frames:
        if isinstance(frame, VideoFrame):
            count += 1
            seen.interlaced += frame.interlaced_frame
            seen.turned = seen.turned or frame.rotation % 180 == 90
            seen.captions = seen.captions or frame.side_data.get("A53_CC") is not None
    seen.pictures += count
    return count


def _hear(frames: Iterable[object], seen: _Seen) -> Fraction:
    seconds = Fraction(0)
    for frame in frames:
        if isinstance(frame, AudioFrame) and frame.samples:
            seen.peak = max(seen.peak, _peak(frame))
            seen.samples += frame.samples
            seconds += Fraction(frame.samples, frame.sample_rate)
    return seconds


def _peak(frame: AudioFrame) -> float:
    """Of full scale."""
    samples = frame.to_ndarray()
    if samples.dtype == np.uint8:
        return float(np.abs(samples.astype(np.int16) - 128).max()) / 128
    full_scale = {"int16": 2.0**15, "int32": 2.0**31}.get(samples.dtype.name, 1.0)
    return float(np.abs(samples.astype(np.float64)).max()) / full_scale


def _codec(stream: Stream) -> str:
    """PyAV's stub forgets that a stream without a decoder has no context."""
    context = cast("CodecContext | None", stream.codec_context)
    return "" if context is None else context.name


def _layout(stream: AudioStream) -> str:
    """One channel is mono, whether or not the file says where it belongs."""
    if not _codec(stream):
        return "unknown"
    layout = stream.codec_context.layout
    return "mono" if layout.nb_channels == 1 else layout.name


def _aspect(picture: VideoStream, *, turned: bool) -> Fraction | None:
    """Width to height as it is seen."""
    if not picture.width or not picture.height:
        return None
    sample = picture.sample_aspect_ratio or picture.codec_context.sample_aspect_ratio
    shape = Fraction(picture.width, picture.height) * (sample if sample and sample > 0 else 1)
    return 1 / shape if turned else shape


def _varies(runs: Sequence[Sequence[int]], picture: VideoStream, rate: Fraction) -> bool | None:
    """Whether pictures are further apart or nearer than the rate says, by more than rounding; None without stamps."""
    base = picture.time_base
    if base is None:
        return None
    compared = 0
    for run in runs:
        stamps = sorted(run)
        inner = stamps[_REORDERED:-_REORDERED] if len(stamps) > 3 * _REORDERED else stamps[4:-4]
        for before, after in pairwise(inner):
            compared += 1
            off = abs((after - before) * base - 1 / rate)
            if off > 2 * base and off * rate > Fraction(1, 4):
                return True
    return False if compared else None
