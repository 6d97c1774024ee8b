"""The agent's HTTP contract: which path is answered by what, signed, and how everything that goes wrong is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from supervisor.agent.belonging import Belonging
from supervisor.agent.drills import CanDrill, DrillOrder, FallsSilent
from supervisor.agent.interface import NodeAgent, StartOrder, StopOrder
from supervisor.agent.service.requests import asked, decoded, read_body
from supervisor.agent.service.sessions import Refused, Session, Sessions
from supervisor.agent.tidying import CanTidy, JournalsOrder, RecordingsOrder
from supervisor.agent.wire.problems import DEFECT, MEDIA_TYPE, Problem, problem_of
from supervisor.agent.wire.shapes import (
    AsRunIn,
    CommandIn,
    Hello,
    LiveIn,
    MediaIn,
    PageOut,
    ReportIn,
    RunsIn,
    SidecarIn,
    encode,
)
from supervisor.agent.wire.signing import COUNTER, MAC, SESSION, answer_mac

log = structlog.get_logger(__name__)

_HELLO: Final = 4096
"""Bytes of a hello, which anybody may send."""
_PAGE: Final = 4 * 1024 * 1024
"""Bytes of a page of as-run."""
_AT_ONCE: Final = 256 * 1024
"""Bytes of an answer that are signed on the loop; more than that is a thread's work."""


@dataclass(frozen=True, slots=True)
class Answer:
    content: bytes
    media_type: str = "application/json"
    status: int = 200


Handler = Callable[[Request, bytes], Awaitable[Answer]]
Handled = Callable[[Session, Request, bytes], Awaitable[Answer]]
_SILENT: Final = Problem("Silent", 503, "agent_away", "a drill has this agent answer nobody")


def application(
    agent: NodeAgent, node: str, key: bytes, certificate: str = "", belonging: Belonging | None = None
) -> Starlette:
    """Serves ``agent`` as the node of that name to whoever has its key and is of the cluster that it belongs to;
    ``certificate``: what TLS shows, by its fingerprint."""
    sessions = Sessions(node, key, certificate)
    belongs = belonging or Belonging(node)
    service = _Service(agent)
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/sidecar/start", service.start),
        ("POST", "/sidecar/standby", service.standby),
        ("POST", "/sidecar/stop", service.stop),
        ("POST", "/sidecar/command", service.command),
        ("POST", "/sidecar/poll", service.poll),
        ("GET", "/sidecar/thumbnail", service.thumbnail),
        ("GET", "/sidecars", service.look),
        ("POST", "/sidecars", service.report),
        ("POST", "/media", service.media),
        ("GET", "/live", service.live_file),
        ("POST", "/runs", service.runs),
        ("GET", "/asrun", service.asrun),
        ("POST", "/drill", service.drill),
        ("POST", "/journals/drop", service.drop_journals),
        ("POST", "/recordings/drop", service.drop_recordings),
    )
    return Starlette(
        routes=[
            Route("/hello", _hello(sessions, service), methods=["POST"]),
            *(
                Route(path, _signed(sessions, _of_ours(belongs, handle), service), methods=[method])
                for method, path, handle in routes
            ),
            Route("/adopt", _signed(sessions, _adopted(belongs), service), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_route},
    )


class _Service:
    """From bytes to the agent's arguments and back."""

    def __init__(self, agent: NodeAgent) -> None:
        self._agent = agent

    async def kept_silent(self) -> bool:
        """Whether a drill has the agent answer nobody; returns when that is over, and whoever asked has given up.

        What was asked meanwhile is not done: it would be done late.
        """
        seconds = self._agent.silent_for if isinstance(self._agent, FallsSilent) else 0.0
        if seconds > 0:
            await asyncio.sleep(seconds)
        return seconds > 0

    async def start(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._agent.start(decoded(body, StartOrder))))

    async def standby(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._agent.standby(decoded(body, StartOrder))))

    async def stop(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._agent.stop(decoded(body, StopOrder))))

    async def command(self, _: Request, body: bytes) -> Answer:
        given = decoded(body, CommandIn)
        return Answer(encode(await self._agent.command(given.order(), given.timeout)))

    async def poll(self, _: Request, body: bytes) -> Answer:
        given = decoded(body, SidecarIn)
        return Answer(encode(await self._agent.poll(given.channel_id, given.epoch)))

    async def thumbnail(self, request: Request, _: bytes) -> Answer:
        given = asked(request, SidecarIn)
        return Answer(await self._agent.thumbnail(given.channel_id, given.epoch), "image/jpeg")

    async def look(self, request: Request, _: bytes) -> Answer:
        return await self._report(asked(request, ReportIn))

    async def report(self, _: Request, body: bytes) -> Answer:
        return await self._report(decoded(body, ReportIn))

    async def _report(self, given: ReportIn) -> Answer:
        return Answer(encode(await self._agent.report(given.seen, given.wait, given.leases)))

    async def media(self, _: Request, body: bytes) -> Answer:
        given = decoded(body, MediaIn)
        return Answer(encode(await self._agent.media(given.roots, given.paths)))

    async def live_file(self, request: Request, _: bytes) -> Answer:
        given = asked(request, LiveIn)
        return Answer(await self._agent.live_file(given.channel_id, given.path), "application/octet-stream")

    async def runs(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._agent.runs(decoded(body, RunsIn).known)))

    async def drill(self, _: Request, body: bytes) -> Answer:
        if not isinstance(self._agent, CanDrill):
            raise ValueError("this agent makes no drills")  # noqa: TRY004 - told to who asked, as 422
        await self._agent.drill(decoded(body, DrillOrder))
        return Answer(b"{}")

    async def drop_journals(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._tidier().drop_journals(decoded(body, JournalsOrder))))

    async def drop_recordings(self, _: Request, body: bytes) -> Answer:
        return Answer(encode(await self._tidier().drop_recordings(decoded(body, RecordingsOrder))))

    def _tidier(self) -> CanTidy:
        if not isinstance(self._agent, CanTidy):
            raise ValueError("this agent takes nothing away")  # noqa: TRY004 - told to who asked, as 422
        return self._agent

    async def asrun(self, request: Request, _: bytes) -> Answer:
        given = asked(request, AsRunIn)
        page = await self._agent.asrun(given.channel_id, given.run_id, given.after, given.limit)
        return Answer(encode(None if page is None else PageOut.of(page, _PAGE)))


def _hello(sessions: Sessions, service: _Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if await service.kept_silent():
            return _unsigned(_SILENT)
        try:
            welcome = sessions.welcome(decoded(await read_body(request, keep=True, most=_HELLO), Hello))
        except Refused as refused:
            return _unsigned(refused.problem)
        except ValueError as error:
            return _unsigned(Problem("Not understood", 422, "invalid", str(error)))
        return Response(encode(welcome), media_type="application/json")

    return endpoint


def _of_ours(belongs: Belonging, handle: Handler) -> Handled:
    """Not for a supervisor of another cluster, which is told so by a signed answer: it may believe that."""

    async def handled(session: Session, request: Request, body: bytes) -> Answer:
        belongs.check(session.cluster)
        return await handle(request, body)

    return handled


def _adopted(belongs: Belonging) -> Handled:
    async def handled(session: Session, request: Request, body: bytes) -> Answer:
        del request, body
        await belongs.adopt(session.cluster)
        return Answer(b"{}")

    return handled


def _signed(sessions: Sessions, handle: Handled, service: _Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if await service.kept_silent():
            return _unsigned(_SILENT)
        named = request.headers.get(SESSION, "")
        try:
            body = await read_body(request, keep=sessions.knows(named))
            counter, mac = request.headers.get(COUNTER, ""), request.headers.get(MAC, "")
            session, number = sessions.accept(named, counter, mac, request.method, _target(request), body)
        except Refused as refused:
            return _unsigned(refused.problem)
        return await _sign(await _answered(handle, session, request, body), session, number)

    return endpoint


async def _answered(handle: Handled, session: Session, request: Request, body: bytes) -> Answer:
    try:
        return await handle(session, request, body)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            log.exception("a defect of this agent", method=request.method, path=request.url.path)
            problem = Problem("Defect", 500, DEFECT, f"a defect of the agent: {error!r}; its log has more")
    return Answer(encode(problem), MEDIA_TYPE, problem.status)


async def _sign(answer: Answer, session: Session, number: int) -> Response:
    parts = (session.key, number, answer.status, answer.content)
    large = len(answer.content) > _AT_ONCE
    mac = await asyncio.to_thread(answer_mac, *parts) if large else answer_mac(*parts)
    return Response(answer.content, answer.status, {MAC: mac}, answer.media_type)


def _target(request: Request) -> bytes:
    """Path and query as they came: what is signed is what is acted on."""
    raw, query = request.scope["raw_path"], request.scope["query_string"]
    return bytes(raw + b"?" + query if query else raw)


def _unsigned(problem: Problem) -> Response:
    return Response(encode(problem), problem.status, media_type=MEDIA_TYPE)


def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _unsigned(Problem("No such thing", status, "no_route", f"{request.method} {request.url.path[:100]}: none"))
