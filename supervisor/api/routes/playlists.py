"""Playlists: made, renamed, imported, deleted. Their lines are in ``items``."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request, Response

from db.models import Channel
from db.models import Playlist as Row
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.confinement import require_paths
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import Permission, may, require_sight, visible
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.errors import Invalid
from supervisor.playlists.importing import import_playlist as run_import
from supervisor.playlists.preparing import ListSource
from supervisor.playlists.telling import tell_playlist
from supervisor.principal import Principal
from supervisor.schemas.base import Id, Page
from supervisor.schemas.playlist import (
    ImportResult,
    ListIn,
    Playlist,
    PlaylistImport,
    PlaylistIn,
    PlaylistPatch,
    PlaylistRevise,
    Revision,
    RevisionChange,
)

routes = router("playlists")


@routes.get("/playlists", responses=documented())
async def list_playlists(context: Ctx, who: Who, cursor: Cursor = None, limit: Limit = 100) -> Page[Playlist]:
    """In a fixed order."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.playlists.list(after, limit + 1, projects=visible(who))
        counts = await tx.playlists.item_counts([row.id for row in rows])
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    items = (views.playlist(row, counts.get(row.id, 0)) for row in shown)
    return Page(items=tuple(items), next_cursor=following)


@routes.post("/playlists", status_code=201, responses=documented(404))
async def create_playlist(context: Ctx, who: Who, request: Request, response: Response, values: PlaylistIn) -> Playlist:
    """Empty."""
    require_sight(who, values.project_id, "project", values.project_id or "none")
    async with context.store.write() as tx:
        row = await tx.playlists.add(values.name, values.project_id, context.clock.now())
    note(request, f"playlist:{row.id}", name=row.name)
    return answer(response, row, 0)


@routes.post("/playlists/import", status_code=201, responses=documented(404))
async def import_playlist(
    context: Ctx, who: Who, request: Request, response: Response, values: PlaylistImport
) -> ImportResult:
    """Makes a playlist of a list, or of a folder of the supervisor's machine. Every file is probed: up to minutes."""
    require_sight(who, values.project_id, "project", values.project_id or "none")
    note(request, source=values.source, path=values.path)
    channel = await _channel_of(context, who, values)
    result = await run_import(
        values.name,
        await list_source(context, values, who),
        project_id=values.project_id,
        channel=channel,
        preparing=context.preparing,
        store=context.store,
        clock=context.clock,
    )
    note(request, f"playlist:{result.playlist.id}", items=result.playlist.items, refused=len(result.refused))
    set_etag(response, result.playlist.revision)
    return result


@routes.post("/playlists/{playlist_id}/revise", responses=documented(404, 409))
async def revise_playlist(
    context: Ctx,
    who: Who,
    request: Request,
    response: Response,
    playlist_id: Id,
    values: PlaylistRevise,
    dry_run: Annotated[bool, Query(description="Only say what it would change.")] = False,
) -> Revision:
    """Replaces what is neither aired, on air, cued nor due within the lock window by what the list says.

    Of a list that plans times only what is planned from its first start to the end of its broadcast day is replaced:
    the next day's joins at the end. BXF may say an earlier end; BXF that updates, removes or inserts single events
    changes those alone.
    """
    async with context.store.read() as tx:
        await playlist_row(tx, who, playlist_id)
    channel = await _channel_of(context, who, values)
    note(request, saw_revision=values.revision, source=values.source, path=values.path, dry_run=dry_run)
    done = await context.revising.revise(
        playlist_id,
        values.revision,
        await list_source(context, values, who),
        lock_s=values.lock_s,
        append=values.append,
        dry_run=dry_run,
        channel=channel,
    )
    verdicts = Counter(change.verdict for change in done.difference.changes)
    note(request, applied=done.applied, changes=dict(verdicts))
    return Revision(
        playlist=answer(response, done.playlist, done.items),
        applied=done.applied,
        changes=tuple(RevisionChange.model_validate(change) for change in done.difference.changes),
        assets_new=done.prepared.assets_new,
        refused=done.prepared.refused,
        warnings=done.prepared.warnings,
        missing=done.prepared.missing,
    )


@routes.get("/playlists/{playlist_id}", responses=documented(404))
async def read_playlist(context: Ctx, who: Who, response: Response, playlist_id: Id) -> Playlist:
    """One playlist, without its items."""
    async with context.store.read() as tx:
        row = await playlist_row(tx, who, playlist_id)
        counts = await tx.playlists.item_counts([playlist_id])
    return answer(response, row, counts.get(playlist_id, 0))


@routes.patch("/playlists/{playlist_id}", responses=documented(404, 409, 428))
async def update_playlist(
    context: Ctx, who: Who, request: Request, response: Response, playlist_id: Id, rev: SeenRev, changes: PlaylistPatch
) -> Playlist:
    """Renames it; the revision grows like with every edit."""
    if changes.name is None:
        raise Invalid("a playlist has nothing but its name to change here, and it is missing")
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        row = await tx.playlists.rename(playlist_id, rev, changes.name)
    note(request, saw_revision=rev, name=row.name)
    return await edited(context, response, row)


@routes.delete("/playlists/{playlist_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_playlist(context: Ctx, who: Who, request: Request, playlist_id: Id, rev: SeenRev) -> None:
    """Only when no channel plays it. Its assets stay."""
    note(request, saw_revision=rev)
    async with context.store.write() as tx:
        await playlist_row(tx, who, playlist_id)
        await tx.playlists.delete(playlist_id, rev)


async def _channel_of(context: Context, who: Principal, values: ListIn) -> Channel | None:
    if values.channel_id is None:
        return None
    async with context.store.read() as tx:
        channel = await tx.channels.get(values.channel_id)
    require_sight(who, channel.project_id, "channel", values.channel_id)
    return channel


async def list_source(context: Context, values: ListIn, who: Principal) -> ListSource:
    """What the caller sends, and which files are read for them. Raises Forbidden."""
    reads_files = may(who, Permission.CONFIGURE)
    named = [] if values.path is None or not reads_files else [values.path]
    return ListSource(
        values.source,
        None if values.path is None else Path(values.path),
        None if values.content is None else values.content.encode(),
        values.options,
        reads_files=reads_files,
        below=await require_paths(context, who, named),
    )


async def playlist_row(tx: Transaction, who: Principal, playlist_id: str) -> Row:
    """The playlist, if there is one for this principal. Raises Missing or NotFound, which read alike."""
    row = await tx.playlists.get(playlist_id)
    require_sight(who, row.project_id, "playlist", playlist_id)
    return row


async def edited(context: Context, response: Response, row: Row) -> Playlist:
    """Tells the sidecars that play it and every console, and answers the playlist with its new revision."""
    async with context.store.read() as tx:
        counts = await tx.playlists.item_counts([row.id])
    await tell_playlist(row, context.store, context.supervision, context.events)
    return answer(response, row, counts.get(row.id, 0))


def answer(response: Response, row: Row, items: int) -> Playlist:
    """A playlist with its revision as the entity tag."""
    set_etag(response, row.revision)
    return views.playlist(row, items)
