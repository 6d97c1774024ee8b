"""Edits of a channel's rundown: shown with the times they would make, then done. What airs or is due is left alone."""

from dataclasses import dataclass

from fastapi import Request, Response

from db.errors import StaleRevision
from db.models import Channel, Playlist
from db.transaction import Transaction
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import require_sight
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import channel_row
from supervisor.api.routes.items import time_keeper
from supervisor.api.routes.playlists import playlist_row
from supervisor.api.routes.rundowns import answer_rundown, listing_of
from supervisor.api.rundown_change import (
    Change,
    Changed,
    Inserted,
    Moved,
    as_it_would_be,
    change_of,
    require_unlocked,
    urls_of,
)
from supervisor.asrun.starts import last_starts
from supervisor.errors import Conflict
from supervisor.playlists.telling import tell_playlist
from supervisor.principal import Principal
from supervisor.rundowns import Listing
from supervisor.schemas.base import Id
from supervisor.schemas.channel import Rundown
from supervisor.schemas.rundown_edit import InsertEdit, RundownEdit

routes = router("rundowns")


@routes.post("/channels/{channel_id}/rundown/preview", response_model=Rundown, responses=documented(404, 409))
async def preview_rundown_edit(context: Ctx, who: Who, channel_id: Id, values: RundownEdit) -> Response:
    """The rundown with the times that it would have after the edit; nothing is changed, and nothing is audited."""
    async with context.store.read() as tx:
        wanted = await _wanted(context, tx, who, channel_id, values)
        aired = await last_starts(tx, wanted.channel)
    after = Listing(wanted.playlist, as_it_would_be(wanted.listing.items, wanted.change), wanted.listing.assets)
    return await answer_rundown(context, wanted.channel, after, aired)


@routes.post("/channels/{channel_id}/rundown/edit", response_model=Rundown, responses=documented(404, 409))
async def edit_rundown(context: Ctx, who: Who, request: Request, channel_id: Id, values: RundownEdit) -> Response:
    """Does it, and answers the rundown as it is then."""
    note(request, saw_revision=values.revision, do=values.edit.do)
    async with context.store.write() as tx:
        wanted = await _wanted(context, tx, who, channel_id, values)
        row = await _write(tx, wanted.playlist.id, values.revision, wanted.change)
    note(request, f"playlist:{row.id}")
    await tell_playlist(row, context.store, context.supervision, context.events)
    async with context.store.read() as tx:
        listing = await listing_of(tx, row.id)
        aired = await last_starts(tx, wanted.channel)
    return await answer_rundown(context, wanted.channel, listing, aired)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An edit that may be done. ``listing`` is as it is, with the assets of what comes."""

    channel: Channel
    playlist: Playlist
    listing: Listing
    change: Change


async def _wanted(context: Context, tx: Transaction, who: Principal, channel_id: str, values: RundownEdit) -> _Wanted:
    """Raises Missing, NotFound, StaleRevision, Invalid, and Conflict for what may not be edited now."""
    channel = await channel_row(tx, who, channel_id)
    if channel.playlist_id is None:
        raise Conflict("this channel has no list", hint="Give it one: mcr playlist play.")
    row = await playlist_row(tx, who, channel.playlist_id)
    if row.revision != values.revision:
        raise StaleRevision(row.id, values.revision, row.revision)
    listing = await listing_of(tx, row.id)
    assets = dict(listing.assets)
    if isinstance(values.edit, InsertEdit):
        new = await tx.assets.by_ids({item.asset_id for item in values.edit.items if item.asset_id})
        for asset in new.values():
            require_sight(who, asset.project_id, "asset", asset.id, right="view")
        assets |= new
    change = change_of(values.edit, listing.items, assets, await time_keeper(tx, row.id), context.clock.now())
    for url in urls_of(change):
        context.reach.require_url(url, "a live input")
    standing = await context.revising.standing_now(tx, row, listing.items, listing.assets, values.lock_s)
    players = await tx.channels.list(playlist_id=row.id)
    require_unlocked(change, standing, loops=all(one.after_last == "loop" for one in players))
    return _Wanted(channel, row, Listing(row, listing.items, assets), change)


async def _write(tx: Transaction, playlist_id: str, revision: int, change: Change) -> Playlist:
    if isinstance(change, Inserted):
        row, _ = await tx.playlists.insert(playlist_id, revision, change.specs, change.at)
    elif isinstance(change, Changed):
        row, _ = await tx.playlists.patch(playlist_id, revision, change.item_id, change.columns)
    elif isinstance(change, Moved):
        row = await tx.playlists.move(playlist_id, revision, change.item_id, change.to)
    else:
        row = await tx.playlists.remove(playlist_id, revision, [change.item_id])
    return row
