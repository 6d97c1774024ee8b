"""What is to air, as the list has it, and what stays of that when the list is planned anew. Pure."""

from dataclasses import dataclass, replace

from sidecar.protocol.channel import Item
from sidecar.rundown.model import Airing
from sidecar.rundown.timeline import Passed


@dataclass(frozen=True, slots=True)
class Plan:
    """An item that is to air. ``waits``: only a take begins it. ``opens_at``: output frame from which its source is
    wanted; a later one than now is a pause after a failure. ``turn``: the how manieth time in a row. ``passed``: what
    does not air because it does. ``by``: who cued it."""

    airing: Airing
    index: int
    cause: str
    waits: bool
    opens_at: int
    turn: int = 1
    passed: tuple[Passed, ...] = ()
    by: str = ""


@dataclass(slots=True)
class Trouble:
    """An item that could not be played since the last one that could."""

    failed_at: int
    costly: int = 0  # how often it hung, or began and broke off at once: its pauses grow


def kept(old: Plan | None, new: Plan | None) -> Plan | None:
    """``new`` with the source of ``old``, where that is the same."""
    if old is None or new is None or old.airing.item != new.airing.item:
        return new
    if new.airing.first_frame != old.airing.first_frame:
        return new
    return replace(new, airing=old.airing, opens_at=old.opens_at)


def anchor_in(new: tuple[Item, ...], old: tuple[Item, ...], anchor: int, last_id: str | None) -> int:
    """The index in ``new`` after which the list goes on.

    That of what aired last, by its id. Has it vanished: before the first of its old followers that is still there;
    else after the last of its old predecessors that is; else the list begins.
    """
    places = {item.id: index for index, item in reversed(list(enumerate(new)))}
    if last_id is not None and last_id in places:
        return places[last_id]
    follower = next((places[item.id] for item in old[anchor + 1 :] if item.id in places), None)
    if follower is not None and anchor >= 0:
        return follower - 1
    return next((places[item.id] for item in reversed(old[: anchor + 1]) if item.id in places), -1)
