"""What a file is and whether it can be played: ``python -m sidecar probe PATH…``."""

import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NoReturn

import av
import msgspec
from av.error import FFmpegError
from av.video.stream import VideoStream

from sidecar.media.opening import OpenMedia, Unusable, open_media, sentence, shortfall
from sidecar.media.reader import Reader
from sidecar.media.timing import grid_time
from sidecar.media.traits import traits
from sidecar.protocol.probe import Probe
from sidecar.rundown.rate import format_rate, frames_to_ms

DEADLINE = 10.0
"""Seconds one path may take."""
_AT_ONCE = 4
_TAIL = Fraction(1)
"""Seconds before the end that the index tells, from where the true end is looked for."""
_TAIL_BUDGET = 4.0
"""Seconds of work that may cost; a file too long for it keeps the length its index tells."""


def main(paths: Sequence[str]) -> NoReturn:
    """Prints a JSON line for every path, in order, and ends the process whatever still hangs in it."""
    for verdict in probe_all(paths):
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        sys.stdout.buffer.flush()
    os._exit(0)


def probe_all(paths: Sequence[str], deadline: float = DEADLINE) -> Iterator[Probe]:
    """The verdicts in order of ``paths``, a few being worked on at once.

    A path that takes longer than ``deadline`` seconds is refused and its thread abandoned as a daemon: end the
    process soon.
    """
    started: list[tuple[str, float, queue.SimpleQueue[Probe]]] = []
    waiting = list(reversed(paths))
    while waiting or started:
        while waiting and len(started) < _AT_ONCE:
            path = waiting.pop()
            answer: queue.SimpleQueue[Probe] = queue.SimpleQueue()
            threading.Thread(target=_answer, args=(path, answer), name="probe", daemon=True).start()
            started.append((path, time.monotonic() + deadline, answer))
        path, until, answer = started.pop(0)
        try:
            yield answer.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            why = f"no answer within {deadline:.0f} s, is its disk or server there? {path}"
            yield _refused(path, why, passes=True)


def probe(path: str) -> Probe:
    """Looks into one file: its streams, its first picture or sound decoded, its true end. Blocks as its disk does."""
    try:
        media = open_media(path)
    except Unusable as verdict:
        return _refused(path, str(verdict))
    try:
        return _look_into(media, path)
    except Unusable as verdict:
        return _refused(path, f"{verdict}: {path}")
    except FFmpegError as error:
        return _refused(path, sentence(error, path))
    finally:
        media.close()


def _answer(path: str, answer: queue.SimpleQueue[Probe]) -> None:
    try:
        answer.put(probe(path))
    except Exception as error:  # a fault here is a verdict on the one path, in the caller's hands
        answer.put(_refused(path, f"{type(error).__name__} while looking into it ({error}): {path}"))


def _refused(path: str, why: str, *, passes: bool = False) -> Probe:
    return Probe(_printable(path), "refused", refusal=_printable(why), passes=passes)


def _printable(text: str) -> str:
    """File names need not be UTF-8, JSON must be."""
    return text.encode("utf-8", "backslashreplace").decode()


def _look_into(media: OpenMedia, path: str) -> Probe:
    reader = Reader(media, Fraction(0), Fraction(0), per_field=False, seek=False)
    if media.picture is None or media.rate is None:
        reader.read_sound(1)
        if reader.sound.known < 1:
            raise Unusable("no sound in it could be decoded")
        rate = frames = None
        length = _told_length(media)
        milliseconds = None if length is None else int(length * 1000)
    else:
        rate = media.rate
        frames = _frames(media, media.picture, rate, reader.first)
        milliseconds = None if frames is None else frames_to_ms(frames, rate)
    seen = traits(media, None if milliseconds is None else Fraction(milliseconds, 1000))
    return Probe(
        path=_printable(path),
        verdict="usable",
        rate=None if rate is None else format_rate(rate),
        duration_frames=frames,
        duration_ms=milliseconds,
        width=media.picture.width if media.picture else None,
        height=media.picture.height if media.picture else None,
        video_codec=media.picture.codec_context.codec.canonical_name if media.picture else None,
        audio_codec=media.sound[0].codec_context.codec.canonical_name if media.sound else None,
        audio_channels=sum(s.codec_context.layout.nb_channels for s in media.sound) if media.sound else None,
        start_timecode=seen.start_timecode,
        scan=seen.scan,
        aspect=None if seen.aspect is None else str(seen.aspect),
        variable_rate=seen.variable_rate,
        captions=seen.captions,
        audio_tracks=seen.tracks,
        silent=seen.silent,
    )


def _frames(media: OpenMedia, picture: VideoStream, rate: Fraction, first: Fraction) -> int | None:
    """Frames at ``rate`` up to the last picture's end. ``Unusable`` for a file that its index says is longer."""
    told = _told_length(media)
    found = _found_length(media, picture, rate, first, told) if media.seekable else None
    if found is None:
        found = told
    elif missing := shortfall(picture, found):
        raise Unusable(f"cut short, it ends after {float(found):.1f} s and {float(missing):.1f} s are missing")
    return None if found is None else max(1, int(found * rate + Fraction(1, 2)))


def _told_length(media: OpenMedia) -> Fraction | None:
    """Seconds by the picture's header, or the container's."""
    stream = media.picture
    if stream is not None and stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return Fraction(media.container.duration, av.time_base) if media.container.duration is not None else None


def _found_length(
    media: OpenMedia, picture: VideoStream, rate: Fraction, first: Fraction, told: Fraction | None
) -> Fraction | None:
    """Seconds from the first picture to the end of the last, as the packets tell: those near the file's end, or all
    where there are none. None when that would take too long."""
    base = picture.time_base
    assert base is not None
    give_up = time.monotonic() + _TAIL_BUDGET
    for start in (max(Fraction(0), (told or Fraction(0)) - _TAIL), Fraction(0)):
        try:
            media.container.seek(int((first + start) / base), stream=picture)
            last = _last_packet(media, picture, give_up)
        except TimeoutError:
            return None
        except FFmpegError:
            continue
        if last is not None:
            stamp, duration = last
            length = duration * base
            if not duration or abs(length - 1 / rate) <= base * 3 / 2:
                length = 1 / rate
            return grid_time(stamp - round(first / base), base, rate) + length
    return None


def _last_packet(media: OpenMedia, picture: VideoStream, give_up: float) -> tuple[int, int] | None:
    """Time stamp and duration of the picture shown last; TimeoutError at ``give_up`` on the monotonic clock."""
    last: tuple[int, int] | None = None
    try:
        for packet in media.container.demux(picture):
            stamp = packet.dts if packet.pts is None or media.is_without_pts else packet.pts
            if packet.size and stamp is not None:
                last = max(last or (stamp, 0), (stamp, packet.duration or 0))
            if time.monotonic() > give_up:
                raise TimeoutError
    except FFmpegError:
        # The data ends before the index does: what was readable counts.
        return last
    return last
