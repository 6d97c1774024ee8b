"""One request to a supervisor and its answer: deadlines, problem documents, and what unreachable means."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from supervisor.schemas.base import Problem, Schema
from supervisor.schemas.control import SESSION_HEADER, STATION_HEADER, seat_of

S = TypeVar("S", bound=Schema)
Query = Mapping[str, str | int | bool | tuple[str, ...] | None]

ANSWER_S: Final = 5.0
"""Deadline of an ordinary request, in seconds, from the call to the last byte of the answer."""
LONG_ANSWER_S: Final = 600.0
"""Deadline of an import, which probes every file of a folder."""
SILENCE_S: Final = 30.0
"""Longest silence within an answer that is a stream."""
CONNECT_S: Final = 2.0
LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes; more than any listing page or snapshot of thousands of channels."""


class ClientError(Exception):
    """What a person is shown when a call did not do what it should: ``title``, ``detail`` and what to do, ``hint``."""

    def __init__(self, title: str, detail: str, hint: str = "") -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.title = title
        self.detail = detail
        self.hint = hint


class ApiProblem(ClientError):
    """The supervisor answered, and the answer is no. ``code`` is stable; ``status`` is the HTTP status."""

    def __init__(
        self,
        title: str,
        detail: str,
        hint: str = "",
        *,
        code: str,
        status: int,
        retry_after_s: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(title, detail, hint)
        self.code = code
        self.status = status
        self.retry_after_s = retry_after_s
        self.extra: Mapping[str, object] = extra or {}


class Unreachable(ClientError):
    """Nobody answered, or not in time. What was asked may still have been done."""


class Silent(Unreachable):
    """It was not refused: somebody is there, or the way there, and nothing came in time."""


class Http:
    """Requests over a unix socket or over TCP with a bearer token. Not thread-safe; use within one event loop."""

    def __init__(self, where: str, client: httpx.AsyncClient, *, read_only: bool = False) -> None:
        self.where = where
        """What this client speaks to, for people: a socket's path or a URL."""
        self.seat = ""
        """What the supervisor shows of this client's session; empty without one."""
        self._client = client
        self._read_only = read_only

    @classmethod
    def open(
        cls,
        *,
        socket: Path | None = None,
        url: str | None = None,
        token: str | None = None,
        authority: Path | None = None,
        read_only: bool = False,
    ) -> "Http":
        """Exactly one of ``socket`` and ``url``. Nothing is sent yet. Proxies of the environment are not used.

        ``authority``: certificates (PEM) that vouch for an https ``url``, beside those of this machine. Raises OSError
        when they cannot be read. ``read_only``: whatever would change something is refused here and not sent.
        """
        if (socket is None) == (url is None):
            raise ValueError("name a socket or a url, and not both")
        headers = {"User-Agent": "mcr-console"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)) if socket is not None else None,
            base_url="http://supervisor" if socket is not None else str(url),
            headers=headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            verify=_trusting(authority) if url is not None and url.startswith("https:") else True,
            trust_env=False,
            follow_redirects=False,
        )
        return cls(str(socket or url), client, read_only=read_only)

    def sit(self, session: str, station: str) -> None:
        """From now on every call names this session: control of channels is its."""
        self.seat = seat_of(session)
        self._client.headers[SESSION_HEADER] = session
        self._client.headers[STATION_HEADER] = station

    async def close(self) -> None:
        """Closes every connection, the event stream's too."""
        await self._client.aclose()

    @property
    def raw(self) -> httpx.AsyncClient:
        """For the event stream, which keeps its own deadlines."""
        return self._client

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | Mapping[str, object] | None = None,
        query: Query | None = None,
        rev: int | None = None,
        deadline_s: float = ANSWER_S,
    ) -> bytes:
        """The answer's body. ``rev`` goes along as ``If-Match``. Raises ``ApiProblem`` or ``Unreachable``."""
        if self._read_only and method != "GET":
            raise ApiProblem(
                "This console is read-only",
                "nothing was sent",
                "Open it without --read-only.",
                code="read_only",
                status=0,
            )
        headers: dict[str, str] = {}
        content: bytes | None = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = (
                body.model_dump_json(exclude_unset=True).encode()
                if isinstance(body, BaseModel)
                else json.dumps(body).encode()
            )
        if rev is not None:
            headers["If-Match"] = f'"{rev}"'
        params = {
            name: list(value) if isinstance(value, tuple) else _text(value)
            for name, value in (query or {}).items()
            if value is not None
        }
        request = self._client.build_request(
            method,
            path,
            content=content,
            params=params,
            headers=headers,
            timeout=httpx.Timeout(deadline_s, connect=CONNECT_S),
        )
        try:
            async with asyncio.timeout(deadline_s):
                response = await self._client.send(request, stream=True)
                try:
                    data = await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise unreachable(self.where, error, deadline_s) from error
        if response.is_success:
            return data
        raise problem(response.status_code, data, response.headers)

    async def stream(
        self, path: str, *, query: Query | None = None, silence_s: float = SILENCE_S
    ) -> AsyncIterator[bytes]:
        """A ``GET`` whose answer may be of any length, piece by piece; ``silence_s``: longest wait for the next one.

        Raises like ``call``.
        """
        params = {name: _text(value) for name, value in (query or {}).items() if isinstance(value, (str, int))}
        timeout = httpx.Timeout(silence_s, connect=CONNECT_S)
        request = self._client.build_request("GET", path, params=params, timeout=timeout)
        try:
            response = await self._client.send(request, stream=True)
            try:
                if not response.is_success:
                    raise problem(response.status_code, await _read(response), response.headers)
                async for chunk in response.aiter_bytes():
                    yield chunk
            finally:
                await response.aclose()
        except (httpx.HTTPError, OSError) as error:
            raise unreachable(self.where, error, silence_s) from error

    async def get(self, path: str, answer: type[S], *, query: Query | None = None) -> S:
        """A ``GET`` whose answer is read as ``answer``. Raises like ``call``."""
        return read_as(answer, await self.call("GET", path, query=query))


def read_as(answer: type[S], data: bytes | str) -> S:
    """Reads an answer, passing over fields a newer supervisor may have added. Raises ``ApiProblem``."""
    try:
        return TypeAdapter(answer).validate_json(data, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ApiProblem(
            "The supervisor's answer cannot be read",
            f"{answer.__name__}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            "Console and supervisor are of different versions; update the older one.",
            code="unreadable_answer",
            status=0,
        ) from error


def problem(status: int, data: bytes, headers: Mapping[str, str]) -> ApiProblem:
    """The problem document in ``data``, or one made of the status where something else answered."""
    retry = headers.get("retry-after", "")
    retry_after_s = int(retry) if retry.isascii() and retry.isdigit() else None
    try:
        found = Problem.model_validate_json(data)
    except ValidationError:
        return ApiProblem(
            f"HTTP {status}",
            "The answer is no problem document of a supervisor.",
            "Is it really a supervisor that listens there?",
            code="not_a_supervisor",
            status=status,
            retry_after_s=retry_after_s,
        )
    extra = {**(found.model_extra or {}), **found.extra}
    return ApiProblem(
        found.title, found.detail, found.hint, code=found.code, status=status, retry_after_s=retry_after_s, extra=extra
    )


def unreachable(where: str, error: Exception, deadline_s: float) -> Unreachable:
    """Says for people why nobody answered."""
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return Silent("The supervisor did not answer", f"{where}: nothing within {deadline_s:g} s")
    if any(isinstance(one, ssl.SSLError) for one in _causes(error)):
        return Unreachable(
            "No trusted supervisor there",
            f"{where}: {error}",
            "--ca names the certificate that vouches for it; see docs/remote.md.",
        )
    if _has_no_listener(error):
        return Unreachable("No supervisor there", f"nothing listens at {where}", "mcr up starts one.")
    return Unreachable("No supervisor there", f"{where}: {error or type(error).__name__}", "mcr up starts one.")


def _has_no_listener(error: BaseException | None) -> bool:
    """True where there is no socket or nobody behind it: the number of that error helps nobody."""
    return any(isinstance(one, (FileNotFoundError, ConnectionRefusedError)) for one in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def _read(response: httpx.Response) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > LARGEST_ANSWER:
            raise httpx.ReadError(f"the answer is longer than {LARGEST_ANSWER} bytes")
    return bytes(data)


def _trusting(authority: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        context.load_verify_locations(cafile=authority)
    return context


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
