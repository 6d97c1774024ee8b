"""What an operator wants to know beside the starts: over and under to fixed starts, the next action, the list's end.

Pure. Everything counts in channel frames from now; None where nobody can tell, as behind a wait for a take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from sidecar.protocol.channel import AfterLast, Item, Playlist

_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Human:
    """In ``in_frames`` from now (0: now) somebody has to act; ``why`` says what for."""

    in_frames: int
    item_id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """``over_under``: by the id of an item with a fixed start, by how many frames what stands before it is too long, or
    with a minus too short. ``overlap``: by how many frames the list plans an item before what is above it ends, or with
    a minus how long it plans nothing there. ``next_fixed``: the next one's id. ``ends_in``: when the list ends."""

    over_under: Mapping[str, int] = field(default_factory=dict[str, int])
    overlap: Mapping[str, int] = field(default_factory=dict[str, int])
    next_fixed: str | None = None
    human: Human | None = None
    ends_in: int | None = None
    humans: tuple[Human, ...] = ()
    """All of them, the soonest first."""


NO_FIGURES: Final = Figures()


def frames_between(from_ns: int, to_ns: int, rate: Fraction) -> int:
    """The nearest whole number of frames, halves up; negative where ``to_ns`` is before."""
    return (2 * (to_ns - from_ns) * rate.numerator + rate.denominator * _S) // (2 * rate.denominator * _S)


def figures(
    list_: Playlist,
    now_ns: int,
    rate: Fraction,
    *,
    index: int = 0,
    begun: int = 0,
    held: bool = False,
    missing: frozenset[str] = frozenset(),
) -> Figures:
    """The item at ``index`` began ``begun`` frames from now (on air: zero or less) and airs on, unless ``held``.

    ``missing``: ids of items that have nothing to air.
    """
    walk = _Walk(list_, now_ns, rate, missing)
    if list_.items:
        walk.go(index, begun, held)
    return Figures(
        walk.over_under, overlaps(list_.items, rate), walk.next_fixed, min(walk.humans, default=None, key=_first),
        walk.ends_in, tuple(sorted(walk.humans, key=_first)),
    )  # fmt: skip


def overlaps(items: Sequence[Item], rate: Fraction) -> dict[str, int]:
    """By the list's own plan alone, where it plans both; nothing where one follows on the other within a frame."""
    found: dict[str, int] = {}
    ends: int | None = None
    for item in items:
        if _is_silent(item):
            continue
        planned = item.planned_at_ns
        if planned is not None and ends is not None:
            frames = frames_between(planned, ends, rate)
            if abs(frames) > 1:
                found[item.id] = frames
        length = _length(item)
        ends = None
        if item.end_mode == "at":
            ends = item.end_at_ns
        elif planned is not None and length is not None:
            ends = planned + length * _S * rate.denominator // rate.numerator
    return found


class _Walk:
    """Once through the list, as if nothing were cut or filled: what is over and what is under."""

    def __init__(self, list_: Playlist, now_ns: int, rate: Fraction, missing: frozenset[str]) -> None:
        self._list, self._now, self._rate, self._missing = list_, now_ns, rate, missing
        self.over_under: dict[str, int] = {}
        self.next_fixed: str | None = None
        self.humans: list[Human] = []
        self.ends_in: int | None = None
        self._clock: int | None = 0

    def go(self, index: int, begun: int, held: bool) -> None:
        items = self._list.items
        self._clock = begun
        for place in range(index, len(items)):
            item = items[place]
            if place > index:
                if _is_silent(item):
                    continue
                self._starts(item)
                if item.id in self._missing:
                    self._act(self._clock, item.id, f"{item.title} is missing")
            self._airs(item, waits=held and place == index)
        self._ends(self._list.after_last)

    def _starts(self, item: Item) -> None:
        """Where the clock is when it begins; a fixed start sets it, and ends every wait."""
        if item.start_mode == "fixed" and item.fixed_at_ns is not None:
            due = frames_between(self._now, item.fixed_at_ns, self._rate)
            if due >= 0 and self.next_fixed is None:
                self.next_fixed = item.id
            if self._clock is not None:
                self.over_under[item.id] = self._clock - due
            late = self._clock is not None and (item.fixed_kind == "soft" or due < 0)
            self._clock = max(due, self._clock or due) if late else due
        elif item.start_mode == "hold":
            self._act(self._clock, item.id, f"{item.title} waits for a take")
            self._clock = None

    def _airs(self, item: Item, *, waits: bool) -> None:
        length = _length(item)
        if waits:
            self._act(0 if length is None else self._sum(length), item.id, "the channel holds after this item")
            self._clock = None
        elif item.end_mode == "at" and item.end_at_ns is not None:
            ends = frames_between(self._now, item.end_at_ns, self._rate)
            by_length = self._sum(length) if length is not None else None
            self._clock = ends if by_length is None else min(ends, by_length)
        elif item.block is not None and item.block_until_ns is not None:
            self._clock = frames_between(self._now, item.block_until_ns, self._rate)
        elif item.end_mode == "take" or item.repeat == 0:
            self._act(self._clock if length is None else self._sum(length), item.id, f"{item.title} ends by a take")
            self._clock = None
        else:
            self._clock = None if length is None else self._sum(length)

    def _ends(self, after: AfterLast) -> None:
        if after == "loop":
            return
        self.ends_in = self._clock
        self._act(self._clock, None, "the list ends")

    def _sum(self, frames: int) -> int | None:
        return None if self._clock is None else self._clock + frames

    def _act(self, at: int | None, item_id: str | None, why: str) -> None:
        if at is not None:
            self.humans.append(Human(max(0, at), item_id, why))


def _length(item: Item) -> int | None:
    return None if item.duration_frames is None else item.duration_frames * max(1, item.repeat)


def _is_silent(item: Item) -> bool:
    """It takes no time."""
    return item.kind == "comment" or item.dropped


def _first(one: Human) -> int:
    return one.in_frames
