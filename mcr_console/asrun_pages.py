"""As-run events for a screen: what the link tells and what is fetched page by page, as one list."""

from bisect import bisect_left, insort
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Final

from mcr_console.session import Feed
from mcr_console.wall_state import WallState
from supervisor.schemas.asrun import AsRunEvent

PAGE: Final = 100
MOST: Final = 20_000
"""Events kept for one screen, the newest; beyond that the command line exports."""


class AsRunPages:
    """``channel_id`` None is all channels. Newest first."""

    def __init__(self, feed: Feed, channel_id: str | None) -> None:
        self.channel_id = channel_id
        self.loading = False
        self.complete = False
        """The oldest event has been fetched, or as many as are kept."""
        self._feed = feed
        self._cursor: str | None = None
        self._known: dict[tuple[str, str, int], AsRunEvent] = {}
        self._ordered: list[AsRunEvent] = []
        """What ``_known`` has, oldest first."""
        self._told: tuple[AsRunEvent, ...] | None = None
        self._shown: tuple[AsRunEvent, ...] | None = None

    def events(self, wall: WallState) -> tuple[AsRunEvent, ...]:
        """All that is known. The same object while nothing changed."""
        if self._told is not wall.asrun:
            self._told = wall.asrun
            for event in wall.asrun:
                if self.channel_id in {None, event.channel_id}:
                    self._put(event)
        if self._shown is None:
            self._shown = tuple(reversed(self._ordered))
        return self._shown

    @property
    def begun(self) -> bool:
        """A first page has come."""
        return self.complete or self._cursor is not None

    def more(self) -> Callable[[], Coroutine[None, None, None]]:
        """Marks the next older page as being fetched; what is returned fetches it when it is called.

        Only when neither ``loading`` nor ``complete``. Raises ``ClientError``.
        """
        self.loading = True
        return self._more

    async def _more(self) -> None:
        try:
            page = await self._feed.asrun_page(
                channel_id=self.channel_id, cursor=self._cursor, limit=PAGE, order="desc"
            )
        finally:
            self.loading = False
        for event in page.items:
            # What the link told is newer than a page that was read before it.
            if _key(event) not in self._known:
                self._put(event)
        self._cursor = page.next_cursor
        self.complete = page.next_cursor is None or len(self._ordered) >= MOST

    def _put(self, event: AsRunEvent) -> None:
        before = self._known.get(_key(event))
        if before is event:
            return
        if before is not None:
            del self._ordered[bisect_left(self._ordered, _place(before), key=_place)]
        elif len(self._ordered) >= MOST:
            self.complete = True
            if _place(event) < _place(self._ordered[0]):
                return
            del self._known[_key(self._ordered.pop(0))]
        self._known[_key(event)] = event
        insort(self._ordered, event, key=_place)
        self._shown = None


def _key(event: AsRunEvent) -> tuple[str, str, int]:
    return event.channel_id, event.run_id, event.seq


def _place(event: AsRunEvent) -> tuple[datetime, int, str, str]:
    """In time; the rest makes it one event's alone."""
    return event.start_at, event.seq, event.channel_id, event.run_id
