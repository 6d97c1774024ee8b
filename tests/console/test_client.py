"""The client against a real HTTP server on loopback: answers, refusals, silence, and a stream that breaks."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mcr_console.client import ApiProblem, Client, Event, Lost, Unreachable, Unreadable
from mcr_console.event_stream import LinkMessage, event_stream
from mcr_console.http import Http, Silent
from supervisor.schemas.channel import ChannelPatch, CommandIn
from supervisor.schemas.event import Beat, Reset
from tests.console.conftest import until
from tests.console.scenes import channel, ident, normal_channels, reset, supervisor_info

M = TypeVar("M", Event, Lost, Unreadable)
Handler = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def serving(routes: dict[str, Handler], socket: Path | None = None) -> AsyncIterator[str]:
    """A server in this loop, on a port of the kernel's choosing or a unix socket; its URL."""
    app = Starlette(routes=[Route(path, handler, methods=["GET", "POST", "PATCH"]) for path, handler in routes.items()])
    where: dict[str, Any] = {"uds": str(socket)} if socket is not None else {"host": "127.0.0.1", "port": 0}
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="off", **where)
    )
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        if socket is not None:
            yield "unix"
        else:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def listening(events: Handler) -> AsyncIterator[AsyncGenerator[LinkMessage, None]]:
    """A client's event stream from a server with that handler."""
    async with (
        serving({"/api/v1/events": events}) as url,
        Client.at(url=url) as client,
        aclosing(client.events()) as messages,
    ):
        yield messages


def sse(event: Event) -> str:
    return f"event: {event.name}\nid: {event.id}\ndata: {event.payload.model_dump_json()}\n\n"


def beat(number: int) -> Event:
    return Event("beat", f"b1-{number}", Beat(supervisor=supervisor_info()))


async def next_of(messages: AsyncGenerator[LinkMessage, None], kind: type[M]) -> M:
    """The next message of that kind."""
    async with asyncio.timeout(60):
        async for message in messages:
            if isinstance(message, kind):
                return message
    raise AssertionError("the stream never ends")


async def test_over_a_unix_socket_a_command_goes_out_as_the_api_wants_it(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    async def take(request: Request) -> Response:
        seen.append((request.url.path, await request.json()))
        done = {"command_id": "x" * 8, "channel_id": ident(3), "done": "on air", "frame": 7, "item_id": None}
        return JSONResponse({**done, "took_ms": 9.5, "a_field_of_tomorrow": 1})

    async with (
        serving({"/api/v1/channels/{id}/take": take}, tmp_path / "s") as _,
        Client.at(socket=tmp_path / "s") as client,
    ):
        done = await client.transport(
            ident(3), "take", CommandIn(command_id="x" * 8, expect_item_id="i", expect_epoch=7)
        )
    assert (done.frame, done.took_ms) == (7, 9.5)
    assert seen == [
        (f"/api/v1/channels/{ident(3)}/take", {"command_id": "x" * 8, "expect_item_id": "i", "expect_epoch": 7})
    ]


async def test_token_rev_and_only_what_changes_are_sent() -> None:
    seen: list[Any] = []

    async def patch(request: Request) -> Response:
        seen.append((request.headers["authorization"], request.headers["if-match"], await request.json()))
        return Response(channel(3, "Sports").model_dump_json(), media_type="application/json")

    async with serving({"/api/v1/channels/{id}": patch}) as url, Client.at(url=url, token="s3cret") as client:
        assert (await client.update_channel(ident(3), 4, ChannelPatch(name="Sports"))).name == "Sports"
    assert seen == [("Bearer s3cret", '"4"', {"name": "Sports"})]


async def test_every_page_of_a_listing_is_fetched() -> None:
    async def channels(request: Request) -> Response:
        first = int(request.query_params.get("cursor", "0"))
        items = [one.model_dump(mode="json") for one in normal_channels()[first : first + 4]]
        return JSONResponse({"items": items, "next_cursor": str(first + 4) if first + 4 < 9 else None})

    async with serving({"/api/v1/channels": channels}) as url, Client.at(url=url) as client:
        assert [one.number for one in await client.channels()] == list(range(1, 10))


async def test_a_refusal_keeps_its_code_its_words_and_its_hint() -> None:
    async def refuse(_: Request) -> Response:
        problem = {
            "title": "Conflicts",
            "status": 409,
            "code": "take_guard",
            "detail": "too soon",
            "hint": "wait",
            "by": "ann",
        }
        return JSONResponse({**problem, "by": "ann"}, 409, {"Retry-After": "2"}, media_type="application/problem+json")

    async with serving({"/api/v1/channels/{id}/start": refuse}) as url, Client.at(url=url) as client:
        with pytest.raises(ApiProblem) as found:
            await client.start(ident(1))
    error = found.value
    assert (error.status, error.code, error.title, error.detail, error.hint) == (
        409, "take_guard", "Conflicts", "too soon", "wait",
    )  # fmt: skip
    assert (error.retry_after_s, dict(error.extra)) == (2, {"by": "ann"})


async def test_what_is_no_supervisor_is_told_from_one() -> None:
    async def hello(_: Request) -> Response:
        return PlainTextResponse("<html>hello", 502)

    async def strange(_: Request) -> Response:
        return JSONResponse({"name": "mcr"})

    async with (
        serving({"/api/v1/supervisor": hello, "/api/v1/channels/{id}": strange}) as url,
        Client.at(url=url) as client,
    ):
        with pytest.raises(ApiProblem, match="no problem document") as found:
            await client.supervisor()
        assert found.value.code == "not_a_supervisor"
        with pytest.raises(ApiProblem, match="cannot be read") as found:
            await client.channel(ident(1))
        assert found.value.code == "unreadable_answer"


async def test_nobody_there_and_no_answer_are_unreachable(tmp_path: Path) -> None:
    async def never(_: Request) -> Response:
        await asyncio.sleep(30)
        return Response()

    async with Client.at(socket=tmp_path / "nothing") as client:
        with pytest.raises(Unreachable, match="No supervisor there") as found:
            await client.supervisor()
        assert found.value.detail == f"nothing listens at {tmp_path / 'nothing'}"
    async with serving({"/slow": never}) as url:
        http = Http.open(url=url)
        with pytest.raises(Unreachable, match=r"nothing within 0\.2 s"):
            await http.call("GET", "/slow", deadline_s=0.2)
        await http.close()


async def test_the_link_to_a_supervisor_that_stands_still_says_that_it_does_not_answer(tmp_path: Path) -> None:
    """It listens, as the kernel does for it, and its loop never comes round."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "s"))
        door.listen()
        async with Client.at(socket=tmp_path / "s") as client, aclosing(client.events(silence_s=0.1)) as messages:
            lost = await next_of(messages, Lost)
    assert isinstance(lost.error, Silent)
    assert str(lost.error) == f"The supervisor did not answer: {tmp_path / 's'}: nothing within 0.1 s"


async def test_a_slow_drip_of_bytes_does_not_outlive_the_deadline() -> None:
    async def drip(_: Request) -> Response:
        async def bytes_now_and_then() -> AsyncIterator[str]:
            while True:
                yield " "
                await asyncio.sleep(0.05)

        return StreamingResponse(bytes_now_and_then())

    async with serving({"/drip": drip}) as url:
        http = Http.open(url=url)
        with pytest.raises(Unreachable):
            await http.call("GET", "/drip", deadline_s=0.4)
        await http.close()


async def test_the_stream_resumes_after_what_it_saw_and_says_when_it_was_lost() -> None:
    asked: list[str | None] = []

    async def events(request: Request) -> Response:
        asked.append(request.headers.get("last-event-id"))

        async def some() -> AsyncIterator[str]:
            if len(asked) == 1:
                yield sse(reset(normal_channels()))
                yield sse(beat(17))
                return
            yield ": a comment keeps nobody waiting\n\n"
            yield sse(beat(18))
            await asyncio.sleep(30)

        return StreamingResponse(some(), media_type="text/event-stream")

    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    async with serving({"/api/v1/events": events}) as url:
        http = Http.open(url=url)
        async with aclosing(event_stream(http, sleep=no_wait, spread=lambda: 1.0)) as messages:
            first = await next_of(messages, Event)
            assert isinstance(first.payload, Reset)
            assert len(first.payload.channels) == 9
            assert (await next_of(messages, Event)).id == "b1-17"
            lost = await next_of(messages, Lost)
            assert lost.retry_in_s == 0.125
            assert (await next_of(messages, Event)).id == "b1-18"
        await http.close()
    assert asked == [None, "b1-17"]
    assert waits == [0.125]


async def test_a_silent_stream_is_lost_and_retries_slow_down() -> None:
    async def silent(_: Request) -> Response:
        async def nothing() -> AsyncIterator[str]:
            await asyncio.sleep(30)
            yield ""

        return StreamingResponse(nothing(), media_type="text/event-stream")

    async def no_wait(_: float) -> None:
        return

    async with serving({"/api/v1/events": silent}) as url:
        http = Http.open(url=url)
        async with aclosing(event_stream(http, silence_s=0.1, sleep=no_wait, spread=lambda: 0.0)) as messages:
            delays = [(await next_of(messages, Lost)).retry_in_s for _ in range(7)]
        await http.close()
    assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


async def test_an_event_of_another_version_is_told_and_does_not_end_the_stream() -> None:
    async def events(_: Request) -> Response:
        async def some() -> AsyncIterator[str]:
            yield 'event: channel_live\nid: b1-1\ndata: {"channel_id": 5}\n\n'
            yield "event: of_tomorrow\nid: b1-2\ndata: {}\n\n"
            yield sse(beat(3))
            await asyncio.sleep(30)

        return StreamingResponse(some(), media_type="text/event-stream")

    async with (
        serving({"/api/v1/events": events}) as url,
        Client.at(url=url) as client,
        aclosing(client.events()) as messages,
    ):
        assert (await next_of(messages, Unreadable)).name == "channel_live"
        assert (await next_of(messages, Event)).id == "b1-3"


async def test_a_stream_that_is_refused_says_why() -> None:
    async def refused(_: Request) -> Response:
        return JSONResponse({"title": "Who are you?", "status": 401, "code": "unauthenticated"}, 401)

    async with (
        serving({"/api/v1/events": refused}) as url,
        Client.at(url=url) as client,
        aclosing(client.events()) as messages,
    ):
        lost = await next_of(messages, Lost)
        assert lost.error.title == "Who are you?"
