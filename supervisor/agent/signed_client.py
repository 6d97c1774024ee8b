"""HTTP to one node's agent: sessions, signatures, deadlines and limits. What is not signed is believed by nobody."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpx
import msgspec

from supervisor.agent.interface import AgentAway
from supervisor.agent.judged_transport import JudgedTransport
from supervisor.agent.wire.problems import UNKNOWN_SESSION, Problem
from supervisor.agent.wire.shapes import Hello, Welcome, encode
from supervisor.agent.wire.signing import (
    COUNTER,
    MAC,
    PROTOCOL,
    SESSION,
    answer_mac,
    hello_mac,
    new_nonce,
    request_mac,
    same,
    session_key,
    welcome_mac,
)
from supervisor.reach import EVERYWHERE, Reach

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes; the report of some five thousand sidecars."""
_SMALL: Final = 64 * 1024
"""Bytes of what a stranger may answer."""
_AT_ONCE: Final = 256 * 1024
"""Bytes that are checked on the loop; more than that is a thread's work."""
_WORDS: Final = 200

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """``target`` is path and query, as they are sent. ``again``: said once more where a kept connection was closed."""

    method: str
    target: str
    body: bytes = b""
    most: int = LARGEST_ANSWER
    again: bool = True


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    key: bytes
    counters: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    mac: str
    body: bytes


class SignedClient:
    """Belongs to one event loop. Raises AgentAway, with why, whenever there is no answer to be believed."""

    def __init__(self, url: str, node: str, key: bytes, reach: Reach = EVERYWHERE) -> None:
        self._url = url.rstrip("/")
        self._node = node
        self._key = key
        self._session: _Session | None = None
        self._hello = asyncio.Lock()
        self._closed = False
        self._client = httpx.AsyncClient(
            transport=JudgedTransport(reach, httpx.Limits(max_connections=100, max_keepalive_connections=20)),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - every call has its own deadline
            headers={"accept-encoding": "identity"},
        )

    async def close(self) -> None:
        self._closed = True
        await self._client.aclose()

    async def call(self, call: Call, timeout: float) -> tuple[int, bytes]:
        """The status and the body of a signed answer, within ``timeout`` seconds."""
        if self._closed:
            raise self._away("this supervisor has closed its connection to it")
        try:
            async with asyncio.timeout(timeout):
                return await self._call(call)
        except TimeoutError as error:
            raise self._away(f"no answer within {timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(str(error) or type(error).__name__) from error

    async def _call(self, call: Call) -> tuple[int, bytes]:
        for _ in range(2):
            session = await self._greeted()
            counter, raw = await self._sent(call, session)
            if await self._is_signed(raw, session, counter):
                return raw.status, raw.body
            problem = _problem(raw.body)
            if problem is None or raw.status != 401 or problem.code != UNKNOWN_SESSION:
                raise self._away(_unbelieved(raw, problem))
            if self._session is session:
                self._session = None
        raise self._away("it forgets every session at once")

    async def _sent(self, call: Call, session: _Session) -> tuple[int, _Raw]:
        try:
            return await self._sent_once(call, session)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not call.again:
                raise
            # A connection kept from an earlier call was closed just now: every such call is safe to repeat.
            return await self._sent_once(call, session)

    async def _sent_once(self, call: Call, session: _Session) -> tuple[int, _Raw]:
        counter = next(session.counters)
        request = self._client.build_request(call.method, self._url + call.target, content=call.body)
        target = call.target.encode("ascii")
        parts = (session.key, counter, call.method, target, call.body)
        large = len(call.body) > _AT_ONCE
        mac = await asyncio.to_thread(request_mac, *parts) if large else request_mac(*parts)
        request.headers.update({SESSION: session.name, COUNTER: str(counter), MAC: mac})
        return counter, await self._exchange(request, call.most)

    async def _exchange(self, request: httpx.Request, most: int) -> _Raw:
        answer = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > most:
                    raise self._away(f"it answered more than {most} bytes")
            return _Raw(answer.status_code, answer.headers.get(MAC, ""), bytes(body))
        finally:
            await answer.aclose()

    async def _is_signed(self, raw: _Raw, session: _Session, counter: int) -> bool:
        if not raw.mac:
            return False
        parts = (session.key, counter, raw.status, raw.body)
        large = len(raw.body) > _AT_ONCE
        return same(raw.mac, await asyncio.to_thread(answer_mac, *parts) if large else answer_mac(*parts))

    async def _greeted(self) -> _Session:
        if self._session is not None:
            return self._session
        async with self._hello:
            if self._session is None:
                self._session = await self._say_hello()
            return self._session

    async def _say_hello(self) -> _Session:
        nonce = new_nonce()
        hello = Hello(PROTOCOL, self._node, nonce, hello_mac(self._key, self._node, nonce))
        request = self._client.build_request("POST", f"{self._url}/hello", content=encode(hello))
        raw = await self._exchange(request, _SMALL)
        welcome = decoded(raw.body, Welcome)
        if raw.status != 200 or welcome is None:
            raise self._away(_unbelieved(raw, _problem(raw.body)))
        parts = (self._key, self._node, nonce, welcome.session, welcome.nonce)
        if not same(welcome.mac, welcome_mac(*parts)):
            raise self._away("whoever answers there has not this node's key: no agent of ours, or another node's")
        return _Session(welcome.session, session_key(*parts))

    def _away(self, why: str) -> AgentAway:
        return AgentAway(f"node {self._node} at {self._url}: {why}")


def decoded(body: bytes, shape: type[_T]) -> _T | None:
    """None for what is none."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _problem(body: bytes) -> Problem | None:
    return decoded(body, Problem) if len(body) <= _SMALL else None


def _unbelieved(raw: _Raw, problem: Problem | None) -> str:
    """A stranger's word is told as such, made safe for a line of text."""
    if raw.mac:
        return "its answer is not signed with the session's key: somebody else answers, or changed it on the way"
    if problem is None:
        return f"it answered HTTP {raw.status} without a signature: no agent of ours"
    said = "".join(letter if letter.isprintable() else "·" for letter in problem.detail)[:_WORDS]
    return f"it refuses us (HTTP {raw.status}, unsigned): {said}"
