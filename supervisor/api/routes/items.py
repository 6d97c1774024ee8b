"""Items: the lines of a playlist. Every edit names the revision it saw and answers the playlist with the new one."""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response
from pydantic_core import to_jsonable_python

from db import models
from db.repositories.playlists import ItemSpec
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.item_spec import changed_item, new_item
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.api.routes.channels import channel_row
from supervisor.api.routes.playlists import edited, playlist_row
from supervisor.errors import Conflict
from supervisor.playlists.given_times import anchor, given_times
from supervisor.schemas.base import Id, Page
from supervisor.schemas.playlist import (
    InsertNext,
    Item,
    ItemIn,
    ItemMove,
    ItemPatch,
    ItemsDrop,
    ItemsInsert,
    Playlist,
    PlaylistEdit,
    Undone,
)

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
    items = (views.item(item, assets.get(item.asset_id or "")) for item in shown)
    return Page(
        items=tuple(views.without_input_secrets(item, who, row.project_id) for item in items), next_cursor=following
    )


@routes.get("/playlists/{playlist_id}/items/{item_id}", responses=documented(404))
async def read_item(context: Ctx, who: Who, playlist_id: Id, item_id: Id) -> Item:
    """One item."""
    async with context.store.read() as tx:
        playlist = await playlist_row(tx, who, playlist_id)
        row = await tx.playlists.item(playlist_id, item_id)
        asset = await tx.assets.get(row.asset_id) if row.asset_id else None
    return views.without_input_secrets(views.item(row, asset), who, playlist.project_id)


@routes.post("/playlists/{playlist_id}/items", status_code=201, responses=documented(404, 409))
async def insert_items(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, values: ItemsInsert
) -> Playlist:
    """Inserts all of them or none."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        assets = await tx.assets.by_ids({item.asset_id for item in values.items if item.asset_id})
        for asset in assets.values():
            require_sight(who, asset.project_id, "asset", asset.id, right="view")
        above = await tx.playlists.items(playlist_id, limit=values.at)
        specs = await _specs(context, tx, playlist_id, values.items, above, assets)
        row, made = await tx.playlists.insert(playlist_id, values.revision, specs, values.at)
    note(request, saw_revision=values.revision, at=values.at, items=len(made))
    return await edited(context, response, row)


@routes.post("/channels/{channel_id}/insert-next", status_code=201, responses=documented(404, 409))
async def insert_next(
    context: Ctx, who: Who, request: Request, response: Response, channel_id: Id, values: InsertNext
) -> Playlist:
    """Inserts all of them or none, right after what is on air now; where no item is, before what comes next."""
    live = context.supervision.live.get(channel_id)
    async with context.store.write() as tx:
        channel = await channel_row(tx, who, channel_id)
        if channel.playlist_id is None:
            raise Conflict("this channel has no list", hint="Give it one: mcr playlist play.")
        await playlist_row(tx, who, channel.playlist_id)
        assets = await tx.assets.by_ids({item.asset_id for item in values.items if item.asset_id})
        for asset in assets.values():
            require_sight(who, asset.project_id, "asset", asset.id, right="view")
        rows = await tx.playlists.items(channel.playlist_id)
        places = {row.id: row.position for row in rows}
        at = 0
        if live.item is not None and live.item.item_id in places:
            at = places[live.item.item_id] + 1
        elif live.next is not None:
            at = places.get(live.next.item_id, 0)
        specs = await _specs(context, tx, channel.playlist_id, values.items, rows[:at], assets)
        row, made = await tx.playlists.insert(channel.playlist_id, values.revision, specs, at)
    note(request, f"playlist:{row.id}", saw_revision=values.revision, at=at, items=len(made))
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
    """Only what is given changes; `out_frames` null plays to the end of the asset. A time of day is read after what
    stands above it, in the broadcast day of the channel that plays the list."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        item = await tx.playlists.item(playlist_id, item_id)
        asset = await tx.assets.get(item.asset_id) if item.asset_id else None
        above = await tx.playlists.items(playlist_id, limit=item.position)
        channel = await time_keeper(tx, playlist_id)
        (times,) = given_times([changes], anchor(above), channel, context.clock.now())
        given = changed_item(item, asset, changes, times)
        if changes.url is not None:
            context.reach.require_url(changes.url, "a live input")
        row, _ = await tx.playlists.patch(playlist_id, rev, item_id, given)
    told = {name: "another" if name == "url" else value for name, value in given.items()}  # it may hold a passphrase
    note(request, saw_revision=rev, changed=to_jsonable_python(told))
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


@routes.post("/playlists/{playlist_id}/items/drop", responses=documented(404, 409))
async def drop_items(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, values: ItemsDrop
) -> Playlist:
    """They stand in the list and do not air, or with `dropped` false air again. What is on air airs to its end."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        row = await tx.playlists.set_dropped(playlist_id, values.revision, values.item_ids, dropped=values.dropped)
    note(request, saw_revision=values.revision, items=len(values.item_ids), dropped=values.dropped)
    return await edited(context, response, row)


@routes.post("/playlists/{playlist_id}/undo", responses=documented(404, 409))
async def undo_edit(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, values: PlaylistEdit
) -> Undone:
    """Takes the edit that made this revision back; that is an edit too, so that a second undo does it again. 409
    `nothing_to_undo` where nothing is known of that edit."""
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        done = await tx.playlists.undo(playlist_id, values.revision)
        if done is None:
            raise Conflict(
                f"the edit that made revision {values.revision} cannot be taken back",
                conflict="nothing_to_undo",
                hint="Only the last edit of a list's items can.",
            )
        row, what = done
    note(request, saw_revision=values.revision, what=what)
    return Undone(playlist=await edited(context, response, row), what=what)


async def time_keeper(tx: Transaction, playlist_id: str) -> models.Channel | None:
    """The channel in whose zone and broadcast day the times of a list are: the first that plays it."""
    return next(iter(await tx.channels.list(limit=1, playlist_id=playlist_id)), None)


async def _specs(
    context: Context,
    tx: Transaction,
    playlist_id: str,
    items: Sequence[ItemIn],
    above: Sequence[models.Item],
    assets: Mapping[str, models.Asset],
) -> list[ItemSpec]:
    channel = await time_keeper(tx, playlist_id)
    times = given_times(items, anchor(above), channel, context.clock.now())
    specs = [new_item(item, assets, one) for item, one in zip(items, times, strict=True)]
    for spec in specs:
        context.reach.require_url(spec.url or "", "a live input")
    return specs
