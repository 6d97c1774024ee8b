"""What every request passes before it is routed: is the host ours, who calls, and how much may they send."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor.api.authentication import Connection, authenticate, host_of, is_loopback
from supervisor.api.context import Context, context_of
from supervisor.api.problems import failure_of, response_of
from supervisor.api.tls import is_address
from supervisor.errors import Forbidden

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes."""
BODY_S: Final = 30.0
"""Seconds in which a whole body must be here: who sends slower holds a task and nothing else."""


class Gate:
    """Puts the principal into ``request.state`` and bounds the body.

    On TCP a Host header that is not this machine's own is refused: a web page whose name was pointed at this machine
    (DNS rebinding) speaks with its own name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        connection = getattr(request.state, "connection", None)
        if isinstance(connection, Connection) and connection.address is not None:
            host = request.headers.get("host", "")
            if not _is_ours(host_of(host), context_of(request)):
                error = Forbidden(
                    f"this supervisor is not {host[:200]!r}",
                    hint="Call it as localhost or 127.0.0.1, or name it so in MCR_ALLOWED_HOSTS.",
                )
                await response_of(failure_of(error))(scope, receive, send)
                return
        request.state.principal = authenticate(request, context_of(request).token, context_of(request).people)
        await self._app(scope, _Bounded(receive), send)


def _is_ours(host: str, context: Context) -> bool:
    if is_loopback(host) or host.lower() in context.hosts:
        return True
    return context.beyond_loopback and is_address(host)


class _Bounded:
    """A receive channel that ends a body which is too long or too slow."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen = 0
        self._whole = False
        self._deadline = asyncio.get_running_loop().time() + BODY_S

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, f"the body was not here within {BODY_S:.0f} s") from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._seen > BODY_LIMIT:
                raise HTTPException(413, f"the body is larger than {BODY_LIMIT} bytes")
        return message
