"""What is looked at before a request is believed: its token, its size, its shape."""

import asyncio
import hmac
from typing import TypeVar

import msgspec
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sidecar.control.answers import Refuse, refusal_answer
from sidecar.control.connections import DoorProtocol

_BODY_S = 5.0

T = TypeVar("T", bound=msgspec.Struct)


class BearerToken:
    """Middleware around every route: 401 without the token of this start, compared in constant time."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        if hmac.compare_digest(given, self._expected):
            door = scope.get("state", {}).get("door")
            if isinstance(door, DoorProtocol):
                door.has_shown_token = True
            await self._app(scope, receive, send)
        else:
            refused = Refuse("unauthorized", "the bearer token is missing or not the one of this sidecar's start")
            await refusal_answer(refused).response()(scope, receive, send)


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises Refuse (413, 408) for one that is larger than ``most`` bytes or does not come."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise Refuse("invalid", f"the body is larger than {most} bytes", status=413)
                chunks.append(chunk)
    except TimeoutError as error:
        raise Refuse("invalid", f"the body did not come within {_BODY_S:g} s", status=408) from error
    except ClientDisconnect as error:
        raise Refuse("invalid", "the connection ended before the body did", status=400) from error
    return b"".join(chunks)


def decoded(body: bytes, shape: type[T]) -> T:
    """Raises Refuse ``invalid``, naming the field."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refuse("invalid", str(error)) from error


def number_in(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query. Raises Refuse ``invalid``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and least <= int(text) <= most):
        raise Refuse("invalid", f"{name} is {text[:40]!r}; it must be a whole number from {least} to {most}")
    return int(text)
