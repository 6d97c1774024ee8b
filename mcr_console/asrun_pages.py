"""As-run events for a screen: what the link tells and what is fetched page by page, as one list."""

from collections.abc import Coroutine
from typing import Final

from mcr_console.session import Feed
from mcr_console.wall_state import WallState
from supervisor.schemas.asrun import AsRunEvent

PAGE: Final = 100
MOST: Final = 20_000
"""Events kept for one screen; beyond that the command line exports."""


class AsRunPages:
    """``channel_id`` None is all channels. Newest first."""

    def __init__(self, feed: Feed, channel_id: str | None) -> None:
        self.channel_id = channel_id
        self.loading = False
        self.complete = False
        """The oldest event has been fetched."""
        self._feed = feed
        self._cursor: str | None = None
        self._fetched: dict[tuple[str, str, int], AsRunEvent] = {}
        self._merged: tuple[tuple[AsRunEvent, ...], int, tuple[AsRunEvent, ...]] | None = None

    def events(self, wall: WallState) -> tuple[AsRunEvent, ...]:
        """All that is known. The same object while nothing changed."""
        if self._merged is None or self._merged[0] is not wall.asrun or self._merged[1] != len(self._fetched):
            for event in wall.asrun:
                if self.channel_id in {None, event.channel_id}:
                    self._fetched[event.channel_id, event.run_id, event.seq] = event
            newest = sorted(self._fetched.values(), key=lambda event: (event.start_at, event.seq), reverse=True)
            self._merged = (wall.asrun, len(self._fetched), tuple(newest))
        return self._merged[2]

    def more(self) -> Coroutine[None, None, None]:
        """Marks the next older page as being fetched; what is returned fetches it and must be run.

        Only when neither ``loading`` nor ``complete``. Raises ``ClientError``.
        """
        self.loading = True
        return self._more()

    async def _more(self) -> None:
        try:
            page = await self._feed.asrun_page(
                channel_id=self.channel_id, cursor=self._cursor, limit=PAGE, order="desc"
            )
        finally:
            self.loading = False
        for event in page.items:
            # What the link told is newer than a page that was read before it.
            self._fetched.setdefault((event.channel_id, event.run_id, event.seq), event)
        self._merged = None
        self._cursor = page.next_cursor
        self.complete = page.next_cursor is None or len(self._fetched) >= MOST
