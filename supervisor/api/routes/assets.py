"""Assets: media files that were looked at once."""

from pathlib import Path
from typing import Annotated, Final

from fastapi import Query, Request, Response

from db.models import Asset as Row
from db.transaction import Transaction
from supervisor.api import views
from supervisor.api.confinement import require_paths
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight, visible
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.assets.importing import Wanted
from supervisor.errors import Invalid
from supervisor.principal import Principal
from supervisor.schemas.asset import Asset, AssetIn, AssetPatch
from supervisor.schemas.base import Id, Page

routes = router("assets")

MOST_WORDS: Final = 8
"""Words of a search that are looked for."""


@routes.get("/assets", responses=documented())
async def list_assets(
    context: Ctx,
    who: Who,
    cursor: Cursor = None,
    limit: Limit = 100,
    search: Annotated[
        str | None, Query(max_length=200, description="Only those with every word of it in title, house id or path.")
    ] = None,
) -> Page[Asset]:
    """In a fixed order."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.assets.list(after, limit + 1, projects=visible(who), words=(search or "").split()[:MOST_WORDS])
    shown, following = page_of(rows, limit, lambda row: (row.id,))
    return Page(items=tuple(views.asset(row) for row in shown), next_cursor=following)


@routes.post("/assets", status_code=201, responses=documented(404))
async def create_asset(context: Ctx, who: Who, request: Request, response: Response, values: AssetIn) -> Asset:
    """Probes the file at once. The same file at the same path is answered as the asset that it is already."""
    require_sight(who, values.project_id, "project", values.project_id or "none")
    note(request, path=values.path)
    wanted = Wanted(path=Path(values.path), title=values.title, house_id=values.house_id)
    row = await context.assets.add(wanted, values.project_id, await require_paths(context, who, [values.path]))
    note(request, f"asset:{row.id}")
    return _answer(response, row)


@routes.get("/assets/{asset_id}", responses=documented(404))
async def read_asset(context: Ctx, who: Who, response: Response, asset_id: Id) -> Asset:
    """One asset."""
    async with context.store.read() as tx:
        return _answer(response, await _row(tx, who, asset_id))


@routes.patch("/assets/{asset_id}", responses=documented(404, 409, 428))
async def update_asset(
    context: Ctx, who: Who, request: Request, response: Response, asset_id: Id, rev: SeenRev, changes: AssetPatch
) -> Asset:
    """Title and house id; `house_id` null empties it."""
    given = changes.model_dump(exclude_unset=True)
    if not given or given.get("title", "kept") is None:
        raise Invalid("give a title or a house_id to change; a title cannot be empty")
    async with context.store.write() as tx:
        await _row(tx, who, asset_id)
        row = await tx.assets.update(asset_id, rev, given)
    note(request, saw_rev=rev, changed=given)
    return _answer(response, row)


@routes.delete("/assets/{asset_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_asset(context: Ctx, who: Who, request: Request, asset_id: Id, rev: SeenRev) -> None:
    """Only when no playlist has it. The file stays where it is."""
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        await _row(tx, who, asset_id)
        await tx.assets.delete(asset_id, rev)


async def _row(tx: Transaction, who: Principal, asset_id: str) -> Row:
    row = await tx.assets.get(asset_id)
    require_sight(who, row.project_id, "asset", asset_id)
    return row


def _answer(response: Response, row: Row) -> Asset:
    set_etag(response, row.rev)
    return views.asset(row)
