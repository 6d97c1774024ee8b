"""What comes in is read within limits, and what it says is checked before anything is done."""

import asyncio
from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from supervisor.agent.service.sessions import Refused

LARGEST_BODY: Final = 8 * 1024 * 1024
"""Bytes; a playlist of twenty thousand items has room."""
_BODY_S: Final = 10.0
_LARGEST_NUMBER: Final = 2**62

_T = TypeVar("_T")


async def read_body(request: Request, *, keep: bool, most: int = LARGEST_BODY) -> bytes:
    """The whole body; read and dropped unless ``keep``, so that a stranger costs no memory and still hears why not.

    Raises Refused for one that is too large or does not come.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise Refused("too_large", f"the body is larger than {most} bytes", 413)
                if keep:
                    chunks.append(chunk)
    except TimeoutError as error:
        raise Refused("too_slow", f"the body did not come within {_BODY_S:g} s", 408) from error
    except ClientDisconnect as error:
        raise Refused("cut_off", "the connection ended before the body did", 400) from error
    return b"".join(chunks)


def decoded(body: bytes, shape: type[_T]) -> _T:
    """Raises ValueError, naming the field; also for an epoch or a term that can be none."""
    try:
        value = msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the body is no {shape.__name__}: {error}") from error
    for name, least in (("epoch", 1), ("term", 0)):
        number = getattr(value, name, least)
        if not least <= number <= _LARGEST_NUMBER:
            raise ValueError(f"{name} {number} is out of range")
    return value


def asked(request: Request, shape: type[_T]) -> _T:
    """What the query says. Raises ValueError."""
    try:
        return msgspec.convert(dict(request.query_params), shape, strict=False)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the query is no {shape.__name__}: {error}") from error
