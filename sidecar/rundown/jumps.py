"""What of a list does not air because somebody went past it. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from sidecar.rundown.timeline import Passed, Timeline


class Jumps:
    """Remembers, for one round of the list, what aired or was told not to: going past that again is no news."""

    def __init__(self, behind: Iterable[str] = ()) -> None:
        """``behind``: ids of items that a run before this one had behind it."""
        self._behind = set(behind)

    def told(self, item_id: str) -> None:
        """It is on air, or the log says why not."""
        self._behind.add(item_id)

    def go_round(self) -> None:
        self._behind.clear()

    def keep(self, item_ids: Iterable[str]) -> None:
        """The list has only these now."""
        self._behind &= set(item_ids)

    def over(
        self, timeline: Timeline, after: int, index: int | None, cause: str, by: str = "", detail: str = ""
    ) -> tuple[Passed, ...]:
        """What stands between the item at ``after`` and the one at ``index`` (None: the list's end), once.

        Back to an item that aired before nothing is gone past: what was to come comes still.
        """
        items = timeline.playlist.items
        past = [
            timeline.preempted(at, cause)
            for at in range(after + 1, len(items) if index is None else index)
            if items[at].id not in self._behind
        ]
        self._behind.update(items[one.index].id for one in past)
        return tuple(replace(one, by=by, detail=detail) if one.cause == cause else one for one in past)
