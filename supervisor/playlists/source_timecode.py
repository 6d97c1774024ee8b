"""Places in a clip by the timecode that its file itself begins with. Pure.

A label names a picture of the file: 10:00:10:00 of a file that begins with 10:00:00:00 is ten seconds in. A file
without a timecode begins with 00:00:00:00.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from db.models import Asset
from sidecar.rundown.rate import parse_rate
from supervisor.errors import Invalid
from supervisor.playlists.schedule import Extent, Timecode, frames_at, nearest_frame
from supervisor.schemas.timecode import format_timecode, is_drop_frame, nominal_rate, parse_timecode

_DAY_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Place:
    """``frame`` counts from the clip's first. ``remark`` says, for people, where the label was not taken as one."""

    frame: int
    remark: str = ""


def place_in(extent: Extent, asset: Asset) -> Place:
    """Where in the clip, at its own rate. Raises Invalid for a label that is none.

    A label that lies before the file's own timecode, or further behind than the file is long, is counted from the first
    picture where the clip is long enough for that, and the remark says so.
    """
    assert asset.rate is not None
    rate = parse_rate(asset.rate)
    if not isinstance(extent, Timecode) or asset.start_timecode is None:
        return Place(frames_at(extent, rate))
    own = extent.rate or asset.rate
    start = _count(asset.start_timecode, asset.rate, dropping=";" in asset.start_timecode)
    dropping = ";" in asset.start_timecode and is_drop_frame(own)
    frame = _between(_count(extent.label, own, dropping=dropping), own, start, asset.rate, dropping=dropping)
    length = asset.duration_frames
    if length is None or frame <= length:
        return Place(frame)
    plain = frames_at(extent, rate)
    if plain > length:
        return Place(frame)
    return Place(
        plain, f"{extent.label} is not in a file that begins with {asset.start_timecode}: counted from its first frame"
    )


def label_at(frame: int, asset: Asset) -> str | None:
    """The label of a place in the clip; None for a clip without pictures."""
    if asset.rate is None:
        return None
    start = asset.start_timecode
    if start is None:
        return format_timecode(frame, asset.rate)
    dropping = ";" in start and is_drop_frame(asset.rate)
    counting = asset.rate if dropping else str(nominal_rate(asset.rate))
    day = parse_timecode(f"24:00:00{';' if dropping else ':'}00", counting)
    try:
        first = _count(start, asset.rate, dropping=dropping)
    except Invalid:
        first = 0
    return format_timecode((first + frame) % day, counting)


def _count(label: str, rate: str, *, dropping: bool) -> int:
    """Frames from 00:00:00:00. Where the file drops no labels none of a list's do, however it writes them."""
    plain = label.replace(";", ":")
    try:
        return parse_timecode(plain, rate if dropping else str(nominal_rate(rate)))
    except ValueError as error:
        raise Invalid(str(error)) from None


def _between(label: int, own: str, start: int, rate: str, *, dropping: bool) -> int:
    """Frames at ``rate`` from ``start`` to ``label``, over midnight where it is the earlier of the two."""
    counted, wanted = parse_rate(own), parse_rate(rate)
    if counted == wanted:
        day = parse_timecode(f"24:00:00{';' if dropping else ':'}00", rate if dropping else str(nominal_rate(rate)))
        return (label - start) % day
    return nearest_frame((Fraction(label) / counted - Fraction(start) / wanted) % _DAY_S, wanted)
