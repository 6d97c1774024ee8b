"""Clips that items wait for: when one comes, the items that name its house id have it, trimmed as their list said."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from db.errors import Missing, StaleRevision
from db.models import Asset, Item, Playlist
from db.store import Store
from supervisor.errors import Invalid
from supervisor.playlists.items import listed_trim

MOST: Final = 2_000
"""Items of one pass; the others follow in the next."""

_log = structlog.get_logger(__name__)


class WaitingItems:
    """``told`` is called with every playlist that changed, for sidecars and consoles."""

    def __init__(self, store: Store, told: Callable[[Playlist], Awaitable[None]]) -> None:
        self._store = store
        self._told = told

    async def link(self) -> int:
        """Gives every waiting item its clip where there is one now; how many got one. Raises StoreError.

        An item is left waiting where nothing of the clip remains between its in and out: the checks ahead say so.
        """
        async with self._store.read() as tx:
            waiting = await tx.playlists.waiting(MOST)
        by_playlist: dict[str, list[Item]] = defaultdict(list)
        projects: dict[str, str | None] = {}
        for item, project_id in waiting:
            by_playlist[item.playlist_id].append(item)
            projects[item.playlist_id] = project_id
        count = 0
        for playlist_id, items in by_playlist.items():
            async with self._store.read() as tx:
                wanted = {item.house_id for item in items if item.house_id}
                clips = await tx.assets.by_house_ids(wanted, projects[playlist_id])
            changes = _changes(items, clips)
            if not changes:
                continue
            try:
                async with self._store.write() as tx:
                    row = await tx.playlists.get(playlist_id)
                    row = await tx.playlists.link(playlist_id, row.revision, changes)
            except (Missing, StaleRevision):
                continue  # edited at this moment: the next pass sees it as it is then
            count += len(changes)
            _log.info("clips came that items waited for", playlist=row.name, items=len(changes))
            await self._told(row)
        return count

    async def moved(self, asset_ids: Collection[str]) -> None:
        """The files of these assets are elsewhere now: playlists that name them are told anew."""
        async with self._store.write() as tx:
            rows = await tx.playlists.raise_revision_of(asset_ids)
        for row in rows:
            await self._told(row)

    async def replaced(self, newer: Mapping[str, str]) -> None:
        """A clip was delivered anew under its own name: items that name it air what is there now, trimmed as before."""
        async with self._store.write() as tx:
            rows = await tx.playlists.swap_assets(newer)
        for row in rows:
            await self._told(row)


def _changes(items: Sequence[Item], clips: "dict[str, Asset]") -> dict[str, dict[str, object]]:
    """Columns that change, by item id."""
    changes: dict[str, dict[str, object]] = {}
    for item in items:
        clip = clips.get(item.house_id or "")
        if clip is None:
            continue
        try:
            begin, end, _ = listed_trim(item.listed, clip)
        except Invalid as error:
            _log.warning("a clip came that its item cannot use", item=item.id, why=error.detail)
            continue
        changes[item.id] = {"asset_id": clip.id, "in_frames": begin, "out_frames": end}
        if item.title == item.house_id:
            changes[item.id]["title"] = clip.title
    return changes
