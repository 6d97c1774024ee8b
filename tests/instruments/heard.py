"""Who was heard when, at one receiver: double air, gaps and returns, whatever the medium.

All instants are UTC in nanoseconds of the receiver's own clock (``time.time_ns`` or the kernel's), as instruments,
faults and senders of one run share a machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MS = 1_000_000
SILENCE_NS = 1_000 * MS
"""A sender that was quiet for longer than this was off air meanwhile."""


@dataclass(frozen=True, slots=True)
class Span:
    """One sender, heard from ``first_ns`` to ``last_ns`` without a longer silence."""

    sender: str
    first_ns: int
    last_ns: int
    heard: int = 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody was heard after ``since_ns`` and before ``until_ns``."""

    since_ns: int
    until_ns: int
    before: str
    after: str

    @property
    def ms(self) -> float:
        return (self.until_ns - self.since_ns) / MS


@dataclass(frozen=True, slots=True)
class Return:
    """``sender`` was heard again although ``other`` had come after it."""

    sender: str
    other: str
    at_ns: int


def spans(heard: Iterable[tuple[str, int]], silence_ns: int = SILENCE_NS) -> list[Span]:
    """From (sender, instant) in any order; by their beginning."""
    open_spans: dict[str, Span] = {}
    done: list[Span] = []
    for sender, at in sorted(heard, key=lambda one: one[1]):
        span = open_spans.get(sender)
        if span is None or at - span.last_ns > silence_ns:
            if span is not None:
                done.append(span)
            open_spans[sender] = Span(sender, at, at)
        else:
            open_spans[sender] = Span(sender, span.first_ns, at, span.heard + 1)
    return sorted([*done, *open_spans.values()], key=lambda span: (span.first_ns, span.sender))


def double_air_ms(found: Sequence[Span]) -> float:
    """Milliseconds in which two or more senders were on air.

    One stray datagram inside another's span counts as a millisecond: it is a fault, however short.
    """
    edges: list[tuple[int, int]] = []
    for span in found:
        edges += [(span.first_ns, 1), (max(span.last_ns, span.first_ns + MS), -1)]
    depth, since, total = 0, 0, 0
    for at, step in sorted(edges):
        if depth >= 2:
            total += at - since
        depth, since = depth + step, at
    return total / MS


def gaps(found: Sequence[Span]) -> list[Gap]:
    """Between one span's end and the next one's beginning, where nobody else is heard."""
    result: list[Gap] = []
    last: Span | None = None
    for span in found:
        if last is not None and span.first_ns > last.last_ns:
            result.append(Gap(last.last_ns, span.first_ns, last.sender, span.sender))
        if last is None or span.last_ns > last.last_ns:
            last = span
    return result


def returns(found: Sequence[Span]) -> list[Return]:
    """Epochs only grow: once another has come, an earlier sender may never be heard again.

    Found also where a silence hides it: A, then B, then A again, none at the same time.
    """
    result: list[Return] = []
    newest = ""
    seen: set[str] = set()
    for span in found:
        if span.sender in seen and span.sender != newest:
            result.append(Return(span.sender, newest, span.first_ns))
        seen.add(span.sender)
        newest = span.sender
    return result
