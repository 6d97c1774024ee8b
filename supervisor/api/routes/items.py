"""Items: the lines of a playlist. Every edit names the revision it saw and answers the playlist with the new one."""

from fastapi import Request, Response

from supervisor.api import views
from supervisor.api.context import Ctx, Who
from supervisor.api.item_spec import changed_item, new_item
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.api.routes.playlists import edited, playlist_row
from supervisor.schemas.base import Id, Page
from supervisor.schemas.playlist import Item, ItemMove, ItemPatch, ItemsInsert, Playlist

routes = router("items")


@routes.get("/playlists/{playlist_id}/items", responses=documented(404))
async def list_items(
    context: Ctx, who: Who, response: Response, playlist_id: Id, cursor: Cursor = None, limit: Limit = 100
) -> Page[Item]:
    """In order. The entity tag is the playlist's revision: a page of another revision does not fit the one before."""
    after = decode_cursor(cursor, int)[0] if cursor else None
    async with context.store.read() as tx:
        row = await playlist_row(tx, who, playlist_id)
        rows = await tx.playlists.items(playlist_id, after, limit + 1)
        assets = await tx.assets.by_ids({item.asset_id for item in rows if item.asset_id})
    set_etag(response, row.revision)
    shown, following = page_of(rows, limit, lambda item: (item.position,))
    return Page(items=tuple(views.item(item, assets.get(item.asset_id or "")) for item in shown), next_cursor=following)


@routes.post("/playlists/{playlist_id}/items", status_code=201, responses=documented(404, 409))
async def insert_items(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, values: ItemsInsert
) -> Playlist:
    """Inserts all of them or none."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        assets = await tx.assets.by_ids({item.asset_id for item in values.items if item.asset_id})
        for asset in assets.values():
            require_sight(who, asset.project_id, "asset", asset.id)
        specs = [new_item(item, assets) for item in values.items]
        row, made = await tx.playlists.insert(playlist_id, values.revision, specs, values.at)
    note(request, saw_revision=values.revision, at=values.at, items=len(made))
    return await edited(context, response, row)


@routes.patch("/playlists/{playlist_id}/items/{item_id}", responses=documented(404, 409, 428))
async def update_item(
    context: Ctx,
    who: Who,
    request: Request,
    response: Response,
    playlist_id: Id,
    item_id: Id,
    rev: SeenRev,
    changes: ItemPatch,
) -> Playlist:
    """Only what is given changes; `out_frames` null plays to the end of the asset."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        item = await tx.playlists.item(playlist_id, item_id)
        asset = await tx.assets.get(item.asset_id) if item.asset_id else None
        given = changed_item(item, asset, changes)
        row, _ = await tx.playlists.patch(playlist_id, rev, item_id, given)
    note(request, saw_revision=rev, changed=given)
    return await edited(context, response, row)


@routes.post("/playlists/{playlist_id}/items/{item_id}/move", responses=documented(404, 409))
async def move_item(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, item_id: Id, values: ItemMove
) -> Playlist:
    """It stands at position `to` afterwards."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        row = await tx.playlists.move(playlist_id, values.revision, item_id, values.to)
    note(request, saw_revision=values.revision, to=values.to)
    return await edited(context, response, row)


@routes.delete("/playlists/{playlist_id}/items/{item_id}", responses=documented(404, 409, 428))
async def delete_item(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, item_id: Id, rev: SeenRev
) -> Playlist:
    """Takes it out of the list. If it is on air now, it airs to its end."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        row = await tx.playlists.remove(playlist_id, rev, [item_id])
    note(request, saw_revision=rev)
    return await edited(context, response, row)
