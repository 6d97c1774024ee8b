"""What somebody types of an item, made into an edit: only what was changed goes into it. Pure."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from supervisor.schemas.asset import Asset
from supervisor.schemas.playlist import Item, ItemIn, ItemPatch
from supervisor.schemas.timecode import format_timecode, nominal_rate, parse_timecode

_CLOCK: Final = re.compile(r"(\d{4}-\d\d-\d\d )?\d{1,2}:\d\d(:\d\d([:;.]\d{2,3})?)?", re.ASCII)
_LENGTH: Final = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,5})", re.ASCII)
T = TypeVar("T", ItemIn, ItemPatch)

_LIVE: Final = ("srt://", "rtmp://", "rtmps://", "udp://", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields as text. ``first`` and ``out`` are labels of the clip's own timecode, ``length`` is of what has no
    clip."""

    title: str = ""
    start: str = "follow"
    first: str = ""
    out: str = ""
    end: str = "duration"
    length: str = ""


def draft_of(item: Item, rate: str, zone: str) -> Draft:
    """As the item is now. ``rate`` and ``zone`` are the rundown's."""
    start: str = item.start_mode
    if item.fixed_at is not None:
        start = f"{'~' if item.fixed_kind == 'soft' else ''}{_local(item.fixed_at, zone):%H:%M:%S}"
    end = item.end_mode if item.end_at is None else f"{_local(item.end_at, zone):%H:%M:%S}"
    return Draft(
        title=item.title,
        start=start,
        first=item.in_timecode or "",
        out=item.out_timecode or "",
        end=end,
        length="" if item.slate_frames is None else format_timecode(item.slate_frames, rate),
    )


def fields_of(item: Item) -> tuple[str, ...]:
    """Which of a draft's fields an item of this kind has, in order."""
    if item.kind == "comment":
        return ("title",)
    if item.kind == "clip":
        return ("title", "start", "first", "out", "end")
    return ("title", "start", "length", "end")


def patch_of(was: Draft, now: Draft, rate: str) -> ItemPatch:
    """Raises ValueError with the sentence to show: for what cannot be read, and where nothing is changed."""
    given: dict[str, object] = {}
    changed = {one.name for one in fields(Draft) if getattr(was, one.name).strip() != getattr(now, one.name).strip()}
    if "title" in changed:
        if not now.title.strip():
            raise ValueError("It needs a title.")
        given["title"] = now.title.strip()
    if "start" in changed:
        given |= start_of(now.start)
    if "first" in changed:
        given |= {"in_timecode": now.first.strip()} if now.first.strip() else {"in_frames": 0}
    if "out" in changed:
        given |= {"out_timecode": now.out.strip()} if now.out.strip() else {"out_frames": None}
    if "end" in changed:
        given |= end_of(now.end)
    if "length" in changed:
        given["slate_frames"] = length_of(now.length, rate) if now.length.strip() else None
    if not given:
        raise ValueError("Nothing is changed yet.")
    return _checked(ItemPatch, given)


def start_of(text: str) -> dict[str, object]:
    """``follow``, ``hold``, ``20:15:00`` (cuts) or ``~20:15:00`` (waits until what airs has ended).

    Raises ValueError.
    """
    written = text.strip().lower()
    if written in {"follow", "hold"}:
        return {"start_mode": written}
    time = written.removeprefix("~").strip()
    if not _CLOCK.fullmatch(time):
        raise ValueError(f"Start is follow, hold, or a time as in 20:15:00 (~20:15:00 waits), not {text.strip()!r}.")
    kind = "soft" if written.startswith("~") else "hard"
    return {"start_mode": "fixed", "fixed_time": time.upper(), "fixed_kind": kind}


def end_of(text: str) -> dict[str, object]:
    """``duration``, ``take`` or ``21:00:00``. Raises ValueError."""
    written = text.strip().lower()
    if written in {"duration", "take"}:
        return {"end_mode": written}
    if not _CLOCK.fullmatch(written):
        raise ValueError(f"End is duration, take, or a time as in 21:00:00, not {text.strip()!r}.")
    return {"end_mode": "at", "end_time": written}


def length_of(text: str, rate: str) -> int:
    """Frames of ``SS``, ``MM:SS``, ``HH:MM:SS`` or ``HH:MM:SS:FF`` at the channel's rate. Raises ValueError."""
    written = text.strip()
    if written.count(":") + written.count(";") == 3:
        frames = parse_timecode(written, rate)
    else:
        found = _LENGTH.fullmatch(written)
        if found is None:
            raise ValueError(f"A length is seconds, M:SS, H:MM:SS or HH:MM:SS:FF, not {written!r}.")
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        frames = round((hours * 3600 + minutes * 60 + seconds) * Fraction(rate))
    if frames < 1:
        raise ValueError("It needs a length of at least a frame.")
    return frames


def item_of(text: str, rate: str) -> ItemIn | None:
    """What is no clip: an address is a live input, ``slate 0:30 TITLE`` a slate, ``# TEXT`` a comment.

    None: the text looks for clips. Raises ValueError.
    """
    written = text.strip()
    if written.lower().startswith(_LIVE):
        return _checked(ItemIn, {"kind": "live", "url": written, "end_mode": "take"})
    if written.startswith("#"):
        title = written.removeprefix("#").strip()
        if not title:
            raise ValueError("A comment is # and its text.")
        return _checked(ItemIn, {"kind": "comment", "title": title})
    word, _, rest = written.partition(" ")
    if word.lower() != "slate" or not rest[:1].isdigit():
        return None
    length, _, title = rest.strip().partition(" ")
    return _checked(ItemIn, {"kind": "slate", "slate_frames": length_of(length, rate), "title": title.strip() or None})


def clip_of(asset: Asset) -> ItemIn:
    """The whole of a clip."""
    return ItemIn(asset_id=asset.id)


def asset_length(asset: Asset) -> str:
    """Its length as a label of its own rate."""
    if asset.duration_frames is not None and asset.rate is not None:
        return format_timecode(asset.duration_frames, asset.rate)
    if asset.asset_duration_ms is None:
        return ""
    return format_timecode(asset.asset_duration_ms * nominal_rate("25") // 1000, "25")[:-3]


def _checked(shape: type[T], given: dict[str, object]) -> T:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return instant
