"""Media roots: the folders that clips lie below. A channel can move only to nodes that read the roots it needs."""

from fastapi import Request

from supervisor.api import views
from supervisor.api.context import Ctx
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.errors import Unavailable
from supervisor.media_marker import read_or_make_marker, whole_path
from supervisor.schemas.base import Id, Page
from supervisor.schemas.media_root import MediaRoot, MediaRootIn

routes = router("media roots")

MARK_S = 5.0


@routes.get("/media-roots", responses=documented())
async def list_media_roots(context: Ctx) -> Page[MediaRoot]:
    """By path. They are few, so it is one page."""
    async with context.store.read() as tx:
        return Page(items=tuple(views.media_root(row) for row in await tx.media_roots.list()))


@routes.post("/media-roots", status_code=201, responses=documented(409))
async def create_media_root(context: Ctx, request: Request, values: MediaRootIn) -> MediaRoot:
    """Marks a folder of the supervisor's machine with a file of its own, unless it has one, and remembers it.

    Other nodes mount the same folder at the same path; a path that merely exists there proves nothing.
    """
    path = whole_path(values.path)
    note(request, f"media_root:{path}")
    try:
        marker = await context.media.run(MARK_S, read_or_make_marker, path)
    except TimeoutError:
        raise Unavailable(f"{path} did not answer within {MARK_S:.0f} s: does its disk hang?") from None
    async with context.store.write() as tx:
        row = await tx.media_roots.add(path, marker, context.clock.now())
    return views.media_root(row)


@routes.delete("/media-roots/{media_root_id}", status_code=204, responses=documented(404))
async def delete_media_root(context: Ctx, request: Request, media_root_id: Id) -> None:
    """Forgets it; the folder and its marker stay. Channels whose clips lie below it can then be moved nowhere."""
    async with context.store.write() as tx:
        path = next((row.path for row in await tx.media_roots.list() if row.id == media_root_id), "")
        await tx.media_roots.delete(media_root_id)
    note(request, path=path)
