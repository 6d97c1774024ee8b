"""``GET /events``: everything that changes, as server-sent events. ``supervisor.schemas.event`` says what comes."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

import structlog
from fastapi import Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from supervisor.api.authentication import Connection
from supervisor.api.context import Ctx, Who
from supervisor.api.openings import Openings
from supervisor.api.permissions import sees_all
from supervisor.api.problems import documented
from supervisor.api.route import router
from supervisor.api.sight import StreamSight
from supervisor.events import WRITE, Batch, Event, Events, Subscription, encode

routes = router("events")

MEDIA_TYPE: Final = "text/event-stream"
STUCK_S: Final = 10.0
"""A reader whose connection takes nothing for this long is cut off; it comes back with its last id."""

_log = structlog.get_logger(__name__)


@routes.get(
    "/events",
    response_class=Response,
    responses={
        **documented(),
        200: {
            "description": "A stream that begins with `reset` and a snapshot, or goes on after `Last-Event-ID`; "
            "a `beat` each second. It ends when the supervisor ends, the reader is too slow, or its rights are others.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
    },
)
async def stream_events(
    context: Ctx,
    who: Who,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=100, description="The last id seen.")] = None,
) -> Response:
    """Everything that changes, live, of what one sees. Who does not see all begins with `reset` always: what is theirs
    may be more than when they left."""
    subscription = context.events.subscribe(last_event_id if sees_all(who) else None)
    sight = StreamSight(who, context.supervision)
    try:
        first = None if subscription.resumed else await _first(context.openings, subscription, sight)
    except BaseException:
        subscription.close()
        raise
    connection: Connection = request.state.connection
    return _Stream(context.events, subscription, first, connection, sight, lambda: context.people.stands(who))


async def _first(openings: Openings, subscription: Subscription, sight: StreamSight) -> Event:
    """Everything a console shows. What changes while it is read follows it in the stream."""
    opening = await openings.next()
    subscription.pass_over(opening.place)
    return opening.event(sight.begin(opening.reset))


class _Stream(Response):
    """Writes a subscription to one connection until either ends."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        events: Events,
        subscription: Subscription,
        first: Event | None,
        connection: Connection,
        sight: StreamSight,
        stands: Callable[[], bool],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._subscription = subscription
        self._first = first
        self._connection = connection
        self._sight = sight
        self._stands = stands

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, from its headers to its end."""
        writer = asyncio.create_task(self._write(send))
        watcher = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({writer, watcher}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._subscription.close()
            for task in (writer, watcher):
                task.cancel()
            results = await asyncio.gather(writer, watcher, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _seen(self, batch: Batch) -> bytes:
        """What this reader may see of it."""
        if self._sight.is_whole:
            return batch.frames
        return b"".join(frame for event in batch.events if (frame := self._frame(event)) is not None)

    def _frame(self, event: Event) -> bytes | None:
        told = self._sight.told(event.name, event.data, event.live_of)
        if told is None:
            return None
        return event.frame if told == (event.name, event.data) else encode(event.id, *told)

    async def _begin(self, send: Send) -> None:
        """Sends the snapshot, if there is one, and lets go of it: it is by far the largest that a stream has. In parts,
        as a slow line takes longer for a large one than it may take nothing."""
        first, self._first = self._first, None
        frame = memoryview(b"" if first is None else first.frame)
        for start in range(0, len(frame), WRITE):
            await _send_within(send, bytes(frame[start : start + WRITE]))

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await self._begin(send)
            async for batch in self._subscription.batches():
                # A beat comes each second: nobody reads on for longer whose token was revoked.
                if not self._stands():
                    await _send_within(send, b": your rights are others now; come back\n\n")
                    break
                told = self._seen(batch)
                if told:
                    await _send_within(send, told)
            if self._subscription.dropped:
                _log.warning("an event reader was too slow and is dropped")
                await _send_within(send, b": dropped: too slow; come back with Last-Event-ID\n\n")
            async with asyncio.timeout(STUCK_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            _log.warning("an event reader took nothing and is cut off", seconds=STUCK_S)
            if not self._subscription.dropped:
                self._events.ended["stuck"] += 1
            self._connection.abort()


async def _send_within(send: Send, data: bytes) -> None:
    async with asyncio.timeout(STUCK_S):
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
