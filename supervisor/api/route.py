"""The one way into every handler: who calls, may they, do we lead, do it, write down what came of it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from supervisor.api.authentication import Connection
from supervisor.api.context import Context, context_of
from supervisor.api.permissions import ANYWHERE, CHANGES_NOTHING, ON_AIR, UNWRITTEN, permit
from supervisor.api.problems import Failure, failure_of, response_of
from supervisor.errors import Follows, TooMany, Unauthenticated
from supervisor.principal import Principal
from supervisor.schemas.audit import Outcome

PREFIX: Final = "/api/v1"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class McrRoute(APIRoute):
    """A route whose name is its operation id and its entry in ``permissions.ROUTES``."""

    @cached_property
    def _shape(self) -> tuple[str, int | None]:
        """How its paths begin, and how many slashes they have; None where that differs."""
        return self.path.partition("{")[0], None if ":path}" in self.path else self.path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As in the base class, which tries an expression on every route in turn: most are told apart by less."""
        begins, slashes = self._shape
        path: str = scope["path"]
        if not scope.get("root_path") and not (path.startswith(begins) and slashes in {None, path.count("/")}):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Handler:
        """FastAPI's own handler, behind permission, leadership and audit."""
        inner = super().get_route_handler()
        action = self.name

        async def handle(request: Request) -> Response:
            principal: Principal | None = request.state.principal
            metrics = context_of(request).metrics
            began = metrics.clock()
            try:
                request.state.principal = permit(action, principal)
                if request.method not in _SAFE_METHODS and action not in ANYWHERE:
                    require_leader(context_of(request))
                response = await inner(request)
            except asyncio.CancelledError:
                _add_cancelled(request, principal, action)
                raise
            except Exception as error:
                if isinstance(error, Unauthenticated) and (told := throttled(request)) is not None:
                    return response_of(failure_of(told))  # no row: who floods the door does not flood the log
                failure = failure_of(error)
                await _audit(request, principal, action, failure)
                response = response_of(failure)
            else:
                await _audit(request, principal, action, None)
            metrics.tally.answered(action, response.status_code, metrics.clock() - began)
            return response

        return handle


def throttled(request: Request) -> TooMany | None:
    """Notes that this call names nobody; how to refuse it where too many did from the same address."""
    connection: Connection | None = getattr(request.state, "connection", None)
    if connection is None or connection.address is None:
        return None
    wait_s = context_of(request).throttle.failed(connection.address)
    if wait_s is None:
        return None
    return TooMany(
        f"too many calls without a right token came from {connection.address}",
        retry_after=max(1, round(wait_s)),
        hint="One with a right token is answered at any time.",
    )


def require_leader(context: Context) -> None:
    """Raises Follows where another supervisor decides.

    A store that no other supervisor can share is ours while it is away, too: what is told to a running channel needs
    none, and what needs one says so itself.
    """
    standing = context.supervision.standing()
    if not standing.leader and context.store.dialect != "sqlite":
        raise Follows(standing.address)


def router(tag: str, prefix: str = PREFIX) -> APIRouter:
    """A noun's router, below the API's prefix unless it says otherwise."""
    return APIRouter(prefix=prefix, route_class=McrRoute, tags=[tag], generate_unique_id_function=operation_id)


def operation_id(route: APIRoute) -> str:
    """The handler's own name: stable, and the same word everywhere."""
    return route.name


def note(request: Request, target: str | None = None, **detail: object) -> None:
    """Adds what a handler knows to the audit row of this call: the id of what it made, the rev it saw."""
    if target is not None:
        request.state.audit_target = target
    request.state.audit_detail = {**getattr(request.state, "audit_detail", {}), **detail}


async def _audit(request: Request, principal: Principal | None, action: str, failure: Failure | None) -> None:
    if request.method in _SAFE_METHODS or action in CHANGES_NOTHING or (action in UNWRITTEN and failure is None):
        return
    outcome: Outcome = "done"
    detail = _detail(request)
    if failure is not None:
        problem = failure.problem
        outcome = "failed" if problem.status >= 500 and problem.code != Follows.code else "refused"
        detail |= {"status": problem.status, "code": problem.code, "why": problem.detail[:500]}
    audit = context_of(request).audit
    if action in ON_AIR:
        audit.add(principal, action, _target(request), outcome, origin=_origin(request), detail=detail)
    else:
        await audit.record(principal, action, _target(request), outcome, origin=_origin(request), detail=detail)


def _add_cancelled(request: Request, principal: Principal | None, action: str) -> None:
    """A call that the supervisor's own end cut short: nobody waits for its row any more."""
    if request.method not in _SAFE_METHODS and action not in CHANGES_NOTHING:
        detail = _detail(request) | {"why": "the supervisor ended before it was done"}
        audit = context_of(request).audit
        audit.add(principal, action, _target(request), "failed", origin=_origin(request), detail=detail)


def _detail(request: Request) -> dict[str, Any]:
    return dict(getattr(request.state, "audit_detail", {}))


def _origin(request: Request) -> str:
    connection: Connection | None = getattr(request.state, "connection", None)
    return f"tcp {connection.address}" if connection and connection.address else "unknown"


def _target(request: Request) -> str:
    noted: str = getattr(request.state, "audit_target", "")
    return noted or " ".join(f"{name.removesuffix('_id')}:{value}" for name, value in request.path_params.items())
