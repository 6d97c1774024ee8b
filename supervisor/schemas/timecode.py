"""SMPTE ST 12 labels of frame counts: ``HH:MM:SS:FF``, and ``HH:MM:SS;FF`` where labels are dropped.

At 29.97 and 59.94 frames a second the first 2 (4) labels of every minute are left out, but not of minutes 0, 10, 20,
30, 40 and 50: labels then keep within a frame or two of the clock. No picture is dropped. Rates above 30 count every
frame in ``FF``. Hours grow past 23: these are lengths as well as times.
"""

import re
from datetime import datetime
from fractions import Fraction
from typing import Final

_LABEL: Final = re.compile(r"(\d{2,4}):([0-5]\d):([0-5]\d)([:;])(\d{2,3})", re.ASCII)


def nominal_rate(rate: str) -> int:
    """The whole number of labels a second that ``rate`` (``"25"``, ``"30000/1001"``) counts in: 30 for 29.97."""
    numerator, _, denominator = rate.partition("/")
    return round(Fraction(int(numerator), int(denominator or 1)))


def is_drop_frame(rate: str) -> bool:
    """True for 29.97, 59.94 and 119.88."""
    return rate.endswith("/1001") and nominal_rate(rate) % 30 == 0


def format_timecode(frames: int, rate: str) -> str:
    """The label of frame ``frames``, counted from 0. A negative count is labelled by its size, with a minus."""
    if frames < 0:
        return "-" + format_timecode(-frames, rate)
    nominal = nominal_rate(rate)
    separator = ":"
    if is_drop_frame(rate):
        separator = ";"
        frames += _labels_dropped_before(frames, nominal)
    seconds, frame = divmod(frames, nominal)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{separator}{frame:02}"


def parse_timecode(label: str, rate: str) -> int:
    """The frame that ``label`` names. Raises ValueError for a label that does not exist at this rate."""
    found = _LABEL.fullmatch(label.strip())
    if found is None:
        raise ValueError(f"not a timecode: {label!r}; write HH:MM:SS:FF, as in 00:01:12:04")
    hour, minute, second, frame = (int(found[group]) for group in (1, 2, 3, 5))
    nominal = nominal_rate(rate)
    if frame >= nominal:
        raise ValueError(f"{label!r} does not exist at {rate} frames a second: the last field ends at {nominal - 1}")
    minutes = hour * 60 + minute
    count = (minutes * 60 + second) * nominal + frame
    if not is_drop_frame(rate):
        if found[4] == ";":
            raise ValueError(f"{label!r} is a drop-frame label, and {rate} frames a second drops none")
        return count
    dropped = nominal // 15
    if second == 0 and frame < dropped and minute % 10:
        raise ValueError(f"{label!r} is one of the labels that drop-frame timecode leaves out")
    return count - dropped * (minutes - minutes // 10)


def time_of_day(local: datetime, rate: str) -> str:
    """Wall-clock time with frames, ``HH:MM:SS:FF``: the clock's own seconds, so it is never drop-frame."""
    frame = local.microsecond * nominal_rate(rate) // 1_000_000
    return f"{local:%H:%M:%S}:{frame:02}"


def _labels_dropped_before(frames: int, nominal: int) -> int:
    dropped = nominal // 15
    ten_minutes, rest = divmod(frames, nominal * 600 - dropped * 9)
    minute = nominal * 60 - dropped
    # The first minute of ten drops nothing and so is longer by what the others drop.
    return dropped * (ten_minutes * 9 + max(0, rest - dropped) // minute)
