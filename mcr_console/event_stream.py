"""The supervisor's event stream, without an end: it reconnects, resumes, and says when it is cut off."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeAlias

import httpx
from httpx_sse import EventSource, SSEError

from mcr_console.http import CONNECT_S, ApiProblem, ClientError, Http, Unreachable, problem, read_as, unreachable
from supervisor.schemas.base import Schema
from supervisor.schemas.event import PAYLOADS

SILENCE_S: Final = 3.0
"""The supervisor sends a beat every second; so long without a byte and the link counts as lost."""
FIRST_RETRY_S: Final = 0.25
LONGEST_RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """``payload`` is of the class that ``supervisor.schemas.event.PAYLOADS`` has for ``name``."""

    name: str
    id: str
    payload: Schema


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that this version of the console cannot read; the stream goes on."""

    name: str
    error: ApiProblem


@dataclass(frozen=True, slots=True)
class Lost:
    """The link is down. The next attempt comes in ``retry_in_s`` seconds."""

    error: ClientError
    retry_in_s: float


LinkMessage: TypeAlias = Event | Unreadable | Lost


async def event_stream(
    http: Http,
    *,
    last_id: str | None = None,
    silence_s: float = SILENCE_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    spread: Callable[[], float] = random.random,
) -> AsyncGenerator[LinkMessage, None]:
    """Events for ever. Nothing is queued here: a reader that is slow slows the reading.

    After a loss it waits 0.25 s, doubling up to 5 s, each cut by up to a half at random so that the consoles of a
    restarted supervisor do not come back in one instant; the first event sets it back. ``Last-Event-ID`` goes
    along, so that the supervisor sends what was missed, or a reset.
    """
    failures = 0
    while True:
        lost: ClientError
        try:
            async with aclosing(_one_connection(http, last_id, silence_s)) as messages:
                async for message in messages:
                    if isinstance(message, Event):
                        failures = 0
                        last_id = message.id or last_id
                    yield message
            lost = Unreachable("The supervisor closed the link", http.where)
        except ClientError as error:
            lost = error
        delay = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(failures, 10)) * (1 - spread() / 2)
        failures += 1
        yield Lost(lost, delay)
        await sleep(delay)


async def _one_connection(http: Http, last_id: str | None, silence_s: float) -> AsyncGenerator[LinkMessage, None]:
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    timeout = httpx.Timeout(silence_s, connect=CONNECT_S)
    try:
        async with http.raw.stream("GET", "/api/v1/events", headers=headers, timeout=timeout) as response:
            if not response.is_success:
                raise problem(response.status_code, await response.aread(), response.headers)
            async with aclosing(EventSource(response).aiter_sse()) as events:
                async for event in events:
                    shape = PAYLOADS.get(event.event)
                    if shape is None or not event.data:
                        continue
                    try:
                        payload = read_as(shape, event.data)
                    except ApiProblem as error:
                        yield Unreadable(event.event, error)
                    else:
                        yield Event(event.event, event.id, payload)
    except SSEError as error:
        raise ApiProblem(
            "No event stream there", str(error), "Is it really a supervisor that listens there?",
            code="not_a_supervisor", status=200,
        ) from error  # fmt: skip
    except (httpx.HTTPError, OSError) as error:
        raise unreachable(http.where, error, silence_s) from error
