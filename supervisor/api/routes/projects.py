"""Projects group channels, playlists and assets."""

from fastapi import Request, Response

from db.models import Project as Row
from supervisor.api import views
from supervisor.api.context import Ctx, Who
from supervisor.api.paging import Cursor, Limit, decode_cursor, page_of
from supervisor.api.permissions import require_sight, visible
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.errors import Invalid
from supervisor.schemas.base import Id, Page
from supervisor.schemas.project import Project, ProjectIn, ProjectPatch

routes = router("projects")


@routes.get("/projects", responses=documented())
async def list_projects(context: Ctx, who: Who, cursor: Cursor = None, limit: Limit = 100) -> Page[Project]:
    """By name."""
    after = decode_cursor(cursor, str)[0] if cursor else None
    async with context.store.read() as tx:
        rows = await tx.projects.list(after, limit + 1, ids=visible(who))
    shown, following = page_of(rows, limit, lambda row: (row.name,))
    return Page(items=tuple(views.project(row) for row in shown), next_cursor=following)


@routes.post("/projects", status_code=201, responses=documented(409))
async def create_project(context: Ctx, request: Request, response: Response, values: ProjectIn) -> Project:
    """Names are unique."""
    async with context.store.write() as tx:
        row = await tx.projects.add(values.name, context.clock.now())
    note(request, f"project:{row.id}", name=row.name)
    return _answer(response, row)


@routes.get("/projects/{project_id}", responses=documented(404))
async def read_project(context: Ctx, who: Who, response: Response, project_id: Id) -> Project:
    """One project."""
    require_sight(who, project_id, "project", project_id)
    async with context.store.read() as tx:
        return _answer(response, await tx.projects.get(project_id))


@routes.patch("/projects/{project_id}", responses=documented(404, 409, 428))
async def update_project(
    context: Ctx, who: Who, request: Request, response: Response, project_id: Id, rev: SeenRev, changes: ProjectPatch
) -> Project:
    """Renames it."""
    require_sight(who, project_id, "project", project_id)
    if changes.name is None:
        raise Invalid("a project has nothing but its name to change, and it is missing")
    async with context.store.write() as tx:
        note(request, before={"name": (await tx.projects.get(project_id)).name})
        row = await tx.projects.update(project_id, rev, {"name": changes.name})
    note(request, saw_rev=rev, after={"name": row.name})
    return _answer(response, row)


@routes.delete("/projects/{project_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_project(context: Ctx, who: Who, request: Request, project_id: Id, rev: SeenRev) -> None:
    """Only when nothing belongs to it."""
    require_sight(who, project_id, "project", project_id)
    note(request, saw_rev=rev)
    async with context.store.write() as tx:
        await tx.projects.delete(project_id, rev)


def _answer(response: Response, row: Row) -> Project:
    set_etag(response, row.rev)
    return views.project(row)
