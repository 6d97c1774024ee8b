"""Watched folders: lists and media that come in by themselves."""

import os

from fastapi import Request

from db.models import WatchedFolder as Row
from db.repositories.watched_folders import FolderSpec
from db.transaction import Transaction
from supervisor.api.confinement import require_paths
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import require_sight, sees
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.api.routes.channels import channel_row
from supervisor.errors import Invalid, Unavailable
from supervisor.media_marker import whole_path
from supervisor.schemas.base import Id, Page
from supervisor.schemas.watched_folder import IncomingFile, WatchedFolder, WatchedFolderIn

routes = router("watched folders")

LOOK_S = 5.0


@routes.get("/watched-folders", responses=documented())
async def list_watched_folders(context: Ctx, who: Who) -> Page[WatchedFolder]:
    """By path, with what is coming in. They are few, so it is one page."""
    async with context.store.read() as tx:
        rows = [row for row in await tx.watched_folders.list() if sees(who, await _project_of(tx, row))]
    return Page(items=tuple(_view(context, row) for row in rows))


@routes.post("/watched-folders", status_code=201, responses=documented(404, 409))
async def create_watched_folder(context: Ctx, who: Who, request: Request, values: WatchedFolderIn) -> WatchedFolder:
    """Watches a folder of the supervisor's machine from now on. What lies in it already comes in at once."""
    path = whole_path(values.path)
    note(request, f"watched_folder:{path}", folder=values.kind, channel=values.channel_id)
    if (values.kind == "lists") != (values.channel_id is not None):
        raise Invalid("lists have a channel, media have none", hint="Give channel_id for lists, and only for them.")
    if values.kind == "lists" and values.project_id is not None:
        raise Invalid("lists belong to their channel's project", hint="Leave project_id out.")
    if values.kind == "media" and (values.source is not None or values.append or values.options.model_fields_set):
        raise Invalid("media have no format, no options and no append: those are of lists")
    await require_paths(context, who, [path])
    try:
        if not await context.media.run(LOOK_S, _is_plain_folder, path):
            raise Invalid(f"{path} is not a folder of the supervisor's machine", hint="Is it mounted?")
    except TimeoutError:
        raise Unavailable(f"{path} did not answer within {LOOK_S:.0f} s: does its disk hang?") from None
    spec = FolderSpec(
        kind=values.kind,
        path=path,
        channel_id=values.channel_id,
        project_id=values.project_id,
        source=values.source,
        options=values.options.model_dump(mode="json", exclude_unset=True),
        append=values.append,
    )
    async with context.store.write() as tx:
        if values.channel_id is not None:
            await channel_row(tx, who, values.channel_id)
        else:
            require_sight(who, values.project_id, "project", values.project_id or "none")
        row = await tx.watched_folders.add(spec, context.clock.now())
    return _view(context, row)


@routes.delete("/watched-folders/{watched_folder_id}", status_code=204, responses=documented(404))
async def delete_watched_folder(context: Ctx, who: Who, request: Request, watched_folder_id: Id) -> None:
    """Watches it no more; the folder and all that came out of it stay."""
    async with context.store.write() as tx:
        row = await tx.watched_folders.get(watched_folder_id)
        path = row.path
        require_sight(who, await _project_of(tx, row), "watched_folder", watched_folder_id)
        await tx.watched_folders.delete(watched_folder_id)
    note(request, f"watched_folder:{path}")


async def _project_of(tx: Transaction, row: Row) -> str | None:
    """Its own, or its channel's."""
    if row.channel_id is None:
        return row.project_id
    return (await tx.channels.get(row.channel_id)).project_id


def _is_plain_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() raises for a name that is too long


def _view(context: Context, row: Row) -> WatchedFolder:
    names = ("id", "kind", "path", "channel_id", "project_id", "source", "options", "append", "created_at")
    values: dict[str, object] = {name: getattr(row, name) for name in names}
    seen = context.folders.seen(row.id)
    if seen is not None:
        files = tuple(IncomingFile(name=file.name, state=file.state, detail=file.detail) for file in seen.files)
        values |= {"looked_at": seen.looked_at, "fault": seen.fault, **seen.counts, "files": files}
    return WatchedFolder.model_validate(values)
