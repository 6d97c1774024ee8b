"""One event of the as-run log, and the heading above it."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from textual.strip import Strip

from mcr_console.asrun_words import how
from mcr_console.clock import Clock
from mcr_console.drawing.strips import columns
from mcr_console.palette import Palette
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import Channel
from supervisor.schemas.timecode import format_timecode, time_of_day

WITH_CHANNEL = 100
"""Width from which there is room for whole names, and for frames beside their timecode."""


def render_asrun_heading(width: int, palette: Palette, *, channels: bool = True) -> Strip:
    """Column names, over the rows that ``render_asrun_line`` draws."""
    dim = palette.dim
    who = [("CHANNEL", dim, _who_width(width))] if channels else []
    texts = [("", dim, 1), ("DATE", dim, 5), ("START", dim, 11), *who, ("ITEM", dim, _title(width, channels=channels))]
    frames = [("FRAMES", dim, -7)] if width >= WITH_CHANNEL else []
    return columns(width, palette.ground, [*texts, ("AIRED", dim, 11), *frames, ("", dim, 1), ("HOW", dim, 12)])


def render_asrun_line(
    event: AsRunEvent,
    channel: Channel | None,
    width: int,
    clock: Clock,
    palette: Palette,
    *,
    cursor: bool = False,
    channels: bool = True,
    stale: bool = False,
) -> Strip:
    """When it started, in the channel's zone, what it was, how much of it aired, and how that came about.

    ``stale``: nobody says any more that what was on air still is.
    """
    base = palette.cursor_row if cursor else palette.ground
    start = _local(event.start_at, channel, clock)
    frames = "" if event.frames is None else str(event.frames)
    aired = "" if event.frames is None else format_timecode(event.frames, event.rate)
    style = palette.dim if event.kind == "filler" else palette.text
    if event.status == "on air" and stale:
        words, words_style = f"{palette.glyphs.unknown} was on air", palette.dim
    elif event.status == "on air":
        words, words_style = f"{palette.glyphs.on_air} on air", palette.tally
    elif event.status in {"aired", "cut"} and not event.late:
        words, words_style = how(event), palette.dim
    else:
        words, words_style = how(event), palette.warning
    who = [] if not channels else [(_who(event, channel), palette.dim, _who_width(width))]
    return columns(
        width,
        base,
        [
            (palette.glyphs.cursor if cursor else " ", palette.frame, 1),
            (f"{start:%m-%d}", palette.dim, 5),
            (time_of_day(start, event.rate), palette.dim, 11),
            *who,
            (event.title or event.kind, style, _title(width, channels=channels)),
            (aired, palette.dim, 11),
            *([(frames, palette.dim, -7)] if width >= WITH_CHANNEL else []),
            ("", palette.dim, 1),
            (words, words_style, 12),
        ],
    )


def _who(event: AsRunEvent, channel: Channel | None) -> str:
    return event.channel_id[:8] if channel is None else f"{channel.number} {channel.name}"


def _who_width(width: int) -> int:
    """Narrow where HOW would be cut off before it says by what an item was cut."""
    return 11 if width < WITH_CHANNEL else 14


def _title(width: int, *, channels: bool) -> int:
    fixed = 1 + 5 + 11 + 11 + 1 + 6 + (8 if width >= WITH_CHANNEL else 0) + (_who_width(width) + 1 if channels else 0)
    return max(10, (width - fixed) * (45 if width < WITH_CHANNEL else 40) // 100)


def _local(instant: datetime, channel: Channel | None, clock: Clock) -> datetime:
    if channel is None:
        return clock.local(instant)
    try:
        return instant.astimezone(ZoneInfo(channel.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return clock.local(instant)
