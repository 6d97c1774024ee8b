"""HTTP to one node's agent: sessions, signatures, deadlines and limits. What is not signed is believed by nobody."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpx
import msgspec

from supervisor.agent.interface import AgentAway
from supervisor.agent.line import Line, Raw, Untrusted, WrongAgent
from supervisor.agent.wire.problems import UNKNOWN_SESSION, Problem
from supervisor.agent.wire.shapes import Hello, Welcome, encode
from supervisor.agent.wire.signing import (
    COUNTER,
    MAC,
    PROTOCOL,
    SESSION,
    answer_mac,
    cluster_mac,
    hello_mac,
    new_nonce,
    request_mac,
    same,
    session_key,
    welcome_mac,
)

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


class SignedClient:
    """Belongs to one event loop. Raises AgentAway, with why, whenever there is no answer to be believed.

    Closes ``line``. ``cluster``: on whose behalf every call is; empty names none.
    """

    def __init__(self, node: str, key: bytes, line: Line, cluster: str = "") -> None:
        self._node = node
        self._key = key
        self._cluster = cluster
        self._session: _Session | None = None
        self._hello = asyncio.Lock()
        self._closed = False
        self._line = line

    @property
    def certificate(self) -> str:
        """As ``Line.certificate``."""
        return self._line.certificate

    @property
    def is_encrypted(self) -> bool | None:
        """As ``Line.is_encrypted``."""
        return self._line.is_encrypted

    async def close(self) -> None:
        self._closed = True
        await self._line.close()

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
            # Whoever is there next may speak TLS or not: a hello finds out.
            self._session = None
            self._line.note(error)
            raise self._away(str(error) or type(error).__name__) from error
        except Untrusted as error:
            raise self._away(str(error)) from error

    async def _call(self, call: Call) -> tuple[int, bytes]:
        for _ in range(2):
            session = await self._greeted()
            try:
                counter, raw = await self._sent(call, session)
            except WrongAgent:
                # Nothing was said to it.
                self._forget(session)
                continue
            if await self._is_signed(raw, session, counter):
                return raw.status, raw.body
            problem = _problem(raw.body)
            if problem is None or raw.status != 401 or problem.code != UNKNOWN_SESSION:
                raise self._away(_unbelieved(raw, problem))
            self._forget(session)
        raise self._away("it forgets every session at once")

    def _forget(self, session: _Session) -> None:
        if self._session is session:
            self._session = None

    async def _sent(self, call: Call, session: _Session) -> tuple[int, Raw]:
        try:
            return await self._sent_once(call, session)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if not call.again:
                raise
            # A connection kept from an earlier call was closed just now: every such call is safe to repeat.
            return await self._sent_once(call, session)

    async def _sent_once(self, call: Call, session: _Session) -> tuple[int, Raw]:
        counter = next(session.counters)
        target = call.target.encode("ascii")
        parts = (session.key, counter, call.method, target, call.body)
        large = len(call.body) > _AT_ONCE
        mac = await asyncio.to_thread(request_mac, *parts) if large else request_mac(*parts)
        headers = {SESSION: session.name, COUNTER: str(counter), MAC: mac}
        return counter, await self._line.send(call.method, call.target, call.body, headers, call.most)

    async def _is_signed(self, raw: Raw, session: _Session, counter: int) -> bool:
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
        if self._cluster:
            named = cluster_mac(self._key, self._node, nonce, self._cluster)
            hello = msgspec.structs.replace(hello, cluster=self._cluster, cluster_mac=named)
        raw = await self._line.greet(encode(hello), _SMALL, lambda raw: self._welcomed(raw, nonce).certificate)
        welcome = self._welcomed(raw, nonce)
        return _Session(welcome.session, session_key(self._key, self._node, nonce, welcome.session, welcome.nonce))

    def _welcomed(self, raw: Raw, nonce: str) -> Welcome:
        welcome = decoded(raw.body, Welcome)
        if raw.status != 200 or welcome is None:
            raise self._away(_unbelieved(raw, _problem(raw.body)))
        parts = (self._key, self._node, nonce, welcome.session, welcome.nonce)
        if not same(welcome.mac, welcome_mac(*parts, welcome.certificate)):
            raise self._away("whoever answers there has not this node's key: no agent of ours, or another node's")
        return welcome

    def _away(self, why: str) -> AgentAway:
        return AgentAway(f"node {self._node} at {self._line.url}: {why}")


def decoded(body: bytes, shape: type[_T]) -> _T | None:
    """None for what is none."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _problem(body: bytes) -> Problem | None:
    return decoded(body, Problem) if len(body) <= _SMALL else None


def _unbelieved(raw: Raw, problem: Problem | None) -> str:
    """A stranger's word is told as such, made safe for a line of text."""
    if raw.mac:
        return "its answer is not signed with the session's key: somebody else answers, or changed it on the way"
    if problem is None:
        return f"it answered HTTP {raw.status} without a signature: no agent of ours"
    said = "".join(letter if letter.isprintable() else "·" for letter in problem.detail)[:_WORDS]
    return f"it refuses us (HTTP {raw.status}, unsigned): {said}"
