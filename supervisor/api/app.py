"""Puts the routes together into one application."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from supervisor.api import problems
from supervisor.api.context import Context
from supervisor.api.description import describe
from supervisor.api.gate import Gate
from supervisor.api.permissions import ROUTES
from supervisor.api.route import McrRoute
from supervisor.api.routes import (
    ahead,
    alarms,
    asrun,
    asrun_days,
    assets,
    audit,
    channels,
    claims,
    coming,
    control,
    drills,
    explain,
    failover,
    handover,
    history,
    instructions,
    items,
    live,
    media_roots,
    metrics,
    nodes,
    playlists,
    principals,
    projects,
    recorders,
    rundown_edits,
    rundowns,
    schedules,
    stream,
    supervisor,
    transport,
    watched_folders,
    webhooks,
    what_if,
)
from supervisor.version import program_version

_ROUTERS: Final = (
    projects.routes,
    nodes.routes,
    what_if.routes,
    claims.routes,
    media_roots.routes,
    watched_folders.routes,
    webhooks.routes,
    ahead.routes,
    coming.routes,
    channels.routes,
    failover.routes,
    explain.routes,
    transport.routes,
    control.routes,
    rundowns.routes,
    rundown_edits.routes,
    live.routes,
    recorders.routes,
    schedules.routes,
    playlists.routes,
    items.routes,
    assets.routes,
    alarms.routes,
    asrun.routes,
    asrun_days.routes,
    audit.routes,
    principals.routes,
    stream.routes,
    history.routes,
    drills.routes,
    instructions.routes,
    handover.routes,
    supervisor.routes,
    supervisor.health,
    metrics.metrics,
    live.files,
)


def all_routes() -> tuple[APIRoute, ...]:
    """Every route there is."""
    return tuple(_checked(route) for router in _ROUTERS for route in router.routes)


def create_app(context: Context | None = None) -> FastAPI:
    """The application. Without a context it can be described and not called. Refuses a route that nobody may call."""
    app = _Api(
        title="MCR Console",
        summary="Master control for linear TV channels",
        description=(
            "On the unix socket the supervisor's own user and root are admins, others whom a principal names; on TCP "
            "every call but the two health ones carries `Authorization: Bearer <token>`. What a principal sees and may "
            "do, its role and its grants in projects say. Changes name the rev they saw (`If-Match`). Errors are "
            "`application/problem+json` (RFC 9457) with a stable `code`."
        ),
        version=program_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    # Not include_router: it would build every route a second time, within the first request and holding the loop.
    app.router.routes.extend(all_routes())
    problems.install(app)
    app.add_middleware(Gate)
    app.state.context = context
    return app


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """With what each route needs, and every error as a problem document."""
        if not self.openapi_schema:
            self.openapi_schema = describe(super().openapi())
        return self.openapi_schema


def _checked(route: object) -> APIRoute:
    if not isinstance(route, McrRoute):
        raise TypeError(f"{route!r} is not behind permission and audit: make it with supervisor.api.route.router")
    if route.name not in ROUTES:
        raise ValueError(f"{route.name} declares no permission in supervisor.api.permissions.ROUTES")
    return route
