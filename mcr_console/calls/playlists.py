"""Playlists, their items, and assets."""

from mcr_console.calls.base import API, Calls
from mcr_console.http import LONG_ANSWER_S, Query
from supervisor.schemas.asset import Asset, AssetIn
from supervisor.schemas.base import Page
from supervisor.schemas.playlist import (
    ImportResult,
    InsertNext,
    Item,
    ItemPatch,
    ItemsDrop,
    ItemsInsert,
    Playlist,
    PlaylistEdit,
    PlaylistImport,
    PlaylistIn,
    PlaylistRevise,
    Revision,
    Undone,
)


class PlaylistCalls(Calls):
    """``revision`` is the one that was seen."""

    async def playlists(self) -> tuple[Playlist, ...]:
        return await self._all("/playlists", Playlist)

    async def create_playlist(self, values: PlaylistIn) -> Playlist:
        return await self._send("POST", "/playlists", Playlist, values)

    async def delete_playlist(self, playlist_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/playlists/{playlist_id}", rev=rev)

    async def import_playlist(self, values: PlaylistImport) -> ImportResult:
        """Every file is probed, so this may take minutes."""
        return await self._send("POST", "/playlists/import", ImportResult, values, deadline_s=LONG_ANSWER_S)

    async def revise_playlist(self, playlist_id: str, values: PlaylistRevise, *, dry_run: bool) -> Revision:
        """What a revised list changes; files that it names are probed, so this may take minutes."""
        path = f"/playlists/{playlist_id}/revise"
        query: Query = {"dry_run": dry_run}
        return await self._send("POST", path, Revision, values, query=query, deadline_s=LONG_ANSWER_S)

    async def items(self, playlist_id: str) -> tuple[Item, ...]:
        return await self._all(f"/playlists/{playlist_id}/items", Item)

    async def item(self, playlist_id: str, item_id: str) -> Item:
        return await self._http.get(f"{API}/playlists/{playlist_id}/items/{item_id}", Item)

    async def find_assets(self, words: str, limit: int = 50) -> tuple[Asset, ...]:
        """Those with every word in title, house id or path; the first ``limit`` of them."""
        query: Query = {"search": words or None, "limit": limit}
        return (await self._http.get(f"{API}/assets", Page[Asset], query=query)).items

    async def insert_items(self, playlist_id: str, values: ItemsInsert) -> Playlist:
        return await self._send("POST", f"/playlists/{playlist_id}/items", Playlist, values)

    async def update_item(self, playlist_id: str, item_id: str, revision: int, changes: ItemPatch) -> Playlist:
        return await self._send("PATCH", f"/playlists/{playlist_id}/items/{item_id}", Playlist, changes, rev=revision)

    async def drop_items(self, playlist_id: str, values: ItemsDrop) -> Playlist:
        """Lets them not air, or air again."""
        return await self._send("POST", f"/playlists/{playlist_id}/items/drop", Playlist, values)

    async def insert_next(self, channel_id: str, values: InsertNext) -> Playlist:
        """Right after what is on air."""
        return await self._send("POST", f"/channels/{channel_id}/insert-next", Playlist, values)

    async def undo_edit(self, playlist_id: str, revision: int) -> Undone:
        """Takes the edit that made this revision back."""
        return await self._send(
            "POST", f"/playlists/{playlist_id}/undo", Undone, PlaylistEdit(revision=revision)
        )  # fmt: skip

    async def create_asset(self, values: AssetIn) -> Asset:
        return await self._send("POST", "/assets", Asset, values, deadline_s=60.0)
