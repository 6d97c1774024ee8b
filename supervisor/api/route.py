"""The one way into every handler: who calls, may they, do it, write down what came of it."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from supervisor.api.authentication import Connection
from supervisor.api.context import context_of
from supervisor.api.permissions import permit
from supervisor.api.problems import Failure, failure_of, response_of
from supervisor.principal import Principal
from supervisor.schemas.audit import Outcome

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class McrRoute(APIRoute):
    """A route whose name is its operation id and its entry in ``permissions.ROUTES``."""

    def get_route_handler(self) -> Handler:
        """FastAPI's own handler, behind permission and audit."""
        inner = super().get_route_handler()
        action = self.name

        async def handle(request: Request) -> Response:
            principal: Principal | None = request.state.principal
            try:
                permit(action, principal)
                response = await inner(request)
            except Exception as error:
                failure = failure_of(error)
                await _audit(request, principal, action, failure)
                return response_of(failure)
            await _audit(request, principal, action, None)
            return response

        return handle


def router(tag: str) -> APIRouter:
    """A noun's router."""
    return APIRouter(route_class=McrRoute, tags=[tag], generate_unique_id_function=operation_id)


def operation_id(route: APIRoute) -> str:
    """The handler's own name: stable, and the same word everywhere."""
    return route.name


def note(request: Request, target: str | None = None, **detail: object) -> None:
    """Adds what a handler knows to the audit row of this call: the id of what it made, the rev it saw."""
    if target is not None:
        request.state.audit_target = target
    request.state.audit_detail = {**getattr(request.state, "audit_detail", {}), **detail}


async def _audit(request: Request, principal: Principal | None, action: str, failure: Failure | None) -> None:
    if request.method in _SAFE_METHODS:
        return
    outcome: Outcome = "done"
    detail: dict[str, Any] = dict(getattr(request.state, "audit_detail", {}))
    if failure is not None:
        problem = failure.problem
        outcome = "failed" if problem.status >= 500 else "refused"
        detail |= {"status": problem.status, "code": problem.code, "why": problem.detail[:500]}
    connection: Connection | None = getattr(request.state, "connection", None)
    origin = f"tcp {connection.address}" if connection and connection.address else "unknown"
    target: str = getattr(request.state, "audit_target", "") or _target(request.path_params)
    await context_of(request).audit.record(principal, action, target, outcome, origin=origin, detail=detail)


def _target(parameters: Mapping[str, object]) -> str:
    return " ".join(f"{name.removesuffix('_id')}:{value}" for name, value in parameters.items())
