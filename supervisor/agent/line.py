"""The connections to one agent: by TLS to the certificate that its node's key vouches for, or in the clear."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httpx

from supervisor.agent.judged_transport import JudgedTransport
from supervisor.agent.pinning import PinningContext, WrongCertificate, fingerprint_of
from supervisor.agent.whereabouts import Whereabouts
from supervisor.agent.wire.signing import MAC
from supervisor.errors import Unavailable
from supervisor.reach import EVERYWHERE, Reach
from supervisor.threads import Threads

_CLOSED: Final = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""What becomes of words in the clear where TLS is spoken, and of a kept connection whose other end is gone."""

_READ_S: Final = 10.0
"""For the file of this machine's authorities."""


class Untrusted(Exception):
    """Why nothing is said to, or believed of, who answers there."""


class WrongAgent(Untrusted):
    """Another certificate than the trusted one was shown, and nothing said to whoever showed it."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer. ``shown``: the fingerprint of the certificate that came before it; empty in the clear."""

    status: int
    mac: str
    body: bytes
    shown: str


Vouches = Callable[[Raw], str]
"""The fingerprint of the certificate that the agent says is its own, empty for none, from an answer to a hello that the
node's key signed; raises where it did not."""


class Line:
    """``certificate`` is trusted from before, empty for none; ``given`` by people, who alone change it then.

    One that was only seen may be another the next time, as long as the node's key vouches for it. An ``http`` address
    becomes TLS as soon as its agent speaks it, after one call that fails, and is never in the clear again.
    """

    def __init__(self, url: str, certificate: str = "", *, given: bool = False, reach: Reach = EVERYWHERE) -> None:
        self.url = url.rstrip("/")
        self._whereabouts = Whereabouts(reach)
        self._given = given and bool(certificate)
        self._context = PinningContext()
        self._context.pinned = certificate
        self._client = _client(self._context, self._whereabouts)
        self._by_authority = False
        self._verifies: ssl.SSLContext | None = None
        self._disk = Threads("readers of authorities", places=1)
        self._may_encrypt = False
        self.base = self._encrypted_url() if certificate else self.url
        """Where a request goes."""
        self.certificate = ""
        """What the agent has proven to be its own, or people gave; empty before, and in the clear."""
        self.is_encrypted: bool | None = None
        """As it was when the agent was last greeted; None before."""

    async def close(self) -> None:
        await self._client.aclose()
        await self._whereabouts.close()

    def note(self, error: httpx.HTTPError | httpx.InvalidURL) -> None:
        """A call ended with this: where words in the clear only end connections, TLS may be spoken by now."""
        self._may_encrypt = isinstance(error, _CLOSED) and self.base.startswith("http:")

    async def send(self, method: str, target: str, body: bytes, headers: dict[str, str], most: int) -> Raw:
        """Raises httpx.HTTPError, and Untrusted for more than ``most`` bytes and for another certificate."""
        return await _exchange(self._client, method, self.base + target, body, headers, most)

    async def greet(self, hello: bytes, most: int, vouches: Vouches) -> Raw:
        """The answer to a hello by whom everything is said from now on. Raises as ``send``, and what ``vouches`` does.

        A hello holds no secret: it may go to a stranger.
        """
        if self.url.startswith("http:") and not self._context.pinned:
            if not self._may_encrypt:
                self.base = self.url
                return await self._greet(self._client, hello, most, vouches)
            self.base = self._encrypted_url()
            try:
                return await self._meet(hello, most, vouches)
            finally:
                self._may_encrypt = False
        if self._context.pinned:
            try:
                return await self._greet(self._client, hello, most, vouches)
            except WrongAgent:
                if self._given:
                    raise
        return await self._meet(hello, most, vouches)

    async def _meet(self, hello: bytes, most: int, vouches: Vouches) -> Raw:
        """Greets whoever is there, by a connection over which nothing else is said."""
        if self._by_authority:
            return await self._greet(self._client, hello, most, vouches)
        context = PinningContext()
        context.pinned = None
        async with _client(context, self._whereabouts) as stranger:
            raw = await _exchange(stranger, "POST", f"{self.base}/hello", hello, {}, most)
        own = vouches(raw)
        if own:
            self._check(raw.shown, own)
            self._context.pinned = self.certificate = own
            self.is_encrypted = True
            return raw
        # An agent in the clear behind a proxy, for which its key does not speak: then an authority has to.
        verifying = _client(await self._authorities(), self._whereabouts)
        try:
            again = await self._greet(verifying, hello, most, vouches)
        except BaseException as error:
            await verifying.aclose()
            if isinstance(error, httpx.ConnectError):
                raise Untrusted(
                    f"the certificate {raw.shown} is vouched for neither by the agent nor by an authority ({error}); a "
                    "proxy's own is trusted by its fingerprint: mcr node set NAME --fingerprint"
                ) from error
            raise
        await self._client.aclose()
        self._client, self._by_authority = verifying, True
        return again

    async def _greet(self, client: httpx.AsyncClient, hello: bytes, most: int, vouches: Vouches) -> Raw:
        raw = await _exchange(client, "POST", f"{self.base}/hello", hello, {}, most)
        own = vouches(raw)
        if own or not raw.shown:
            self._check(raw.shown, own)
        self.certificate = raw.shown if own or self._given else ""
        self.is_encrypted = bool(raw.shown)
        return raw

    async def _authorities(self) -> ssl.SSLContext:
        """Read once, by a thread: they are some hundred certificates, and a call a second may ask for them."""
        if self._verifies is not None:
            return self._verifies
        try:
            return await self._disk.run(_READ_S, self._read_authorities)
        except (OSError, Unavailable) as error:
            raise Untrusted(f"this machine's authorities cannot be read: {error or 'its disk hangs'}") from error

    def _read_authorities(self) -> ssl.SSLContext:
        # Kept here, as whoever waits may have given up by now.
        if self._verifies is None:
            self._verifies = httpx.create_ssl_context()
        return self._verifies

    def _check(self, shown: str, own: str) -> None:
        if shown == own:
            return
        if not shown:
            raise Untrusted("it answers in the clear, and its agent speaks TLS: somebody stands between")
        raise Untrusted(
            f"somebody stands between: the certificate shown is {shown}, and by the node's key its agent has {own}"
        )

    def _encrypted_url(self) -> str:
        return "https:" + self.url.partition(":")[2]


def _client(context: ssl.SSLContext, whereabouts: Whereabouts) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    return httpx.AsyncClient(
        transport=JudgedTransport(whereabouts, limits, context),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - every call has its own deadline
        headers={"accept-encoding": "identity"},
    )


async def _exchange(
    client: httpx.AsyncClient, method: str, url: str, body: bytes, headers: dict[str, str], most: int
) -> Raw:
    opening = _Opening()
    request = client.build_request(method, url, content=body, headers=headers, extensions={"trace": opening.trace})
    try:
        answer = await client.send(request, stream=True)
    except BaseException as error:
        await opening.end()
        if not isinstance(error, httpx.ConnectError):
            raise
        wrong = _wrong_certificate(error)
        if wrong is not None:
            raise WrongAgent(
                f"{wrong.strerror}: whoever changed it there says so by mcr node set NAME --fingerprint SHA256"
            ) from wrong
        if _speaks_no_tls(error):
            raise httpx.ConnectError(
                "somebody answers there, but not by TLS: an agent on loopback, or with --insecure-http, is called by "
                "http://, and its node is added so; with --host 0.0.0.0 it speaks TLS"
            ) from error
        raise
    try:
        content = bytearray()
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > most:
                raise Untrusted(f"it answered more than {most} bytes")
        return Raw(answer.status_code, answer.headers.get(MAC, ""), bytes(content), _shown(answer))
    finally:
        await answer.aclose()


def _speaks_no_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None and cause.reason == "WRONG_VERSION_NUMBER"


def _wrong_certificate(error: BaseException) -> WrongCertificate | None:
    """The libraries between wrap it."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, WrongCertificate):
        cause = cause.__cause__ or cause.__context__
    return cause


class _Stream(Protocol):
    def get_extra_info(self, info: str) -> object: ...

    async def aclose(self) -> None: ...


class _Opening:
    """A connection that is made for a request. The library leaves it open where the deadline cuts its handshake short:
    a machine that stands still would cost a descriptor a second."""

    def __init__(self) -> None:
        self._stream: _Stream | None = None

    async def trace(self, event: str, info: Mapping[str, object]) -> None:
        """As httpcore's extension of that name is called."""
        if event == "connection.connect_tcp.complete":
            self._stream = cast("_Stream", info["return_value"])

    async def end(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()


def _shown(answer: httpx.Response) -> str:
    stream = cast("_Stream", answer.extensions["network_stream"])
    handshake = stream.get_extra_info("ssl_object")
    return fingerprint_of(handshake.getpeercert(binary_form=True)) if isinstance(handshake, ssl.SSLObject) else ""
