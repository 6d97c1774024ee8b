"""The sidecar's HTTP contract: which path is answered by what, and how everything that goes wrong is told."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sidecar.control.answers import Answer, Refuse, refusal_answer
from sidecar.control.commands import SHAPES
from sidecar.control.reads import Reads
from sidecar.control.requests import BearerToken

log = logging.getLogger(__name__)


class Acts(Protocol):
    """Who obeys."""

    async def handle(self, verb: str, request: Request) -> Answer:
        """Raises Refuse."""
        ...


def application(reads: Reads, commands: Acts, token: str) -> Starlette:
    """Every route, unknown ones too, is behind the bearer token."""
    looks = {
        "/status": reads.status,
        "/asrun": reads.asrun,
        "/thumbnail.jpg": reads.thumbnail,
        "/metrics": reads.metrics,
    }
    routes = [Route(path, _answered(look), methods=["GET"]) for path, look in looks.items()]
    for verb in SHAPES:
        method = "PUT" if verb in ("playlist", "outputs") else "POST"
        routes.append(Route(f"/{verb}", _answered(partial(commands.handle, verb)), methods=[method]))
    return Starlette(
        routes=routes,
        middleware=[Middleware(BearerToken, token=token)],
        exception_handlers={HTTPException: _no_route},
    )


def _answered(handle: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return (await handle(request)).response()
        except Refuse as refused:
            return refusal_answer(refused).response()
        except Exception as error:
            log.exception("%s %s failed", request.method, request.url.path)
            refused = Refuse("engine_failed", f"a defect of this sidecar: {error!r}; its log has more", status=500)
            return refusal_answer(refused).response()

    return endpoint


def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    refused = Refuse("invalid", f"{request.method} {request.url.path} is not part of the contract", status=status)
    return refusal_answer(refused).response()
