"""What an operator reads off the console's screen: which channel is focused, and what became of a key."""

import re
from dataclasses import dataclass

FOCUS = "┏━ FOCUS ━"
_TAKE = re.compile(r" t  TAKE (?P<number>\d+) ")
_DONE = re.compile(r"✓ took (?P<ms>\d+) ms, frame (?P<frame>\d+)(?= T| *$)")
"""With what follows: of a line that is drawn in two pieces the number would go on with what stood there before."""
_REFUSED = re.compile(r"✖ TAKE:? (?P<why>.*)")


@dataclass(frozen=True, slots=True)
class Done:
    """``ms`` from the supervisor's door to the frame, as the console says it; ``frame`` the engine's."""

    ms: int
    frame: int


def focused_number(lines: list[str]) -> int | None:
    """The channel that the foot line would take and that the wall frames, or the list's cursor is on; None unless both
    say the same."""
    said = _TAKE.search(lines[-1])
    if said is None:
        return None
    number = int(said["number"])
    place = focused_line(lines)
    return number if place is not None and _number_of(place) == number else None


def focused_line(lines: list[str]) -> str | None:
    """The title of the framed tile, or the list's line under the cursor."""
    tile = focused_tile(lines)
    if tile:
        return tile[0]
    return next((line[1:] for line in lines if line.startswith("▌")), None)


def focused_tile(lines: list[str]) -> list[str]:
    """The framed tile's lines without the frame; empty where the frame is not whole."""
    for row, line in enumerate(lines):
        left = line.find(FOCUS)
        if left < 0:
            continue
        right = line.find("┓", left)
        inside: list[str] = []
        for below in lines[row + 1 :]:
            if below[left] == "┗":
                return inside
            if below[left] != "┃":
                break
            inside.append(below[left + 1 : right])
    return []


def answer(lines: list[str]) -> Done | str | None:
    """What the focused channel says of the last take: done, why it was refused, or None while nothing is said."""
    tile = focused_tile(lines)
    place = tile[-1] if tile else focused_line(lines)
    if place is None:
        return None
    done = _DONE.search(place)
    if done is not None:
        return Done(int(done["ms"]), int(done["frame"]))
    refused = _REFUSED.search(place)
    return None if refused is None else refused["why"].strip()


def _number_of(line: str) -> int | None:
    words = line.split()
    first = words[0].rstrip("◆") if words else ""
    return int(first) if first.isdecimal() else None
