"""Where in its playlist a channel begins when it starts."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sidecar.protocol.channel import Playlist, Rate, ResumePoint
from sidecar.rundown.forecast import advance
from sidecar.rundown.rate import parse_rate
from sidecar.rundown.wall import Wall
from supervisor.schemas.channel import ResumePolicy

_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """The last reported place: frame ``frame``, at ``rate``, of the item is due at ``at``, UTC.

    ``rate`` is that of the sidecar that told it, which the channel's may have left since; None is the channel's.
    """

    item_id: str
    frame: int
    at: datetime
    rate: Rate | None = None

    def frame_at(self, rate: Rate) -> int:
        """The same place in frames at ``rate``, rounded down."""
        return self.frame if self.rate is None else int(self.frame * parse_rate(rate) / parse_rate(self.rate))


@dataclass(frozen=True, slots=True)
class Beginning:
    """``resume`` None: at the top. ``sentence`` says where it begins and why, ``item_id`` with what.

    ``at``: the instant at which that frame is due, where the list goes on meanwhile; None: it begins whenever it may.
    """

    resume: ResumePoint | None
    sentence: str
    item_id: str | None = None
    at: datetime | None = None


def beginning(
    policy: ResumePolicy, playlist: Playlist, last: Position | None, skipped: Set[str], rate: Rate, now: datetime
) -> Beginning:
    """``continue`` from the last reported frame; ``schedule``: where the list would be had it never stopped.

    Items in ``skipped`` brought the engine down: a start that would begin in one begins after it.
    """
    titles = {item.id: item.title for item in playlist.items}
    if last is None or last.item_id not in titles:
        return _not_in(skipped, playlist, Beginning(None, "begins with the first item"))
    point = ResumePoint(last.item_id, last.frame_at(rate))
    sentence = f"continues {titles[last.item_id]} at frame {point.frame}"
    at: datetime | None = None
    if policy == "schedule":
        away = max(timedelta(0), now - last.at)
        frames = int(away // timedelta(microseconds=1) * parse_rate(rate) / 1_000_000)
        joined = advance(playlist, point, frames, wall=Wall(_ns(last.at), parse_rate(rate)))
        if joined is None:
            sentence += ": the list cannot tell what should be on air now"
        else:
            point, at = joined, last.at + timedelta(microseconds=int(frames * 1_000_000 / parse_rate(rate)))
            sentence = f"joins {titles[point.item_id]} in progress at frame {point.frame}"
    return _not_in(skipped, playlist, Beginning(point, sentence, at=at))


def _ns(instant: datetime) -> int:
    return (instant - _UNIX) // timedelta(microseconds=1) * 1000


def said_at_arming(said: ResumePoint | None, newest: Beginning) -> Beginning | None:
    """What an arm has to add to ``said``, with which the sidecar was started; None: nothing.

    A sidecar cannot be told to begin at the top instead: its own list, which may be newer, says what that is.
    """
    if newest.resume is None or (newest.at is None and newest.resume == said):
        return None
    return newest


def _not_in(skipped: Set[str], playlist: Playlist, wanted: Beginning) -> Beginning:
    items = playlist.items
    if not items:
        return Beginning(None, "the list is empty: filler")
    first = wanted.resume.item_id if wanted.resume else items[0].id
    wanted = replace(wanted, item_id=first)
    if first not in skipped:
        return wanted
    at = next(index for index, item in enumerate(items) if item.id == first)
    for item in (*items[at + 1 :], *items[:at]):
        if item.id not in skipped:
            sentence = f"begins with {item.title}: {items[at].title} brought the engine down twice"
            return Beginning(ResumePoint(item.id), sentence, item.id)
    return wanted
