"""Which live inputs of a list are due before long. Pure, and generous: it says what to look at, not when it airs."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from sidecar.protocol.channel import Item, Playlist

WITHIN_S: Final = 2 * 3600
_NS: Final = 1_000_000_000


def coming_live(
    playlist: Playlist, rate: Fraction, now_ns: int, stands_at: str | None = None, left: int = 0
) -> tuple[Item, ...]:
    """Live inputs of the list that may be due within ``WITHIN_S``, in its order, and those of the filler, which may be
    at any moment.

    ``stands_at`` is the id of the item that the list goes on after, with ``left`` frames of it to come where it airs;
    without it the list begins now.
    What ends by a take counts as no time, for it may be taken at once.
    """
    horizon = int(WITHIN_S * rate)
    due = left
    found: dict[str, Item] = {}
    for item in _following(playlist, stands_at):
        if item.kind == "comment" or item.dropped:
            continue
        if item.start_mode == "fixed" and item.fixed_at_ns is not None:
            # Later than what is above it, or not: whichever comes first.
            due = max(0, min(due, (item.fixed_at_ns - now_ns) * rate.numerator // (rate.denominator * _NS)))
        if due > horizon:
            continue  # a fixed start below may be sooner
        if item.kind == "live" and item.url is not None:
            found.setdefault(item.id, item)
        if item.end_mode == "duration":
            due += (item.duration_frames or 0) * max(1, item.repeat)
    for item in playlist.rules.filler:
        if item.kind == "live" and item.url is not None:
            found.setdefault(item.id, item)
    return tuple(found.values())


def _following(playlist: Playlist, stands_at: str | None) -> Iterator[Item]:
    items = playlist.items
    at = next((index for index, item in enumerate(items) if item.id == stands_at), -1)
    yield from items[at + 1 :]
    if playlist.after_last == "loop":
        yield from items[:at] if at >= 0 else ()
