"""How loud a file is as it airs: ``python -m sidecar loudness PATH``."""

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NoReturn

import msgspec
from av.error import FFmpegError

from sidecar.engine.loudness import LoudnessMeter
from sidecar.media.opening import OpenMedia, Unusable, open_media, sentence
from sidecar.media.reader import Reader
from sidecar.media.sound import NEVER
from sidecar.protocol.measurement import Measurement

_RATE = 48_000
_PORTION = _RATE
_TELL_S = 2.0
_NICER = 10
"""What is on air on this machine comes first."""


def main(path: str) -> NoReturn:
    """Prints how far it is, and at last the verdict."""
    with contextlib.suppress(OSError):
        os.nice(_NICER)
    for told in measure(path):
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()
    os._exit(0)


def measure(path: str) -> Iterator[Measurement]:
    """Reads the whole file's sound; now and then how far it is, then the verdict. Blocks as its disk does."""
    try:
        media = open_media(path)
    except Unusable as verdict:
        yield Measurement("failed", why=_printable(str(verdict)))
        return
    try:
        yield from _listen(media)
    except Unusable as verdict:
        yield Measurement("failed", why=_printable(f"{verdict}: {path}"))
    except FFmpegError as error:
        yield Measurement("failed", why=_printable(sentence(error, path)))
    finally:
        media.close()


def _listen(media: OpenMedia) -> Iterator[Measurement]:
    if not media.sound:
        raise Unusable("it has no sound")
    # Its pictures need not be read for that.
    reader = Reader(replace(media, picture=None, rate=None), Fraction(0), Fraction(0), per_field=False, seek=False)
    meter, at, told = LoudnessMeter(_RATE), 0, time.monotonic()
    try:
        while True:
            reader.read_sound(at + _PORTION)
            has_ended = reader.sound.end == NEVER
            until = min(at + _PORTION, reader.sound.known) if has_ended else at + _PORTION
            if until > at:
                meter.add(reader.sound.take(until))
                at = until
            elif has_ended:
                break
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                yield Measurement("going", at * 1000 // _RATE)
        peak, loudness = meter.true_peak, meter.integrated_lufs
    finally:
        meter.close()
    yield Measurement(
        "measured",
        done_ms=at * 1000 // _RATE,
        loudness_mb=None if loudness is None else round(loudness * 100),
        true_peak_mb=round(2000 * math.log10(peak)) if peak > 0 else None,
    )


def _printable(text: str) -> str:
    """File names need not be UTF-8, JSON must be."""
    return text.encode("utf-8", "backslashreplace").decode()
